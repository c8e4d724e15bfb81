package upstream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strings"

	"esagate/internal/background"
	"esagate/upstream/wire"
)

const (
	maxDocument = 8 << 20  // bytes of an answer, decompressed
	maxProblem  = 64 << 10 // bytes of an error answer that are read
)

// answer is an answer as it came; body is nil when it could not be read.
type answer struct {
	status   int
	header   http.Header
	body     []byte
	sent     []wire.Secret // the credentials in its request
	ofStatus bool          // of a status read or a probe: a 403 is about our key
}

// problem reads the body as an error, without what repeats a credential; nil when it
// has no known shape.
func (a answer) problem() *wire.Problem {
	p, err := wire.DecodeError(a.body)
	if err != nil {
		return nil
	}
	credentialsOf(a.sent).clean(p)
	return p
}

// exchange sends the request, reads the whole answer and judges it.
func (c *Client) exchange(r *http.Request, cl *call) *failure {
	if cl.attempts == 1 && cl.probes == nil && !cl.writes() {
		c.budget.read()
	}
	var s sending
	resp, err := c.transport.RoundTrip(s.watch(r))
	if err != nil {
		f := lost(r.Context(), err)
		if f.unsent = s.impossible(err); f.unsent && f.blame == blameTenant {
			f.blame = blameUpstream
		}
		return f
	}
	defer resp.Body.Close()
	return c.judge(r.Context(), cl, resp)
}

// judge reads an answer and judges it. What makes a decoder panic is an answer that does
// not count: it must not end the process, on whichever goroutine it is read.
func (c *Client) judge(ctx context.Context, cl *call, resp *http.Response) (f *failure) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("decoding an answer panicked", slog.String("operation", string(cl.op)),
				slog.Any("stack", background.Callers()))
			f = invalid(blameTenant, errPanicked)
		}
	}()
	accepted := cl.accepts(resp.StatusCode)
	limit := int64(maxDocument)
	switch {
	case accepted && cl.done:
		return nil
	case accepted && cl.stream != nil:
		return streamed(ctx, cl, resp)
	case !accepted:
		limit = maxProblem
	}
	body, err := readBody(resp, limit)
	unusable := errors.Is(err, errTooLarge) || errors.Is(err, errEncoding)
	switch {
	case err != nil && !unusable:
		return cutShort(ctx, err)
	case !accepted: // without a body the status says enough
		a := answer{resp.StatusCode, resp.Header, body, cl.secrets, cl.readsStatus()}
		if cl.judge != nil {
			return cl.judge(a)
		}
		return answered(a)
	case unusable:
		return invalid(blameTenant, err)
	case !isJSON(resp.Header.Get("Content-Type")):
		return invalid(blameTenant, errContentType)
	}
	if err := cl.decode(body); err != nil {
		return invalid(blameTenant, err)
	}
	return nil
}

var (
	errTooLarge    = errors.New("the answer is too large")
	errEncoding    = errors.New("the answer's compression is broken or unknown")
	errPanicked    = errors.New("the answer can't be decoded")
	errContentType = errors.New("the answer is not JSON by its content type")
)

// encoded reports whether a body is in a coding that the transport has not undone; it
// undoes the one that it asks for.
func encoded(resp *http.Response) bool {
	e := resp.Header.Get("Content-Encoding")
	return e != "" && !strings.EqualFold(e, "identity")
}

// readBody reads a body to its end, if that is within limit; past it nothing
// more is read, and the connection is given up.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	if encoded(resp) {
		return nil, errEncoding
	}
	if resp.ContentLength > limit {
		return nil, errTooLarge
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > limit:
		return nil, errTooLarge
	case int64(len(body)) < resp.ContentLength: // net/http sees this itself; other transports may not
		return nil, io.ErrUnexpectedEOF
	}
	return body, nil
}

// cutShort is the failure of an answer that began and did not end. Unless its time was
// up, what came can't be used; another connection may do better.
func cutShort(ctx context.Context, err error) *failure {
	f := lost(ctx, err)
	if f.outcome != outcomeUnreachable {
		return f
	}
	g := invalid(blameTenant, f.err.Cause)
	g.retry = f.retry
	return g
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	// An unreadable parameter leaves the media type readable.
	return (err == nil || errors.Is(err, mime.ErrInvalidMediaParameter)) &&
		(media == "application/json" || strings.HasPrefix(media, "application/") && strings.HasSuffix(media, "+json"))
}
