package upstream_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
)

// entries is the body of a list of n tenants, none of them the wanted one, generated while
// it is read; tail follows the last of them.
func entries(n int, tail string) io.Reader { return listOf(n, "Another publisher", tail) }

// huge is such a list of more than 64 MiB.
func huge(tail string) io.Reader { return listOf(135, strings.Repeat("x", 500_000), tail) }

func listOf(n int, name, tail string) io.Reader {
	one := `{"tenant_id":"tnt_other","name":"` + name + `","external_org_id":"31-80","external_source":"shopfront","is_active":true},`
	return io.MultiReader(strings.NewReader(`{"tenants":[`), &repeated{what: one, times: n}, strings.NewReader(tail))
}

type repeated struct {
	what  string
	times int
	left  string
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == "" {
		if r.times == 0 {
			return 0, io.EOF
		}
		r.times--
		r.left = r.what
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

// answerWith is a transport that answers once with a body of unknown length.
func answerWith(body func() io.Reader, header ...string) roundTrip {
	return func(*http.Request) (*http.Response, error) {
		resp := respond(200, "", header...)
		resp.Body, resp.ContentLength = io.NopCloser(body()), -1
		return resp, nil
	}
}

func TestFindTenant(t *testing.T) {
	const wanted = `{"tenant_id":"tnt_ours","external_org_id":"31-8","external_source":"shopfront"}`
	long := func() io.Reader { return entries(5_000, wanted+`],"count":5001}`) }
	for name, c := range map[string]struct {
		body   func() io.Reader
		header []string
		id     string
		kind   fault.Kind
		reason fault.Reason
	}{
		"found":                     {func() io.Reader { return entries(2, wanted+`],"count":3}`) }, nil, "tnt_ours", 0, ""},
		"at the end of a long list": {long, nil, "tnt_ours", 0, ""},
		"not found":                 {func() io.Reader { return entries(2, `{}],"count":3}`) }, nil, "", fault.NotFound, fault.TenantNotFound},
		"an empty list":             {func() io.Reader { return strings.NewReader(`{"tenants":[],"count":0}`) }, nil, "", fault.NotFound, fault.TenantNotFound},
		"cut short":                 {func() io.Reader { return entries(2, `{}`) }, nil, "", fault.Unavailable, fault.UpstreamInvalidResponse},
		"cut short, found":          {func() io.Reader { return entries(2, wanted+`]`) }, nil, "", fault.Unavailable, fault.UpstreamInvalidResponse},
		"trailing text":             {func() io.Reader { return entries(2, wanted+`]} x`) }, nil, "", fault.Unavailable, fault.UpstreamInvalidResponse},
		"no list":                   {func() io.Reader { return strings.NewReader(`{"count":0}`) }, nil, "", fault.Unavailable, fault.UpstreamInvalidResponse},
		"HTML": {func() io.Reader { return strings.NewReader(`<html>`) }, []string{"Content-Type", "text/html"}, "",
			fault.Unavailable, fault.UpstreamInvalidResponse},
		"a strange coding": {func() io.Reader { return entries(2, wanted+`]}`) }, []string{"Content-Encoding", "br"}, "",
			fault.Unavailable, fault.UpstreamInvalidResponse},
		"more than 64 MiB": {func() io.Reader { return huge(wanted + `]}`) }, nil, "", fault.Unavailable, fault.UpstreamInvalidResponse},
		"more than 64 MiB of spaces": {func() io.Reader { return io.MultiReader(strings.NewReader(`{"tenants":[]}`), &endless{}) }, nil, "",
			fault.Unavailable, fault.UpstreamInvalidResponse},
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, upstream.Config{Attempts: 1}, answerWith(c.body, c.header...), func(t *testing.T, r *rig) {
				found, err := r.client.FindTenant(t.Context(), "shopfront", "31-8")
				e := r.fault(err)
				switch {
				case c.id != "" && (err != nil || found.TenantID != c.id):
					t.Errorf("%+v, %v", found, err)
				case c.id == "" && (e == nil || found != nil || e.Kind != c.kind || e.Reason != c.reason):
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

// A tenant of an unnamed source matches; one of another source does not.
func TestFindTenantOfAnySource(t *testing.T) {
	var query string
	alone(t, upstream.Config{}, func(q *http.Request) (*http.Response, error) {
		query = q.URL.RawQuery
		return respond(200, `{"tenants":[{"tenant_id":"tnt_a","external_org_id":"31-8","external_source":"elsewhere"},{"tenant_id":"tnt_b","external_org_id":"31-8"}]}`), nil
	}, func(t *testing.T, r *rig) {
		found, err := r.client.FindTenant(t.Context(), "a&b=c", "31-8")
		if err != nil || found.TenantID != "tnt_b" || query != "external_source=a%26b%3Dc" {
			t.Errorf("%+v, %v, asked %s", found, err, query)
		}
	})
}

// An answer that the transport cuts short is retried, also where the transport does not
// check the length itself. One that arrives whole and is invalid is not.
func TestWhichAnswersAreRetried(t *testing.T) {
	const good = `{"tenants":[{"tenant_id":"tnt_ours","external_org_id":"31-8"}]}`
	for name, c := range map[string]struct {
		spoil func(resp *http.Response)
		want  int
	}{
		"a connection that breaks": {func(resp *http.Response) {
			resp.Body, resp.ContentLength = io.NopCloser(io.MultiReader(strings.NewReader(`{"ten`), failing{io.ErrUnexpectedEOF})), -1
		}, 2},
		"a length that is not reached": {func(resp *http.Response) { resp.ContentLength++ }, 2},
		"a document that breaks": {func(resp *http.Response) {
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(`{"tenants":[}`)), -1
		}, 1},
		"a 502": {func(resp *http.Response) { resp.StatusCode = 502 }, 2},
	} {
		for call, read := range map[string]func(r *rig) error{
			"list": func(r *rig) error {
				_, err := r.client.FindTenant(context.Background(), "shopfront", "31-8")
				return err
			},
			"status": func(r *rig) error {
				_, err := r.client.Status(context.Background(), tenant)
				return err
			},
		} {
			calls := 0
			alone(t, upstream.Config{}, func(*http.Request) (*http.Response, error) {
				resp := respond(200, map[string]string{"list": good, "status": document()}[call])
				if calls++; calls == 1 {
					c.spoil(resp)
				}
				return resp, nil
			}, func(t *testing.T, r *rig) {
				if err := read(r); calls != c.want || (err == nil) != (c.want == 2) {
					t.Errorf("%s, %s: %d calls, %v", call, name, calls, err)
				}
			})
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
