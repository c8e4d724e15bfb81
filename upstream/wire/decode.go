package wire

import (
	"errors"
	"io"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// InvalidError says why a document does not count. Reason is a short sentence
// of ours: it never holds anything from the document.
type InvalidError struct{ Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return "wire: the document does not count: " + e.Reason }

var errTrailing = errors.New("wire: trailing bytes")

// maxAhead is how far upstream's clock may run before ours (status rule 1).
const maxAhead = 5 * time.Minute

// DecodeStatus reads `GET T/status`. now is our clock, against which fetched_at
// is judged. The error is always an [*InvalidError].
func DecodeStatus(body []byte, now time.Time) (*Status, error) {
	r := newReader(body)
	defer r.release()
	s, adapter := new(Status), false
	if err := r.document(); err != nil {
		return nil, err
	}
	for name, ok := r.name(); ok; name, ok = r.name() {
		r.statusField(s, &adapter, name)
	}
	r.end()
	if r.err != nil {
		return nil, r.invalid()
	}
	switch {
	case !adapter:
		return nil, &InvalidError{"it has no well-formed adapter block"}
	case s.FetchedAt.Time.IsZero():
		return nil, &InvalidError{"its fetched_at is missing or can't be read"}
	case s.FetchedAt.Time.After(now.Add(maxAhead)):
		return nil, &InvalidError{"its fetched_at lies in the future"}
	}
	s.Notes = r.notes
	return s, nil
}

// statusField reads one member of a status document; *adapter says whether its
// last adapter block was well-formed.
func (r *reader) statusField(s *Status, adapter *bool, name []byte) {
	switch string(name) {
	case "adapter":
		s.Adapter, *adapter = r.adapter()
	case "fetched_at":
		r.time(&s.FetchedAt, "fetched_at")
	case "syncs":
		s.Syncs = r.syncs()
	case "workflows":
		s.Workflows = r.workflows()
	case "packages":
		s.Packages = r.packages()
	case "products":
		s.Products = r.products()
	case "inventory_profiles":
		s.InventoryProfiles = r.inventoryProfiles()
	case "creatives":
		s.Creatives = r.creatives()
	case "webhooks":
		s.Webhooks = r.webhooks()
	case "setup_tasks":
		s.SetupTasks = r.setupTasks()
	case "media_buys": // known, and not part of what we serve
		r.skip()
	default:
		r.unknown(name)
	}
}

// DecodeAdapterConfig reads `GET T/adapter-config`. It needs type, a string, and
// configured, a boolean. The error is always an [*InvalidError].
func DecodeAdapterConfig(body []byte) (*AdapterConfig, error) {
	c := new(AdapterConfig)
	var kind Opt[string]
	var configured Opt[bool]
	err := object(body, func(r *reader, name []byte) {
		switch string(name) {
		case "type":
			r.word(&kind, "type")
		case "configured":
			r.flag(&configured, "configured")
		case "network_code":
			r.text(&c.NetworkCode, "network_code")
		case "service_account_email":
			r.text(&c.ServiceAccountEmail, "service_account_email")
		default: // credentials among them
			r.skip()
		}
	})
	switch {
	case err != nil:
		return nil, err
	case !kind.Set:
		return nil, &InvalidError{"it has no type"}
	case !configured.Set:
		return nil, &InvalidError{"it does not say whether it is configured"}
	}
	c.Type, c.Configured = kind.Value, configured.Value
	return c, nil
}

// object reads a document that is an object and nothing else, member by member. The
// error is always an [*InvalidError].
func object(body []byte, member func(r *reader, name []byte)) error {
	r := newReader(body)
	defer r.release()
	if err := r.document(); err != nil {
		return err
	}
	for name, ok := r.name(); ok; name, ok = r.name() {
		member(r, name)
	}
	r.end()
	if r.err != nil {
		return r.invalid()
	}
	return nil
}

// document enters the object that a document must be.
func (r *reader) document() error {
	_, kind := r.next()
	if kind != jsontext.KindBeginObject {
		r.skipRest(kind) // finds out whether it is JSON at all
	}
	switch {
	case r.err != nil:
		return r.invalid()
	case kind != jsontext.KindBeginObject:
		return &InvalidError{"it is not an object"}
	}
	return nil
}

// invalid puts the reader's error into words of ours.
func (r *reader) invalid() error { return inOurWords(r.err) }

// inOurWords says why a document can't be read: the decoder's own errors quote the
// input.
func inOurWords(err error) *InvalidError {
	switch {
	case errors.Is(err, errTrailing):
		return &InvalidError{"something follows it"}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &InvalidError{"it is cut short"}
	case errors.Is(err, io.EOF):
		return &InvalidError{"it is empty"}
	}
	return &InvalidError{"it is not JSON"}
}
