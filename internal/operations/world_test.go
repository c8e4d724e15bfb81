package operations_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/metric/noop"
	"go.uber.org/goleak"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/internal/lifecycle"
	"esagate/internal/operations"
	"esagate/internal/telemetry"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
	"esagate/snapshot"
	"esagate/status"
	"esagate/transform"
	"esagate/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	customer = 5520
	tenants  = "/api/v1/tenant-management/tenants/"
)

// world is a Service over a database and a scripted sales agent, on a fake clock.
type world struct {
	*testing.T
	store     *sqlstore.Store
	directory *registry.Directory
	client    *upstream.Client
	status    *status.Service
	lifecycle *lifecycle.Lifecycle
	service   *operations.Service
	stop      func()

	mu    sync.Mutex
	next  func(r *http.Request) (code int, body string) // what the sales agent answers
	took  time.Duration                                 // for each of its answers
	away  bool                                          // it can't be reached
	asked []string                                      // "PUT /signals/kv_tide?limit=5 {…}", in the order in which it was asked
}

// sources are those of the world, by sourceId: the type of their ad server.
var sources = map[string]string{"coast": "google_ad_manager", "cliff": "freewheel", "dune": "springserve", "isle": "google_ad_manager"}

// inWorld runs a test in a fresh world.
func inWorld(t *testing.T, body func(w *world)) { inWorldWith(t, operations.Config{}, body) }

func inWorldWith(t *testing.T, cfg operations.Config, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t}
		w.answers(200, `{}`)
		w.start(cfg)
		defer w.stop()
		body(w)
	})
}

