package upstream_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	key    = "kiosk-key-CANARY-31f7"
	tenant = "tnt_kiosk"
	other  = "tnt_harbour"
)

// rig is a client and a simulated sales agent in a synctest bubble, with the client's logs,
// metrics and spans.
type rig struct {
	t      *testing.T
	agent  *ut.Agent
	client *upstream.Client
	log    *lockedBuffer
	meter  *sdkmetric.ManualReader
	spans  *tracetest.InMemoryExporter

	calls     *counted
	transport *http.Transport
	network   atomic.Int32 // whether connections can be made

	mu        sync.Mutex
	recovered []string
	took      []time.Duration    // by calls
	outages   []bool             // as OnOutage told
	others    []*upstream.Client // that hear of them
	conns     []*quietConn       // all that were made
}

// States of the network.
const (
	up      int32 = iota
	refused       // at once
	silent        // after 5 s, as newTransport's dialer gives up
)

// run runs a test with a rig in a bubble of its own.
func run(t *testing.T, cfg upstream.Config, f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newRigOf(t, cfg, ut.Options{})) })
}

// newRigOf makes a rig with an agent of these options, and two tenants. It needs a bubble.
func newRigOf(t *testing.T, cfg upstream.Config, options ut.Options) *rig {
	t.Helper()
	options.APIKey, options.CacheFor = key, -1
	agent := ut.New(options)
	for _, id := range []string{tenant, other} {
		add(agent, id)
	}
	server, dial := agent.Pipe()
	// Without keep-alive each attempt is one request: net/http repeats one by
	// itself when a connection that it reuses turns out to be closed.
	var r *rig
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		switch r.network.Load() {
		case refused:
			return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
		case silent:
			time.Sleep(5 * time.Second)
			return nil, &net.OpError{Op: "dial", Err: timeoutError{}}
		}
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		quiet := &quietConn{Conn: conn}
		r.conns = append(r.conns, quiet)
		return quiet, nil
	}}
	t.Cleanup(func() {
		time.Sleep(5 * time.Second) // dials end
		transport.CloseIdleConnections()
		agent.Close()
		_ = server.Close()
	})
	cfg.BaseURL = server.URL()
	calls := &counted{RoundTripper: transport}
	r = newRig(t, cfg, calls)
	r.agent, r.calls, r.transport = agent, calls, transport
	return r
}

// runEach runs a subtest with a rig for each row of a table.
func runEach[C any](t *testing.T, rows map[string]C, cfg upstream.Config, f func(t *testing.T, r *rig, c C)) {
	t.Helper()
	for name, c := range rows {
		t.Run(name, func(t *testing.T) { run(t, cfg, func(t *testing.T, r *rig) { f(t, r, c) }) })
	}
}

func add(agent *ut.Agent, id string) {
	agent.SetTenant(ut.Tenant{
		ID: id, ExternalOrgID: "org-" + id, Active: true, Status: ut.Healthy(),
		AdServer: ut.AdServer{Type: "google_ad_manager", NetworkCode: "4455", Configured: true},
	})
}

// publishers makes n more tenants.
func (r *rig) publishers(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("tnt_%02d", i))
		add(r.agent, ids[i])
	}
	return ids
}

// newRig makes a client with the gateway's defaults for what a test leaves out. It is closed
// at the end of the test; nothing that it has written may then hold a secret.
func newRig(t *testing.T, cfg upstream.Config, transport http.RoundTripper) *rig {
	t.Helper()
	b := &cfg.Breaker
	*b = upstream.BreakerConfig{
		ConsecutiveFailures: cmp.Or(b.ConsecutiveFailures, 5), MinimumRequests: cmp.Or(b.MinimumRequests, 20),
		FailureRatio: 0.5, Window: 30 * time.Second, OpenFor: 30 * time.Second,
	}
	cfg.APIKey = key
	cfg.Attempts, cfg.Timeout = cmp.Or(cfg.Attempts, 3), 3*time.Second
	cfg.FetchTimeout, cfg.ProbeTimeout = cmp.Or(cfg.FetchTimeout, 10*time.Second), cmp.Or(cfg.ProbeTimeout, 75*time.Second)
	r := &rig{t: t, log: &lockedBuffer{}, meter: sdkmetric.NewManualReader(), spans: tracetest.NewInMemoryExporter()}
	client, err := upstream.New(cfg, upstream.Deps{
		Transport:      transport,
		Logger:         slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		MeterProvider:  sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.meter)),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans)),
		OnRecover:      func(id string) { r.mu.Lock(); defer r.mu.Unlock(); r.recovered = append(r.recovered, id) },
		OnOutage:       func(began bool) { r.tellOthers(began) },
		OnCall:         func(took time.Duration) { r.mu.Lock(); defer r.mu.Unlock(); r.took = append(r.took, took) },
	})
	if err != nil {
		t.Fatal(err)
	}
	r.client = client
	t.Cleanup(func() {
		client.Close()
		r.assertNoSecrets()
	})
	return r
}

