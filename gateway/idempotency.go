package gateway

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"

	"esagate/internal/fault"
	"esagate/internal/operations"
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
	if r.URL.RawQuery != "" {
		asked = fmt.Appendf(asked, "\x00%s", r.URL.RawQuery)
	}
	return &registry.IdempotencyRecord{Key: values[0], Fingerprint: sha256.Sum256(asked)}, nil
}

// A result is what a request that may be repeated came to.
type result struct {
	status   int
	document []byte
}

// unknownResult is kept of a request of which nobody knows whether it was done.
var unknownResult = result{status: http.StatusConflict}

var errUnknownResult = fault.New(fault.Conflict, "It is not known whether the first request with this Idempotency-Key was done. "+
	"Look whether it was; to ask for it once more, use another key.")

// kept gives a result as it is kept: a document alone is one of 200.
func (o result) kept() []byte {
	if o.status == http.StatusOK {
		return o.document
	}
	return fmt.Appendf(nil, "%d %s", o.status, o.document)
}

// keptResult reads what kept gave. A document is a JSON object, so it begins with no digit.
func keptResult(kept []byte) result {
	if word, document, ok := bytes.Cut(kept, []byte(" ")); ok {
		if status, err := strconv.Atoi(string(word)); err == nil {
			return result{status, document}
		}
	}
	return result{http.StatusOK, kept}
}

// once does what a request asks for, unless an earlier one with its Idempotency-Key has: then it gives what
// came of that. once is nil without a key. One that failed may be repeated; but where lasts says that what is done
// stays done, not one that may have reached the sales agent all the same, which would make a thing twice.
func (g *Gateway) once(r *request, once *registry.IdempotencyRecord, lasts bool, do func() (result, error)) (result, error) {
	if once == nil {
		return do()
	}
	ctx, customer := detached(r), r.caller.CustomerID
	once.Pending = g.cfg.ProbeTimeout + probeMargin
	if lasts { // what a crash left undecided is never done again
		once.Pending = registry.IdempotencyKept
	}
	claim, err := g.deps.Directory.ClaimIdempotencyKey(ctx, customer, *once)
	if err != nil {
		return result{}, err
	}
	if claim.Replayed {
		before := keptResult(claim.Answer)
		if before.status == unknownResult.status {
			return result{}, errUnknownResult
		}
		return before, nil
	}
	now, err := do()
	switch {
	case err == nil:
		g.keepAnswer(r, once, now.kept())
	case operations.Undecided(err):
		g.keepAnswer(r, once, unknownResult.kept())
	default: // if this fails, a repetition waits until Pending is over
		_ = g.deps.Directory.ReleaseIdempotencyKey(ctx, customer, once.Key)
	}
	return now, err
}
