package gateway

import (
	"crypto/sha256"
	"strings"

	"esagate/internal/fault"
	"esagate/registry"
)

const (
	headerIdempotencyKey = "Idempotency-Key"
	maxIdempotencyKey    = 255
)

// idempotency reads Idempotency-Key; nil without one.
func idempotency(r *request) (*registry.IdempotencyRecord, error) {
	values := r.Header[headerIdempotencyKey]
	if len(values) == 0 {
		return nil, nil
	}
	key := values[0]
	hidden := func(c rune) bool { return c < '!' || c > '~' }
	if len(values) > 1 || key == "" || len(key) > maxIdempotencyKey || strings.ContainsFunc(key, hidden) {
		return nil, fault.Invalid(fault.Issue{Path: "header." + headerIdempotencyKey,
			Message: "Idempotency-Key must be given once and be 1 to 255 visible ASCII characters."})
	}
	return &registry.IdempotencyRecord{Key: key}, nil
}

// fingerprint is a hash of all that a request asks for.
func fingerprint(r *request, body []byte) [sha256.Size]byte {
	h := sha256.New()
	for _, part := range []string{r.Method, r.route, r.URL.Path} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(body)
	return [sha256.Size]byte(h.Sum(nil))
}