// status reads a tenant's status and checks what errors must never hold.
func (r *rig) status(id string) *fault.Error {
	r.t.Helper()
	doc, err := r.client.Status(context.Background(), id)
	if err == nil && doc == nil {
		r.t.Error("neither a document nor an error")
	}
	return r.fault(err)
}

func (r *rig) fault(err error) *fault.Error {
	r.t.Helper()
	if err == nil {
		return nil
	}
	var e *fault.Error
	if !errors.As(err, &e) {
		r.t.Fatalf("no *fault.Error: %v", err)
	}
	texts := []string{err.Error(), e.Message}
	for _, i := range e.Issues {
		texts = append(texts, i.Path, i.Message)
	}
	for _, text := range texts {
		for _, no := range []string{"CANARY", key, "http://", "/api/v1"} {
			if strings.Contains(text, no) {
				r.t.Errorf("an error holds %q: %s", no, text)
			}
		}
	}
	return e
}

// must asserts the reason of a failed status read.
func (r *rig) must(id string, want fault.Reason) *fault.Error {
	r.t.Helper()
	e := r.status(id)
	if e == nil || e.Reason != want {
		r.t.Fatalf("got %v, want %s", e, want)
	}
	return e
}

// fails makes n status reads that all fail for the reason.
func (r *rig) fails(n int, id string, want fault.Reason) {
	r.t.Helper()
	for range n {
		r.must(id, want)
	}
}

// works asserts that status reads succeed.
func (r *rig) works(ids ...string) {
	r.t.Helper()
	for _, id := range ids {
		if e := r.status(id); e != nil {
			r.t.Fatalf("failed: %v", e)
		}
	}
}

func (r *rig) recoveries() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.recovered...)
}

// assertNoSecrets looks for secrets in logs, spans and metrics.
func (r *rig) assertNoSecrets() {
	r.t.Helper()
	all := fmt.Sprintf("%s %+v %v", r.log, r.spans.GetSpans(), r.metrics())
	for _, no := range []string{"CANARY", "hunter2", key} {
		if i := strings.Index(all, no); i >= 0 {
			r.t.Errorf("%q was written: %.200s", no, all[max(0, i-80):])
		}
	}
}

// metrics returns every number by its instrument and attributes: "name{a=b}".
func (r *rig) metrics() map[string]float64 {
	r.t.Helper()
	var rm metricdata.ResourceMetrics
	if err := r.meter.Collect(context.Background(), &rm); err != nil {
		r.t.Fatal(err)
	}
	out := map[string]float64{}
	for _, s := range rm.ScopeMetrics {
		for _, m := range s.Metrics {
			add := func(attributes attribute.Set, n float64) {
				out[m.Name+"{"+attributes.Encoded(attribute.DefaultEncoder())+"}"] = n
			}
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, float64(p.Value))
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					add(p.Attributes, float64(p.Count))
					out[m.Name+"_sum{"+p.Attributes.Encoded(attribute.DefaultEncoder())+"}"] = p.Sum
				}
			}
		}
	}
	return out
}

// metric asserts a number of metrics.
func (r *rig) metric(name string, want float64) {
	r.t.Helper()
	if got := r.metrics()[name]; got != want {
		r.t.Errorf("%s is %v, want %v", name, got, want)
	}
}

// lockedBuffer is a log that may be written and read at once.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// counted counts the calls under way, until their answer was read.
type counted struct {
	http.RoundTripper
	mu        sync.Mutex
	now, most int
}

func (c *counted) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += n
	c.most = max(c.most, c.now)
}

func (c *counted) RoundTrip(q *http.Request) (*http.Response, error) {
	c.add(1)
	resp, err := c.RoundTripper.RoundTrip(q)
	if err != nil {
		c.add(-1)
		return nil, err
	}
	resp.Body = countedBody{resp.Body, c}
	return resp, nil
}

type countedBody struct {
	io.ReadCloser
	c *counted
}

func (b countedBody) Close() error {
	b.c.add(-1)
	return b.ReadCloser.Close()
}

func (c *counted) CloseIdleConnections() {
	if t, ok := c.RoundTripper.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// silence makes every connection that there is dead: nothing comes or goes over it any more,
// as when a firewall has forgotten it.
func (r *rig) silence() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.quiet.Store(true)
	}
}

type quietConn struct {
	net.Conn
	quiet atomic.Bool
}

func (c *quietConn) Read(p []byte) (int, error) {
	for {
		n, err := c.Conn.Read(p)
		if err != nil || !c.quiet.Load() {
			return n, err
		}
	}
}

func (c *quietConn) Write(p []byte) (int, error) {
	if c.quiet.Load() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

// roundTrip is a transport of one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// respond makes an answer; header holds names and values in turn.
func respond(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}
