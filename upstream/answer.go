package upstream

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"esagate/internal/background"
	"esagate/upstream/wire"
)

const (
	maxDocument int64 = 8 << 20  // bytes of an answer, decompressed
	maxStatus   int64 = 1 << 20  // of a status
	maxProblem  int64 = 64 << 10 // bytes of an error answer that are read
)

// answer is an answer that is no success, as it came; body is nil when it could not be read.
type answer struct {
	status  int
	header  http.Header
	body    []byte
	problem *wire.Problem // that it tells, without the call's credentials; nil when its body has no known shape
	call    *call         // that it answers
}

// exchange sends the request, reads the whole answer and judges it.
func (c *Client) exchange(r *http.Request, cl *call) (f *failure) {
	if cl.attempts == 1 && cl.repeats() {
		c.budget.read()
	}
	s := cl.sent
	resp, err := c.transport.RoundTrip(s.watch(r))
	if err != nil {
		f := lost(r.Context(), err)
		if f.outcome == outcomeTimeout && s.silent() {
			c.closeIdle() // the next attempt takes a new one
		}
		if s.impossible(err) {
			neverSent(f)
			if f.blame == blameTenant {
				f.blame = blameUpstream
			}
		}
		return f
	}
	defer resp.Body.Close()
	// What makes a decoder panic is an answer that does not count.
	err = background.Guard(r.Context(), c.log, "judge_"+string(cl.op), func(ctx context.Context) error {
		f = judge(ctx, cl, resp)
		return nil
	})
	if err != nil {
		return failed(outcomeInvalid, blameTenant, err)
	}
	return f
}

// judge reads an answer and judges it.
func judge(ctx context.Context, cl *call, resp *http.Response) *failure {
	switch {
	case !cl.accepts(resp.StatusCode):
		return judgeProblem(ctx, cl, resp)
	case cl.done && (cl.accept == nil || saysNothing(resp)):
		return nil
	case !isJSON(resp.Header.Get("Content-Type")):
		return failed(outcomeInvalid, blameTenant, errContentType)
	}
	body := boundBody(resp, cmp.Or(cl.most, maxDocument))
	err := cl.decode(body)
	f := (*failure)(nil)
	switch {
	case body.lost():
		return cutShort(ctx, body.err)
	case body.err != nil:
		return failed(outcomeInvalid, blameTenant, body.err)
	case errors.As(err, &f):
		return f
	case err != nil:
		return failed(outcomeInvalid, blameTenant, err)
	}
	return nil
}

// saysNothing reports whether an answer has no body, or one that may be passed over: a page comes from something
// before upstream, which has done nothing.
func saysNothing(resp *http.Response) bool {
	return resp.StatusCode == http.StatusNoContent || resp.ContentLength == 0 || isJSON(resp.Header.Get("Content-Type"))
}

// judgeProblem judges an answer that is no success; without a body, by its status alone.
func judgeProblem(ctx context.Context, cl *call, resp *http.Response) *failure {
	body := boundBody(resp, maxProblem)
	text, err := io.ReadAll(body)
	switch {
	case body.lost():
		return cutShort(ctx, err)
	case err != nil:
		text = nil
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: text, call: cl}
	if problem, err := wire.DecodeError(text); err == nil {
		credentialsOf(cl.secrets).clean(problem)
		a.problem = problem
	}
	if cl.judge != nil {
		return cl.judge(a)
	}
	return answered(a)
}

var (
	errTooLarge    = errors.New("the answer is too large")
	errEncoding    = errors.New("the answer's compression is broken or unknown")
	errContentType = errors.New("the answer is not JSON by its content type")
)

// boundedBody reads a body up to a limit. Past it nothing more is read, and the connection
// is given up.
type boundedBody struct {
	io.LimitedReader       // of one byte more than the limit
	missing          int64 // bytes of the announced length that have not come
	err              error // why it can't be read on; nil at its end
}

func boundBody(resp *http.Response, limit int64) *boundedBody {
	b := &boundedBody{LimitedReader: io.LimitedReader{R: resp.Body, N: limit + 1}, missing: resp.ContentLength}
	coding := resp.Header.Get("Content-Encoding") // the transport has undone the one that it asks for
	switch {
	case coding != "" && !strings.EqualFold(coding, "identity"):
		b.err = errEncoding
	case resp.ContentLength > limit:
		b.err = errTooLarge
	}
	return b
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (n int, err error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err = b.LimitedReader.Read(p)
	b.missing -= int64(n)
	switch {
	case b.N == 0:
		err = errTooLarge
	case err == io.EOF && b.missing > 0: // net/http sees this itself; other transports may not
		err = io.ErrUnexpectedEOF
	}
	if err != io.EOF {
		b.err = err
	}
	return n, err
}

// lost reports whether the connection ended before the body did.
func (b *boundedBody) lost() bool {
	return b.err != nil && !errors.Is(b.err, errTooLarge) && !errors.Is(b.err, errEncoding)
}

// cutShort is the failure of an answer that began and did not end. Unless its time was
// up, what came can't be used; another connection may do better.
func cutShort(ctx context.Context, err error) *failure {
	f := lost(ctx, err)
	if f.outcome == outcomeUnreachable {
		retry := f.retry
		f = failed(outcomeInvalid, blameTenant, f.err.Cause)
		f.retry = retry
	}
	return f
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	// An unreadable parameter leaves the media type readable.
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) &&
		(media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
