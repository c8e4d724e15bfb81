package gateway

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"esagate/api"
)

var (
	gzipCoding = []string{"gzip"}
	documents  = kept{jsonType, []string{"private, no-cache"}, []string{"Accept-Encoding, Authorization, X-Scope3-Api-Key, Esagate-Customer"}}
)

// kept is what an answer says of its body that somebody may keep: as the values of the headers.
type kept struct{ contentType, cacheControl, vary []string }

// netHTTPBuffer is below what net/http holds back until the handler is done. Of
// such an answer it finds the length itself, and need not copy the headers.
const netHTTPBuffer = 2000

// writeBody answers with a document. Age and Cache-Status are the caller's; changed is when what the
// body shows last changed, zero where that is not known.
func writeBody(w http.ResponseWriter, r *request, b *api.Body, changed time.Time) error {
	return documents.write(w, r, b, changed)
}

// write answers with a body in the coding that the client wants, or with 304 where it has it already.
func (k *kept) write(w http.ResponseWriter, r *request, b *api.Body, changed time.Time) error {
	if err := checkMatch(r.Header, b, changed); err != nil {
		return err
	}
	h := w.Header()
	etag := b.ETag
	zip := acceptsGzip(r.Header)
	if zip {
		etag = b.GzipETag
	}
	h["Cache-Control"] = k.cacheControl
	h["Etag"] = etag
	if v, ok := h["Vary"]; ok {
		h["Vary"] = append(slices.Clone(v), k.vary...)
	} else {
		h["Vary"] = k.vary
	}
	if tags, ok := r.Header["If-None-Match"]; ok && names(tags, etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if !changed.IsZero() && !changed.After(time.Now()) { // it can be later by another replica's clock
		h["Last-Modified"] = []string{changed.UTC().Format(http.TimeFormat)}
	}
	content, length := b.Plain, b.Length
	if zip {
		content, length = b.Gzip()
		h["Content-Encoding"] = gzipCoding
	}
	h["Content-Type"] = k.contentType
	if len(content) > netHTTPBuffer || r.Method == http.MethodHead {
		h["Content-Length"] = length
		w.WriteHeader(http.StatusOK)
	}
	if r.Method != http.MethodHead {
		writeAtOnce(w, r, content)
	}
	return nil
}

// writeUncached answers with content that no cache may keep.
func writeUncached(w http.ResponseWriter, r *request, status int, contentType []string, content []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(content))}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(content) // the client may be gone
	}
}

// writeDocument answers a read with a document that is not kept.
func (g *Gateway) writeDocument(w http.ResponseWriter, r *request, document []byte, changed time.Time) error {
	return writeBody(w, r, api.NewBody(g.enveloped(document)), changed)
}

// answer writes the outcome of a write.
func (g *Gateway) answer(w http.ResponseWriter, r *request, status int, document []byte) {
	writeUncached(w, r, status, jsonType, g.enveloped(document))
}

// enveloped wraps a success where the operator wants it so (contract 8.1).
func (g *Gateway) enveloped(document []byte) []byte {
	if !g.cfg.Envelope {
		return document
	}
	return api.Enveloped(document)
}
