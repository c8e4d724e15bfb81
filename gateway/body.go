package gateway

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"esagate/internal/fault"
)

// firstPiece is as much memory as a body gets before any of it has come; the rest follows
// as it comes, at most as much as there is already.
const firstPiece = 4 << 10

// restTimeout is for a body that the answer does not depend on.
const restTimeout = 500 * time.Millisecond

// readBody reads a request's whole body, of at most limit bytes. What a caller's body holds in
// memory counts until the request has been answered (see bodyBudget); a body of nobody known is
// bounded by its limit and by the connections. The request keeps the Body that the
// server gave it: behind another one the server does not see that the client waits for a 100 (Continue),
// and waits for the content of a request that was refused without reading it.
func readBody(r *request, limit int64) ([]byte, error) {
	most := limit + 1 // one more byte than there is, so that the end is seen
	switch {
	case r.ContentLength > limit:
		return nil, errTooLarge
	case r.ContentLength >= 0:
		most = r.ContentLength + 1
	}
	content := http.MaxBytesReader(nil, r.Body, limit)
	var body []byte
	for {
		if len(body) == cap(body) {
			grown, err := r.grow(body, most)
			if err != nil {
				return nil, err
			}
			body = grown
		}
		n, err := content.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			r.bodyRead = true
			return body, nil
		case err != nil:
			return nil, bodyFault(r, err)
		}
	}
}

// grow moves what has come of a body to memory of twice the size, of at most most bytes.
func (r *request) grow(body []byte, most int64) ([]byte, error) {
	had := int64(cap(body))
	size := min(max(2*had, firstPiece), most)
	if r.caller != nil {
		count := max(size, leastCounted)
		if had == 0 && r.ContentLength > 0 && !r.bodies.fits(r.quota, most) || !r.bodies.take(r.quota, count) {
			return nil, errBodiesFull
		}
		r.releaseBody()
		r.bodyBytes = count
	}
	return append(make([]byte, 0, size), body...), nil
}

// releaseBody gives back what the request's body held.
func (r *request) releaseBody() {
	if r.bodyBytes > 0 {
		r.bodies.give(r.quota, r.bodyBytes)
	}
}

// abandonBody sees to it that a body that was not read when the answer begins is not waited for.
// Where it is short and its client known, what is on its way is taken and the connection goes on.
func (r *request) abandonBody(w http.ResponseWriter) {
	if r.ContentLength == 0 || r.bodyRead {
		return
	}
	if r.caller == nil || r.ContentLength < 0 || r.ContentLength > firstPiece {
		w.Header().Set("Connection", "close") // else net/http reads up to 256 KiB before it answers
	}
	// After the answer it reads as much in any case, so that the client does not meet a reset instead.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(restTimeout))
}

// bodyFault says why a body can't be read.
func bodyFault(r *request, err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return errTooLarge
	case r.Context().Err() != nil && !errors.Is(err, os.ErrDeadlineExceeded): // a slow client is still there
		return r.Context().Err()
	}
	return fault.Wrap(fault.BadRequest, "The request's body did not come in whole.", err)
}

// joinIssues gives the faults of a request's parts in one error: all issues in the
// order of the parts, or the error of a part that can't be read at all.
func joinIssues(parts ...error) error {
	var issues []fault.Issue
	for _, err := range parts {
		if err == nil {
			continue
		}
		f := fault.As(err)
		if f.Kind != fault.Validation {
			return err
		}
		issues = append(issues, f.Issues...)
	}
	if len(issues) == 0 {
		return nil
	}
	return fault.Invalid(issues...)
}
