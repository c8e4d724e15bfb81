package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/goleak"

	"esagate/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start starts telemetry that is shut down with the test, logging to a buffer.
func start(t testing.TB, cfg telemetry.Config) (*telemetry.Telemetry, *buffer) {
	t.Helper()
	out := new(buffer)
	tel, err := telemetry.Start(t.Context(), cfg, out)
	must(t, err)
	t.Cleanup(func() { tel.Shutdown(context.Background()) })
	return tel, out
}

// buffer is a log output that goroutines may share.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// scrape gives the /metrics page.
func scrape(t testing.TB, tel *telemetry.Telemetry, accept string) (status int, page string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	tel.MetricsHandler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// has fails the test unless the page has a line.
func has(t testing.TB, page, line string) {
	t.Helper()
	if !strings.Contains("\n"+page, "\n"+line+"\n") {
		t.Errorf("no line %q in\n%s", line, ours(page))
	}
}

// ours drops the runtime's lines from a page.
func ours(page string) string {
	var b strings.Builder
	for l := range strings.Lines(page) {
		if strings.Contains(l, "esagate") || strings.Contains(l, "http_") || strings.Contains(l, "target") {
			b.WriteString(l)
		}
	}
	return b.String()
}

func TestMetricsPage(t *testing.T) {
	tel, _ := start(t, telemetry.Config{Version: "1.2.3"})
	c, err := tel.MeterProvider.Meter("test").Int64Counter("esagate.test.things")
	must(t, err)
	c.Add(t.Context(), 3)
	for _, name := range []string{"esagate.upstream.duration", "esagate.other.duration"} {
		h, err := tel.MeterProvider.Meter("test").Float64Histogram(name, metric.WithUnit("s"))
		must(t, err)
		h.Record(t.Context(), 80)
	}

	status, page := scrape(t, tel, "")
	if status != http.StatusOK {
		t.Fatalf("status %d", status)
	}
	has(t, page, "esagate_test_things_total 3")
	has(t, page, `esagate_upstream_duration_seconds_bucket{le="75"} 0`)
	has(t, page, `esagate_upstream_duration_seconds_bucket{le="90"} 1`)
	has(t, page, `esagate_other_duration_seconds_bucket{le="100"} 1`) // the SDK's own
	for _, want := range []string{"\ngo_goroutines ", "\nprocess_", `service_name="esagate"`, `service_version="1.2.3"`} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q on the page", want)
		}
	}
	if _, page := scrape(t, tel, "application/openmetrics-text"); !strings.HasSuffix(page, "# EOF\n") {
		t.Error("not OpenMetrics when asked for it")
	}
}

func TestErrorsOfMetricsAreLoggedNotServed(t *testing.T) {
	tel, log := start(t, telemetry.Config{})
	_, err := tel.MeterProvider.Meter("test").Int64ObservableGauge("esagate.test.broken", metric.WithInt64Callback(
		func(context.Context, metric.Int64Observer) error { return errors.New("broken: " + canary) }))
	must(t, err)
	status, page := scrape(t, tel, "")
	if status != http.StatusOK || !strings.Contains(page, "go_goroutines") || strings.Contains(page, "broken") {
		t.Errorf("status %d, page\n%s", status, page)
	}
	if got := log.String(); !strings.Contains(got, `"level":"WARN"`) || strings.Contains(got, canary) {
		t.Errorf("log: %s", got)
	}
}

// TestErrorsOfTheCollectorDoNotHideThoseOfMetrics: each have a limit of their own.
func TestErrorsOfTheCollectorDoNotHideThoseOfMetrics(t *testing.T) {
	tel, log := start(t, telemetry.Config{})
	for range 100 {
		otel.Handle(errors.New("export failed"))
	}
	twice, err := tel.MeterProvider.Meter("test").Int64Gauge("go.goroutines") // the runtime has one
	must(t, err)
	twice.Record(t.Context(), 1)
	scrape(t, tel, "")
	if got := log.String(); !strings.Contains(got, `"msg":"serve metrics failed"`) {
		t.Errorf("log: %s", got)
	}
}

func TestOwnErrorsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, log := start(t, telemetry.Config{LogFormat: telemetry.FormatText})
		storm := func() int {
			before := strings.Count(log.String(), "\n")
			for range 100 {
				otel.Handle(errors.New("export failed for hunter2")) // no shape gives it away
			}
			return strings.Count(log.String(), "\n") - before
		}
		if n := storm(); n == 0 || n > 5 {
			t.Errorf("%d lines for 100 errors", n)
		}
		time.Sleep(time.Minute)
		if n := storm(); n == 0 || n > 5 {
			t.Errorf("%d lines for 100 errors a minute later", n)
		}
		got := log.String()
		if strings.Contains(got, "hunter2") || !strings.Contains(got, "OpenTelemetry failed (*errors.errorString)") ||
			!strings.Contains(got, "dropped=97") {
			t.Errorf("log: %s", got)
		}
	})
}
