package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"sync"
)

// Body is an encoded document, shared by all its readers. Its header values are
// made once, so that a reader allocates none; they must not be changed.
type Body struct {
	Plain    []byte
	Length   []string // Content-Length of Plain
	ETag     []string // of Plain, strong but for NewWeakBody
	GzipETag []string // of what Gzip gives

	compress   sync.Once
	gzip       []byte
	gzipLength []string
}

// NewBody makes the body of an encoded document, which must not change afterwards.
func NewBody(plain []byte) *Body {
	sum := sha256.Sum256(plain)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	return &Body{
		Plain: plain, Length: []string{strconv.Itoa(len(plain))},
		ETag: []string{`"` + tag + `"`}, GzipETag: []string{`"` + tag + `-gzip"`},
	}
}

// NewWeakBody makes a body with a weak tag, which is that of all bodies with the same judged:
// what of plain counts as a difference.
func NewWeakBody(plain, judged []byte) *Body {
	b := NewBody(judged)
	b.ETag[0] = "W/" + b.ETag[0]
	b.Plain, b.Length, b.GzipETag = plain, []string{strconv.Itoa(len(plain))}, b.ETag
	return b
}

// Gzip gives the compressed form and its Content-Length; it is made when first asked for.
func (b *Body) Gzip() (content []byte, length []string) {
	b.compress.Do(func() {
		var out bytes.Buffer
		w := gzipWriters.Get().(*gzip.Writer)
		defer gzipWriters.Put(w)
		w.Reset(&out)
		_, _ = w.Write(b.Plain) // a bytes.Buffer does not fail
		_ = w.Close()
		b.gzip, b.gzipLength = out.Bytes(), []string{strconv.Itoa(out.Len())}
	})
	return b.gzip, b.gzipLength
}

// gzipWriters are kept because a new one costs hundreds of kilobytes.
var gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// Enveloped wraps an encoded document as a success (contract 8.1).
func Enveloped(document []byte) []byte {
	wrapped := make([]byte, 0, len(document)+32)
	wrapped = append(wrapped, `{"data":`...)
	wrapped = append(wrapped, document...)
	return append(wrapped, `,"error":null}`...)
}
