package gateway_test

import (
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"esagate/gateway"
	"esagate/internal/auth"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/registry/sqlstore"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	"esagate/upstream"
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
	agent.SetTenant(upstreamtest.Tenant{ID: tenant, Active: true, Status: upstreamtest.Healthy()})
	server, err := agent.Listen("127.0.0.1:0")
	must(b, err)
	defer func() { _ = server.Close() }()
	ctx := context.Background()
	tel, err := telemetry.Start(ctx, telemetry.Config{LogFormat: "json", LogLevel: "info", Version: "bench"}, io.Discard)
	must(b, err)
	instruments, err := telemetry.NewInstruments(tel.MeterProvider)
	must(b, err)
	store, err := sqlstore.Open(ctx, "sqlite://"+filepath.Join(b.TempDir(), "bench.db"))
	must(b, err)
	defer func() { _ = store.Close() }()
	directory := registry.NewDirectory(store, registry.DirectoryOptions{})
	defer directory.Close()
	_, err = store.Adopt(ctx, registry.ConfigSource{CustomerID: customer, SourceID: source, Name: "Meadow", TenantID: tenant})
	must(b, err)
	tasks, _ := transform.NewTasks(nil)
	client, err := upstream.New(upstream.Config{BaseURL: server.URL(), APIKey: agentKey, Attempts: 3, FetchTimeout: 10 * time.Second,
		Breaker: upstream.BreakerConfig{ConsecutiveFailures: 5, MinimumRequests: 20, FailureRatio: 0.5, Window: 30 * time.Second, OpenFor: 30 * time.Second},
	}, upstream.Deps{Logger: tel.Logger, MeterProvider: tel.MeterProvider, TracerProvider: tel.TracerProvider, Propagator: tel.Propagator})
	must(b, err)
	defer client.Close()
	callers, err := auth.New(ctx, auth.Config{Keys: []auth.Key{{Name: "reader", CustomerID: customer, SHA256: sha256.Sum256([]byte(readKey))}}},
		auth.Deps{Store: store, Logger: tel.Logger})
	must(b, err)
	defer callers.Close(ctx)
	statuses := status.New(status.Config{
		Limits: snapshot.Limits{
			Fresh: time.Hour, StaleWhileRevalidate: time.Hour, StaleIfError: time.Hour,
			Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, Entries: 100,
		},
	}, status.Deps{Directory: directory, Upstream: client, Tasks: tasks, Logger: tel.Logger, Instruments: instruments})
	defer statuses.Close()
	g := gateway.New(gateway.Config{}, gateway.Deps{
		Directory: directory, Auth: callers, Upstream: client, Status: statuses, Logger: tel.Logger, Instruments: instruments,
		TracerProvider: tel.TracerProvider, Propagator: tel.Propagator, MetricsHandler: tel.MetricsHandler,
	})
	for name, encoding := range map[string]string{"plain": "", "gzip": "gzip"} {
		b.Run(name, func(b *testing.B) {
			r := newRecorder(statusOf).r
			if encoding != "" {
				r.Header.Set("Accept-Encoding", encoding)
			}
			w := &discard{header: http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				g.ServeHTTP(w, r)
			}
			if w.status != http.StatusOK {
				b.Fatal(w.status)
			}
		})
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
