package upstream_test

import (
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"esagate/internal/fault"
	"esagate/upstream"
)

// entries is the body of a list of n tenants, none of them the wanted one, generated while
// it is read; tail follows the last of them.
func entries(n int, tail string) io.Reader { return listOf(n, "Another publisher", tail) }

func listOf(n int, name, tail string) io.Reader {
	one := `{"tenant_id":"tnt_other","name":"` + name + `","external_org_id":"31-80","external_source":"shopfront"},`
	parts := []io.Reader{strings.NewReader(`{"tenants":[`)}
	for range n {
		parts = append(parts, strings.NewReader(one))
	}
	return io.MultiReader(append(parts, strings.NewReader(tail))...)
}

// answerWith is a transport that answers once with a body of unknown length.
func answerWith(body func() io.Reader, header ...string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		resp := respond(200, "", header...)
		resp.Body, resp.ContentLength = io.NopCloser(body()), -1
		return resp, nil
	}
}

// Package wire tests which entries match, and which lists count.
func TestFindTenant(t *testing.T) {
	const wanted = `{"tenant_id":"tnt_ours","external_org_id":"31-8","external_source":"shopfront"}`
	const invalid = fault.UpstreamInvalidResponse
	for name, c := range map[string]struct {
		body   func() io.Reader
		header []string
		reason fault.Reason
	}{
		"found":            {func() io.Reader { return entries(5_000, wanted+`],"count":5001}`) }, nil, ""},
		"not found":        {func() io.Reader { return entries(2, `{}],"count":3}`) }, nil, fault.TenantNotFound},
		"cut short, found": {func() io.Reader { return entries(2, wanted+`]`) }, nil, invalid},
		"HTML":             {func() io.Reader { return strings.NewReader(`{"tenants":[]}`) }, []string{"Content-Type", "text/html"}, invalid},
		"a strange coding": {func() io.Reader { return entries(2, wanted+`]}`) }, []string{"Content-Encoding", "br"}, invalid},
		"more than 64 MiB": {func() io.Reader { return listOf(135, strings.Repeat("x", 500_000), wanted+`]}`) }, nil, invalid},
		"more than 64 MiB of spaces": {
			func() io.Reader { return io.MultiReader(strings.NewReader(`{"tenants":[]}`), &endless{}) }, nil, invalid},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, upstream.Config{Attempts: 1}, answerWith(c.body, c.header...), func(t *testing.T, r *rig) {
				found, err := r.client.FindTenant(t.Context(), "shopfront", "31-8")
				e := r.fault(err)
				if c.reason == "" && (err != nil || found.TenantID != "tnt_ours") ||
					c.reason != "" && (e == nil || e.Reason != c.reason || found != nil) {
					t.Errorf("%+v, %v", found, err)
				}
			})
		})
	}
}

// A list is not held: what is in memory at its end is a small part of it.
func TestFindTenantHoldsNoList(t *testing.T) {
	live := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var atEnd uint64
	end := measured(func() { atEnd = live() })
	alone(t, upstream.Config{Attempts: 1}, answerWith(func() io.Reader {
		return io.MultiReader(listOf(60, strings.Repeat("x", 500_000), `{}]`), end, strings.NewReader("}")) // 30 MB
	}), func(t *testing.T, r *rig) {
		before := live()
		_, err := r.client.FindTenant(t.Context(), "shopfront", "31-8")
		if e := r.fault(err); e == nil || e.Reason != fault.TenantNotFound {
			t.Fatal(err)
		}
		if atEnd == 0 || atEnd > before+8<<20 {
			t.Errorf("%d MiB more were in use at the end", int64(atEnd-before)>>20)
		}
	})
}

// measured is an empty part of a body, and called when it is read.
type measured func()

func (m measured) Read([]byte) (int, error) {
	m()
	return 0, io.EOF
}

// An answer that the transport cuts short is retried, also where the transport does not
// check the length itself.
func TestAnAnswerCutShortIsRetried(t *testing.T) {
	for name, spoil := range map[string]func(resp *http.Response){
		"a connection that breaks": func(resp *http.Response) {
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"ten`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		},
		"a length that is not reached": func(resp *http.Response) { resp.ContentLength++ },
	} {
		calls := 0
		alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
			resp := respond(200, `{"tenants":[{"tenant_id":"tnt_ours","external_org_id":"31-8"}]}`)
			if calls++; calls == 1 {
				spoil(resp)
			}
			return resp, nil
		}, func(t *testing.T, r *rig) {
			if _, err := r.client.FindTenant(t.Context(), "shopfront", "31-8"); calls != 2 || err != nil {
				t.Errorf("%s: %d calls, %v", name, calls, err)
			}
		})
	}
}
