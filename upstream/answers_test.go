package upstream_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

// Of a body that is too large, nothing past the limit is read, and nothing at all if its
// length was announced.
func TestReadingStopsAtTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		status    int
		announced int64
		most      int64
	}{
		"a document":            {200, -1, 8<<20 + 1},
		"an announced document": {200, 1 << 30, 0},
		"an error":              {500, -1, 64<<10 + 1},
	} {
		t.Run(name, func(t *testing.T) {
			body := &endless{}
			alone(t, upstream.Config{Attempts: 1}, func(*http.Request) (*http.Response, error) {
				resp := respond(c.status, "")
				resp.Body, resp.ContentLength = body, c.announced
				return resp, nil
			}, func(t *testing.T, r *rig) {
				if e := r.status(tenant); e == nil {
					t.Error("it counted")
				}
				if body.read > c.most || !body.closed {
					t.Errorf("%d bytes read, closed: %v", body.read, body.closed)
				}
			})
		})
	}
}

// endless is a body of spaces. It ends at last, so that the test of a wrong client does too.
type endless struct {
	read   int64
	closed bool
}

func (e *endless) Read(p []byte) (int, error) {
	if e.read > 64<<20 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	e.read += int64(len(p))
	return len(p), nil
}

func (e *endless) Close() error {
	e.closed = true
	return nil
}

func TestAnswersThatCount(t *testing.T) {
	runEach(t, map[string]ut.Fault{
		"1 MiB":             {Size: 1 << 20},
		"a charset":         {ContentType: "application/json; charset=utf-8"},
		"capital letters":   {ContentType: "Application/JSON"},
		"a bad parameter":   {ContentType: "application/json; charset"},
		"another JSON type": {ContentType: "application/vnd.agent+json"},
		"slow but in time":  {Drip: time.Millisecond},
	}, upstream.Config{}, func(t *testing.T, r *rig, f ut.Fault) {
		r.agent.Fault(tenant, f)
		r.works(tenant)
	})
}

// Every wait ends with the reader, and all but that for the next attempt by the deadline.
func TestEveryWaitEnds(t *testing.T) {
	runEach(t, map[string]ut.Fault{
		"for an answer":     {Hang: true},
		"for a late answer": {Delay: time.Minute},
		"for a body":        {Drip: time.Second},
		"for the next try":  {Status: 429, RetryAfter: "2"},
	}, upstream.Config{FetchTimeout: 7 * time.Second}, func(t *testing.T, r *rig, f ut.Fault) {
		r.agent.Fault(tenant, f)
		start := time.Now()
		if f.Status == 0 {
			e := r.must(tenant, fault.UpstreamTimeout)
			if took := time.Since(start); took != 7*time.Second || !errors.Is(e, context.DeadlineExceeded) {
				t.Errorf("after %v: %v", took, e)
			}
			r.metric("esagate.upstream.retries{operation=status}", 0)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(1500*time.Millisecond, cancel)
		start = time.Now()
		_, err := r.client.Status(ctx, tenant)
		if took := time.Since(start); took != 1500*time.Millisecond {
			t.Errorf("returned after %v", took)
		}
		if e := r.fault(err); !errors.Is(err, context.Canceled) || e.Kind != fault.Unavailable {
			t.Errorf("%v", err)
		}
		r.metric("esagate.upstream.calls{operation=status,outcome=canceled}", 1)
	})
}

func TestCompressedAnswers(t *testing.T) {
	squeeze := func(text string) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, text)
		_ = w.Close()
		return b.Bytes()
	}
	good := squeeze(document())
	mega := strings.Repeat(" ", 1<<20)
	corrupt := bytes.Clone(good)
	corrupt[len(corrupt)-6] ^= 0xff // in the checksum
	for name, c := range map[string]struct {
		coding string
		body   []byte
		want   fault.Reason
	}{
		"good":                 {"gzip", good, ""},
		"bomb":                 {"gzip", squeeze(strings.Repeat(mega, 9) + document()), fault.UpstreamInvalidResponse},
		"bad checksum":         {"gzip", corrupt, fault.UpstreamInvalidResponse},
		"no gzip":              {"gzip", []byte(document()), fault.UpstreamInvalidResponse},
		"cut short":            {"gzip", good[:len(good)/2], fault.UpstreamInvalidResponse},
		"other coding":         {"br", good, fault.UpstreamInvalidResponse},
		"identity":             {"identity", []byte(document()), ""},
		"plain, padded":        {"", []byte(mega[:1<<20-len(document())] + document()), ""},
		"plain, 1 MiB and one": {"", []byte(mega[:1<<20-len(document())+1] + document()), fault.UpstreamInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if c.coding != "" {
					w.Header().Set("Content-Encoding", c.coding)
				}
				_, _ = w.Write(c.body)
			}))
			defer server.Close()
			r := newRig(t, upstream.Config{BaseURL: server.URL, Attempts: 1}, nil)
			if c.want == "" {
				r.works(tenant)
			} else {
				r.must(tenant, c.want)
			}
		})
	}
}
