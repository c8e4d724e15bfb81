package gateway_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

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
// check, registry, snapshot, headers, metrics.
func BenchmarkCachedStatus(b *testing.B) {
	agent := upstreamtest.New(upstreamtest.Options{APIKey: agentKey})
	defer agent.Close()
	agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.Healthy()})
	w := start(b, setup{database: filepath.Join(b.TempDir(), "bench.db"), fresh: time.Hour, logLevel: "info"}, agent)
	defer w.stop()
	for name, encoding := range map[string]string{"plain": "", "gzip": "gzip"} {
		b.Run(name, func(b *testing.B) {
			r := request("GET", statusOf, readKey, "")
			if encoding != "" {
				r.Header.Set("Accept-Encoding", encoding)
			}
			out := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(out.header)
				w.gateway.ServeHTTP(out, r)
			}
			if out.status != http.StatusOK {
				b.Fatal(out.status)
			}
		})
	}
}
