package gateway_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/internal/ratelimit"
	"esagate/upstream/upstreamtest"
)

// discard is a ResponseWriter that costs next to nothing, so that the gateway's
// own share shows.
type discard struct {
	header http.Header
	status int
	bytes  int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(b []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	d.bytes += len(b)
	return len(b), nil
}

// BenchmarkCachedStatus is one cached read through the whole edge: matching, key
// check, limit, registry, snapshot, headers, metrics; without a limit, for comparison; and
// one that is refused for its limit.
func BenchmarkCachedStatus(b *testing.B) {
	agent := upstreamtest.New(upstreamtest.Options{APIKey: agentKey})
	defer agent.Close()
	agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.Healthy()})
	w := start(b, setup{database: filepath.Join(b.TempDir(), "bench.db"), fresh: time.Hour, logLevel: "info"}, agent)
	defer w.stop()
	limit := ratelimit.Limit{Rate: 1e9, Burst: 1e9}
	for _, c := range []struct {
		name, encoding string
		limit          ratelimit.Limit
		status         int
	}{
		{"plain", "", limit, http.StatusOK},
		{"gzip", "gzip", limit, http.StatusOK},
		{"plain, no limit", "", ratelimit.Limit{}, http.StatusOK},
		{"refused", "", ratelimit.Limit{Rate: 1e-9, Burst: 1}, http.StatusTooManyRequests},
	} {
		b.Run(c.name, func(b *testing.B) {
			w.limiter.SetLimits(ratelimit.Limits{Reads: c.limit})
			r := request("GET", statusOf, readKey, "")
			if c.encoding != "" {
				r.Header.Set("Accept-Encoding", c.encoding)
			}
			out := &discard{header: http.Header{}}
			w.gateway.ServeHTTP(out, r)
			b.ReportAllocs()
			for b.Loop() {
				clear(out.header)
				w.gateway.ServeHTTP(out, r)
			}
			if out.status != c.status {
				b.Fatal(out.status)
			}
		})
	}
}

// BenchmarkMediaBuys reads a page of 50 media buys that nobody has kept, in turn from the sales agent itself and
// through the gateway, which asks it: what the gateway adds is its whole way, the translation and both encodings of the
// answer included.
func BenchmarkMediaBuys(b *testing.B) {
	agent := upstreamtest.New(upstreamtest.Options{APIKey: agentKey})
	defer agent.Close()
	agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.Healthy()})
	buys := strings.Repeat("{"+strings.ReplaceAll(buyDoc, "§", "")+"},", 50)
	agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteMediaBuys, Body: `{"media_buys":[` + strings.TrimSuffix(buys, ",") + `],"count":50,"next_cursor":null}`})
	w := start(b, setup{database: filepath.Join(b.TempDir(), "bench.db"), fresh: time.Hour, logLevel: "info"}, agent)
	defer w.stop()
	server, dial := agent.Pipe()
	defer server.Close()
	transport := &http.Transport{DialContext: dial}
	defer transport.CloseIdleConnections()
	out := &discard{header: http.Header{}}
	var alone, through time.Duration
	for i := 0; b.Loop(); i++ {
		begun := time.Now()
		r, err := http.NewRequest("GET", fmt.Sprintf("%s%s/tenants/%s/media-buys?limit=50&principal_id=p%d", server.URL(), upstreamtest.BasePath, tenant, i), nil)
		w.must(err)
		r.Header.Set(upstreamtest.KeyHeader, agentKey)
		res, err := transport.RoundTrip(r)
		w.must(err)
		n, err := io.Copy(io.Discard, res.Body)
		w.must(err)
		_ = res.Body.Close()
		alone += time.Since(begun)

		asked := request("GET", fmt.Sprint(adServerOf, "/media-buys?principalId=p", i), readKey, "")
		begun = time.Now()
		clear(out.header)
		out.status, out.bytes = 0, 0
		w.gateway.ServeHTTP(out, asked)
		through += time.Since(begun)
		if out.status != 200 || out.bytes < 10_000 || n < 10_000 {
			b.Fatal(out.status, out.bytes, n)
		}
	}
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(each(alone), "alone-us")
	b.ReportMetric(each(through-alone), "added-us")
	b.ReportMetric(float64(through)/float64(alone), "times")
}
