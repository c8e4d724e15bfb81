package gateway

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
)

// statusDoc is one document of upstream with its encodings: one for each state
// that its readers may see it in, made when first asked for.
type statusDoc struct {
	snapshot   *api.Status   // nil: no tenant yet
	webhooks   *api.Webhooks // what we count ourselves (rule 6)
	subscribed *bool         // nil: not known, or not wanted
	at         time.Time

	mu     sync.Mutex
	bodies []statusBody
}

// maxBodies bounds the encodings of one document; the oldest goes.
const maxBodies = 6

type statusBody struct {
	id      int64     // of the connection
	version int64     // of the connection
	source  time.Time // the source's last change
	of      rendering // without its source
	body    *body
}

// rendering is the state in which a document is seen.
type rendering struct {
	m         *registry.ManagedSource
	stale     bool
	histories *historyDoc // nil: none
	runs      int         // of each stream, with histories
}

// FetchedAt implements snapshot.Document.
func (d *statusDoc) FetchedAt() time.Time { return d.at }

// body gives the encoding for a connection as it stands.
func (d *statusDoc) body(g *Gateway, of rendering) *body {
	m := of.m
	of.m = nil
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.bodies {
		b := &d.bodies[i]
		if b.id == m.Connection.ID && b.version == m.Connection.Version && b.of == of && b.source.Equal(m.Source.UpdatedAt) {
			return b.body
		}
	}
	webhooks := api.Webhooks{Last24h: api.WebhookCounts{SuccessRate: 1}}
	if d.webhooks != nil {
		webhooks = *d.webhooks
	}
	doc, failed := g.deps.Tasks.Status(transform.StatusInput{
		Source: m.Source, Connection: m.Connection, Snapshot: withHistories(d.snapshot, of.histories, of.runs),
		Webhooks: webhooks, Subscribed: d.subscribed,
		Stale: of.stale, Now: d.at,
	})
	for _, task := range failed {
		g.ins.TaskEvaluationError(task)
	}
	made := newBody(g.enveloped(transform.AppendStatus(nil, doc)))
	if len(d.bodies) == maxBodies {
		d.bodies = slices.Delete(d.bodies, 0, 1)
	}
	d.bodies = append(d.bodies, statusBody{m.Connection.ID, m.Connection.Version, m.Source.UpdatedAt, of, made})
	return made
}

// body is an encoded answer, shared by all its readers: header values included,
// so that a reader costs no allocation for them.
type body struct {
	plain      []byte
	etag       []string
	length     []string
	compress   sync.Once
	gzip       []byte
	gzipETag   []string
	gzipLength []string
}

func newBody(plain []byte) *body {
	sum := sha256.Sum256(plain)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	return &body{
		plain: plain, length: []string{strconv.Itoa(len(plain))},
		etag: []string{`"` + tag + `"`}, gzipETag: []string{`"` + tag + `-gzip"`},
	}
}

// zipped compresses once, when the first reader wants it.
func (b *body) zipped() (content []byte, length []string) {
	b.compress.Do(func() {
		var out bytes.Buffer
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(&out)
		_, _ = z.Write(b.plain) // a bytes.Buffer does not fail
		_ = z.Close()
		b.gzip, b.gzipLength = out.Bytes(), []string{strconv.Itoa(out.Len())}
	})
	return b.gzip, b.gzipLength
}

// zippers are kept because a new one costs hundreds of kilobytes.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

var (
	gzipCoding = []string{"gzip"}
	revalidate = []string{"private, no-cache"}
	vary       = []string{"Accept-Encoding, Authorization, X-Scope3-Api-Key"}
)

// netHTTPBuffer is below what net/http holds back until the handler is done. Of
// such an answer it finds the length itself, and need not copy the headers.
const netHTTPBuffer = 2000

// write answers with the body in the coding that the client wants, or with 304
// where it has it already. Age and Cache-Status are the caller's.
func (b *body) write(w http.ResponseWriter, r *request) {
	h := w.Header()
	etag := b.etag
	zip := acceptsGzip(r.Header)
	if zip {
		etag = b.gzipETag
	}
	h["Cache-Control"] = revalidate
	h["Etag"] = etag
	if v, ok := h["Vary"]; ok {
		h["Vary"] = append(slices.Clone(v), vary...)
	} else {
		h["Vary"] = vary
	}
	if tags, ok := r.Header["If-None-Match"]; ok && matches(tags, b.etag[0], b.gzipETag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	content, length := b.plain, b.length
	if zip {
		content, length = b.zipped()
		h["Content-Encoding"] = gzipCoding
	}
	h["Content-Type"] = jsonType
	if len(content) > netHTTPBuffer || r.Method == http.MethodHead {
		h["Content-Length"] = length
		w.WriteHeader(http.StatusOK)
	}
	if r.Method != http.MethodHead {
		writeAtOnce(w, r, content)
	}
}

// enveloped wraps a success where the operator wants it so (contract, "Envelope").
func (g *Gateway) enveloped(document []byte) []byte {
	if !g.cfg.Envelope {
		return document
	}
	wrapped := make([]byte, 0, len(document)+32)
	wrapped = append(wrapped, `{"data":`...)
	wrapped = append(wrapped, document...)
	return append(wrapped, `,"error":null}`...)
}

// ages holds ready Age values for the first 15 minutes.
var ages = func() [901][]string {
	var values [901][]string
	for s := range values {
		values[s] = []string{strconv.Itoa(s)}
	}
	return values
}()

func ageHeader(age time.Duration) []string {
	if s := int(age / time.Second); s < len(ages) {
		return ages[s]
	}
	return []string{strconv.Itoa(int(age / time.Second))}
}

var (
	cacheHit            = []string{"esagate; hit"}
	cacheMiss           = []string{"esagate; fwd=miss; stored"}
	cacheMissCollapsed  = []string{"esagate; fwd=miss; collapsed"}
	cacheStale          = []string{"esagate; fwd=stale; stored"}
	cacheStaleCollapsed = []string{"esagate; fwd=stale; collapsed"}
)

// cacheStatus says how the answer came about (RFC 9211). A stale copy that is
// served is a hit with a negative ttl; one that a newer answer has replaced while
// the reader waited was forwarded as stale.
func cacheStatus(state snapshot.State, fresh time.Duration, replaced, collapsed bool) []string {
	switch {
	case state == snapshot.Hit:
		return cacheHit
	case state == snapshot.Stale:
		ttl := int(math.Floor(fresh.Seconds())) // -1 as soon as it is no longer fresh
		return []string{"esagate; hit; ttl=" + strconv.Itoa(ttl)}
	case replaced && collapsed:
		return cacheStaleCollapsed
	case replaced:
		return cacheStale
	case collapsed:
		return cacheMissCollapsed
	}
	return cacheMiss
}