func (w *world) start(cfg operations.Config) {
	secrets, err := vault.New(registrytest.Key)
	w.must(err)
	w.store, err = sqlstore.Open(w.Context(), "sqlite://"+filepath.Join(w.TempDir(), "registry.db"), sqlstore.WithVault(secrets))
	w.must(err)
	for id, kind := range sources {
		_, err := w.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: id, Name: id, TenantID: "tnt_" + id, AdServer: &registry.AdServer{Type: kind}})
		w.must(err)
	}
	_, err = w.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: "unplanned", Name: "Not yet"})
	w.must(err)
	_, err = w.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: "fog", Name: "On what?", TenantID: "tnt_fog"})
	w.must(err)
	log := slog.New(slog.DiscardHandler)
	w.directory = registry.NewDirectory(w.store, registry.DirectoryOptions{})
	limits := snapshot.Limits{Fresh: 5 * time.Second, StaleWhileRevalidate: time.Minute, StaleIfError: 15 * time.Minute,
		Patience: 300 * time.Millisecond, Timeout: 3 * time.Second, FetchTimeout: 10 * time.Second, Entries: 100}
	w.client, err = upstream.New(upstream.Config{BaseURL: "https://agent.example", APIKey: "k", Attempts: 1, Timeout: limits.Timeout,
		FetchTimeout: limits.FetchTimeout, ProbeTimeout: 75 * time.Second,
		Breaker: upstream.BreakerConfig{ConsecutiveFailures: 50, MinimumRequests: 200, FailureRatio: 0.9, Window: 30 * time.Second, OpenFor: 30 * time.Second},
	}, upstream.Deps{Transport: w, Logger: log})
	w.must(err)
	instruments, err := telemetry.NewInstruments(noop.NewMeterProvider())
	w.must(err)
	tasks, _ := transform.NewTasks(nil)
	w.lifecycle = lifecycle.New(lifecycle.Config{}, lifecycle.Deps{Directory: w.directory, Store: w.store, Upstream: w.client, Logger: log, Changed: func(*registry.Source) {}})
	w.status = status.New(status.Config{Limits: limits}, status.Deps{Directory: w.directory, Upstream: w.client, Tasks: tasks, Logger: log, Instruments: instruments,
		SyncFinished: func(context.Context, *registry.Source, time.Time, time.Time) {}, CheckTenant: func(*registry.Source) {}})
	cfg.Limits, cfg.ProbeTimeout = limits, 75*time.Second
	w.service = operations.New(cfg, operations.Deps{Directory: w.directory, Upstream: w.client, Status: w.status, Lifecycle: w.lifecycle, Logger: log, Instruments: instruments})
	w.stop = sync.OnceFunc(func() {
		ctx := context.Background()
		w.service.Close(ctx)
		w.lifecycle.Close(ctx)
		w.status.Close(ctx)
		w.client.Close()
		w.directory.Close()
		_ = w.store.Close()
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// RoundTrip implements http.RoundTripper: it is the sales agent.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), tenants), "/")
	asked := strings.TrimSuffix(strings.TrimSpace(r.Method+" /"+path+"?"+r.URL.RawQuery), "?")
	w.mu.Lock()
	away, took, next := w.away, w.took, w.next
	if !away {
		w.asked = append(w.asked, strings.TrimSpace(asked+" "+string(body)))
	}
	w.mu.Unlock()
	if away {
		return nil, &net.OpError{Op: "dial", Err: io.ErrUnexpectedEOF}
	}
	if background.Sleep(r.Context(), took); r.Context().Err() != nil {
		return nil, r.Context().Err()
	}
	rec := httptest.NewRecorder()
	seen := r.Clone(r.Context())
	seen.Body = io.NopCloser(bytes.NewReader(body))
	code, text := next(seen)
	rec.Header().Set("Content-Type", "application/json")
	rec.WriteHeader(code)
	_, _ = rec.WriteString(text)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// answers has the sales agent answer everything in one way.
func (w *world) answers(code int, body string) {
	w.answersBy(func(*http.Request) (int, string) { return code, body })
}

func (w *world) answersBy(next func(r *http.Request) (int, string)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next = next
}

func (w *world) takes(d time.Duration, away bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took, w.away = d, away
}

// calls gives what the sales agent was asked since it was last called.
func (w *world) calls() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	asked := w.asked
	w.asked = nil
	return asked
}

func (w *world) wantCalls(n int) {
	w.Helper()
	if calls := w.calls(); len(calls) != n {
		w.Errorf("the sales agent was asked %d times, want %d: %q", len(calls), n, calls)
	}
}

func (w *world) source(id string) *registry.Source {
	w.Helper()
	src, err := w.directory.ManagedSource(w.Context(), customer, id)
	w.must(err)
	return src
}

// change changes a source's connection.
func (w *world) change(id string, change func(c *registry.Connection)) {
	w.Helper()
	_, err := w.directory.ChangeConnection(w.Context(), customer, w.source(id).Connection.ID, func(s *registry.Source) (*registry.Connection, error) {
		c := *s.Connection
		change(&c)
		return &c, nil
	})
	w.must(err)
}

// request makes a request of a source. vars are names and values in turn.
func (w *world) request(id, query, body string, vars ...string) operations.Request {
	w.Helper()
	r := operations.Request{Source: w.source(id), Vars: map[string]string{"esaId": "1"}, Query: query, Body: []byte(body)}
	for i := 0; i < len(vars); i += 2 {
		r.Vars[vars[i]] = vars[i+1]
	}
	return r
}

// do makes a request of an operation, and gives the status and the document.
func (w *world) do(operation string, r operations.Request) (code int, document string, err error) {
	w.Helper()
	o := find(w, operation)
	if o.Method != http.MethodGet {
		code, body, err := w.service.Write(w.Context(), o, r)
		return code, string(body), err
	}
	answer, err := w.service.Read(w.Context(), o, r)
	if err != nil {
		return 0, "", err
	}
	return http.StatusOK, string(answer.Body.Plain), nil
}

func find(t testing.TB, operation string) *operations.Operation {
	t.Helper()
	for _, o := range operations.Table() {
		if o.ID == operation {
			return o
		}
	}
	t.Fatalf("there is no %s", operation)
	return nil
}

// told gives an error as a client sees it.
func told(err error) string {
	if err == nil {
		return ""
	}
	f := fault.As(err)
	var b bytes.Buffer
	b.WriteString(string([...]string{fault.Internal: "500", fault.Validation: "400", fault.BadRequest: "400 bad", fault.NotFound: "404", fault.Conflict: "409",
		fault.PreconditionFailed: "412", fault.Unavailable: "503"}[f.Kind]))
	if f.Reason != "" {
		b.WriteString(" " + string(f.Reason))
	}
	for _, i := range f.Issues {
		b.WriteString(" " + i.Path + ": " + i.Message)
	}
	return b.String()
}
