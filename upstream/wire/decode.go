package wire

import (
	"errors"
	"io"
	"reflect"
	"time"
)

// InvalidError says why a document does not count. Reason is a short sentence of ours: it never
// holds anything from the document.
type InvalidError struct{ Reason string }

// Error implements error.
func (e *InvalidError) Error() string { return "wire: the document does not count: " + e.Reason }

// maxAhead is how far upstream's clock may run before ours (contract 4.1).
const maxAhead = 5 * time.Minute

// DecodeStatus reads `GET T/status`. now is our clock, against which fetched_at is judged. Like all
// decoders here, it fails with an [*InvalidError] only.
func DecodeStatus(body []byte, now time.Time) (*Status, error) {
	s, notes, err := decodeNoted[Status](body)
	switch {
	case err != nil:
		return nil, err
	case s.FetchedAt.Time.After(now.Add(maxAhead)):
		return nil, &InvalidError{"its fetched_at lies in the future"}
	}
	s.Notes = notes
	return s, nil
}

// DecodeAdapterConfig reads `GET T/adapter-config`.
func DecodeAdapterConfig(body []byte) (*AdapterConfig, error) { return decode[AdapterConfig](body) }

// DecodeTenant reads a tenant's document.
func DecodeTenant(body []byte) (*Tenant, error) { return decode[Tenant](body) }

// DecodeProvisioned reads the answer to `POST /tenants/provision`.
func DecodeProvisioned(body []byte) (*Provisioned, error) { return decode[Provisioned](body) }

// DecodeTestResult reads the answer to `POST T/adapter-config/test-connection`.
func DecodeTestResult(body []byte) (*TestResult, error) { return decode[TestResult](body) }

// DecodeRefresh reads the answer to `POST T/refresh`. It needs sync_run_ids or started_at.
func DecodeRefresh(body []byte) (*Refresh, error) {
	doc, err := decode[Refresh](body)
	if err == nil && doc.SyncRunIDs == nil && doc.StartedAt.Time.IsZero() {
		return nil, &InvalidError{"it names no sync runs"}
	}
	return doc, err
}

// DecodeSyncHistory reads `GET T/sync-history`.
func DecodeSyncHistory(body []byte) (*SyncHistory, error) { return decode[SyncHistory](body) }

// DecodeWebhook reads the answer to `POST T/webhooks`.
func DecodeWebhook(body []byte) (*Webhook, error) { return decode[Webhook](body) }

// DecodeWebhooks reads `GET T/webhooks`.
func DecodeWebhooks(body []byte) ([]Webhook, error) {
	doc, err := decode[struct {
		Webhooks []Webhook `json:"webhooks" required:"true" max:"1000"`
	}](body)
	if err != nil {
		return nil, err
	}
	return doc.Webhooks, nil
}

// decode reads a document that is one object.
func decode[T any](body []byte) (*T, error) {
	doc, _, err := decodeNoted[T](body)
	return doc, err
}

func decodeNoted[T any](body []byte) (*T, Notes, error) {
	r := newReader(body)
	defer r.release()
	doc, missing := new(T), ""
	isObject := r.peek() == '{'
	if isObject {
		missing = r.object(reflect.ValueOf(doc).Elem())
	} else {
		r.value() // finds out whether it is JSON at all
	}
	r.end()
	switch {
	case r.err != nil:
		return nil, Notes{}, inOurWords(r.err)
	case !isObject:
		return nil, Notes{}, &InvalidError{"it is not an object"}
	case missing != "":
		return nil, Notes{}, &InvalidError{"it has no readable " + missing}
	}
	return doc, r.notes, nil
}

var errTrailing = errors.New("wire: trailing bytes")

// inOurWords says why a document can't be read: the decoder's own errors quote the input.
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
