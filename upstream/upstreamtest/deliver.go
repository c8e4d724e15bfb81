package upstreamtest

import (
	"bytes"
	"net/http"
	"strconv"
)

// deliver sends an answer the way the fault wants it.
func (f Fault) deliver(w http.ResponseWriter, l conn, ans answer) {
	h := w.Header()
	for name, values := range ans.header {
		h[name] = values
	}
	if ans.stream != nil {
		ans.stream(w)
		if l.broken() {
			drop()
		}
		return
	}
	h.Set("Content-Type", ans.contentType)
	if f.RetryAfter != "" {
		h.Set("Retry-After", f.RetryAfter)
	}
	switch {
	case f.Size > 0:
		w.WriteHeader(ans.status)
		padded(w, l, ans.body, f.Size)
	case f.CutShort:
		half := len(ans.body) / 2
		h.Set("Content-Length", strconv.Itoa(max(len(ans.body), 1))) // also of nothing something is missing
		w.WriteHeader(ans.status)
		_, _ = w.Write(ans.body[:half])
		flush(w)
		drop()
	case f.Drip > 0:
		w.WriteHeader(ans.status)
		flush(w)
		for i := range ans.body {
			if !l.wait(f.Drip, nil) {
				drop()
			}
			if _, err := w.Write(ans.body[i : i+1]); err != nil {
				drop()
			}
			flush(w)
		}
	default:
		if ans.status != http.StatusNoContent && ans.status != http.StatusNotModified {
			h.Set("Content-Length", strconv.Itoa(len(ans.body)))
		}
		w.WriteHeader(ans.status)
		_, _ = w.Write(ans.body)
	}
}

// padded sends a JSON object with one more field, of as many characters as make
// the whole size bytes long (or a few more, where size is less than the object
// itself). The length is not announced: a reader finds out by reading.
func padded(w http.ResponseWriter, l conn, object []byte, size int64) {
	open, end := `{"padding":"`, `"}`
	if object = bytes.TrimSpace(object); len(object) > 2 && object[0] == '{' {
		object, open = bytes.TrimSuffix(object, []byte("}")), `,"padding":"`
	} else { // no field to stand behind, or no object at all
		object = nil
	}
	left := size - int64(len(object)+len(open)+len(end))
	send := sender(w, l)
	send(object)
	send([]byte(open))
	chunk := bytes.Repeat([]byte("x"), 32<<10)
	for ; left > 0; left -= int64(len(chunk)) {
		send(chunk[:min(left, int64(len(chunk)))])
	}
	send([]byte(end))
}

// sender writes pieces of a long answer, as long as the connection holds.
func sender(w http.ResponseWriter, l conn) func([]byte) {
	return func(p []byte) {
		if l.broken() {
			drop()
		}
		if _, err := w.Write(p); err != nil {
			drop()
		}
	}
}

func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }
