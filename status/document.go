package status

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

// View is a document in the state that a reader sees it in. It is shared by all
// readers of that state and never changes.
type View struct {
	Status *api.Status

	envelope bool
	encode   sync.Once
	body     *api.Body
}

// Body gives Status, encoded; it is made when first asked for.
func (v *View) Body() *api.Body {
	v.encode.Do(func() {
		encoded := api.Encode(v.Status)
		if v.envelope {
			encoded = api.Enveloped(encoded)
		}
		v.body = api.NewBody(encoded)
	})
	return v.body
}

// document is one status of a tenant. It is kept packed, and opened while it is read.
type document struct {
	at     time.Time // the document's own time
	packed []byte    // what encode gives, compressed; nil: it says nothing
	length int       // of what encode gives
	keep   keeping

	opening sync.Mutex
	open    atomic.Pointer[contents] // nil: it was not read lately
}

// contents are what a document says, and its views: one for each state that readers
// have seen it in, made when first asked for.
type contents struct {
	said
	signal registry.InventorySync // of the last inventory sync; zero without a status
	length int                    // of the document, encoded

	used   atomic.Int64 // the second in which it was last asked for
	weight int          // what it takes, by estimate; guarded by opened.mu

	mu    sync.Mutex
	views []keyedView
}

// said is what a document says.
type said struct {
	Status     *api.Status           `json:"status"` // nil: no tenant yet
	Streams    transform.StreamNames `json:"streams"`
	Webhooks   *api.Webhooks         `json:"webhooks"`   // the gateway's own count of deliveries (contract 4.6)
	Subscribed *bool                 `json:"subscribed"` // nil: not known, or not wanted
}

// maxViews bounds the views of one document; the oldest goes.
const maxViews = 6

// viewState is what a view depends on beside its document and the source.
type viewState struct {
	stale     bool       // a refresh has failed since
	histories *histories // nil: none
	runs      int        // of each stream, with histories
}

// viewKey identifies a view of a document.
type viewKey struct {
	connection int64
	version    int64 // of the connection
	source     int64 // the source's last change, in Unix microseconds
	stalled    int   // streams that have been running for too long: this changes with the clock alone
	tasks      *transform.Tasks
	viewState
}

type keyedView struct {
	key viewKey
	*View
}

// Older implements snapshot.Document.
func (d *document) Older(than *document) bool { return d.at.Before(than.at) }

// Ahead reports whether the document's own time is yet to come: the sales agent's clock is or
// was ahead of ours.
func (d *document) Ahead(now time.Time) bool { return d.at.After(now) }

// Size is the bytes that it takes at rest, none if it is nil; what is open has a bound of its own.
func (d *document) Size() int {
	if d == nil {
		return 0
	}
	return documentOverhead + cap(d.packed)
}

const documentOverhead = 80

// view gives the document as it is seen with a source as it stands.
func (s *Service) view(d *document, src *registry.Source, state viewState) *View {
	now := time.Now()
	c, stalled := s.opened.contents(d, now), 0
	if c.Status == nil {
		now = d.at
	} else {
		stalled = transform.Stalled(c.Status.Syncs, now)
	}
	tasks := s.tasks.Load()
	key := viewKey{src.Connection.ID, src.Connection.Version, src.UpdatedAt.UnixMicro(), stalled, tasks, state}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.views {
		if c.views[i].key == key {
			return c.views[i].View
		}
	}
	webhooks := api.Webhooks{Last24h: api.WebhookCounts{SuccessRate: 1}}
	if c.Webhooks != nil {
		webhooks = *c.Webhooks
	}
	status, failed := tasks.Status(transform.StatusInput{
		Source: c.taught(src), Snapshot: withHistories(c.Status, state.histories, state.runs),
		Webhooks: webhooks, Subscribed: c.Subscribed, Stale: state.stale, Now: now,
	})
	for _, task := range failed {
		s.ins.TaskEvaluationError(task)
	}
	made := &View{Status: status, envelope: s.cfg.Envelope}
	if len(c.views) == maxViews {
		c.views = slices.Delete(c.views, 0, 1)
	} else {
		s.opened.grow(d, c)
	}
	c.views = append(c.views, keyedView{key, made})
	return made
}

// documentFormat is what encode writes. A document of another format is not read: raise it
// when what is written changes its meaning.
const documentFormat = 1

// keptDocument is a document as it is kept.
type keptDocument struct {
	Format int       `json:"format"`
	At     time.Time `json:"at"`
	said
}

// newDocument packs what was said at a time.
func newDocument(at time.Time, says said) *document {
	return packed(at, api.Encode(keptDocument{documentFormat, at.UTC(), says}))
}

// packed makes a document of what encode gives.
func packed(at time.Time, encoded []byte) *document {
	var out bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(encoded) // a bytes.Buffer does not fail
	_ = w.Close()
	return &document{at: at, packed: bytes.Clone(out.Bytes()), length: len(encoded)}
}

// packers are kept because a new one costs hundreds of kilobytes, unpackers because one costs tens.
var (
	packers = sync.Pool{New: func() any {
		w, _ := flate.NewWriter(nil, flate.BestSpeed) // fails for another level alone
		return w
	}}
	unpackers = sync.Pool{New: func() any { return flate.NewReader(nil) }}
)

// encode gives the document as it is kept where it outlives the process.
func (d *document) encode() []byte {
	r := unpackers.Get().(io.ReadCloser)
	defer unpackers.Put(r)
	_ = r.(flate.Resetter).Reset(bytes.NewReader(d.packed), nil) // its errors are those of the read
	encoded := make([]byte, d.length)
	if _, err := io.ReadFull(r, encoded); err != nil {
		panic("status: a document that was packed here can't be unpacked: " + err.Error())
	}
	return encoded
}

// unpack gives what the document says.
func (d *document) unpack() *contents {
	c := &contents{length: d.length}
	if d.packed != nil {
		var kept keptDocument
		if err := api.Decode(d.encode(), &kept); err != nil {
			panic("status: a document that was encoded here can't be decoded: " + err.Error())
		}
		c.said = kept.said
	}
	if c.Status != nil {
		c.signal = transform.InventorySync(c.Status)
	}
	return c
}

// decodeDocument reads what encode gave, also of another process; false for anything else.
func decodeDocument(encoded []byte) (*document, bool) {
	var kept keptDocument
	if err := api.Decode(encoded, &kept); err != nil || kept.Format != documentFormat || kept.Status == nil {
		return nil, false
	}
	return packed(kept.At, encoded), true
}
