package gateway

import (
	"crypto/sha256"
	"fmt"

	"esagate/internal/fault"
	"esagate/internal/word"
	"esagate/registry"
)

const headerIdempotencyKey = "Idempotency-Key"

// idempotency reads Idempotency-Key, which stands for all that a request asks for; nil
// without one.
func idempotency(r *request, body []byte) (*registry.IdempotencyRecord, error) {
	values := r.Header[headerIdempotencyKey]
	if len(values) == 0 {
		return nil, nil
	}
	if len(values) > 1 || !word.Key.Is(values[0]) {
		return nil, fault.Invalid(fault.Issue{Path: "header." + headerIdempotencyKey,
			Message: "Idempotency-Key must be given once and be 1 to 255 visible ASCII characters."})
	}
	asked := fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s", r.Method, r.route, r.URL.Path, body)
	return &registry.IdempotencyRecord{Key: values[0], Fingerprint: sha256.Sum256(asked)}, nil
}
