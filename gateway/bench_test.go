package gateway_test

import (
	"net/http"
	"path/filepath"
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
