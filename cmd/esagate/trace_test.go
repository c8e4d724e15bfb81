package main_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"esagate/upstream/upstreamtest"
)

// A request's spans reach a collector, the server's and the one of the call to
// the sales agent, and hold no key.
func TestTracesReachACollector(t *testing.T) {
	var mu sync.Mutex
	var spans bytes.Buffer
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Path == "/v1/traces" {
			_, _ = io.Copy(&spans, body)
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.NewerBuild())
	p := start(t, append(env, "ESAGATE_TELEMETRY_OTLP_ENDPOINT="+collector.URL, "ESAGATE_TELEMETRY_TRACE_RATIO=1"), "serve", "--config", config)
	if code, _, body := p.get(statusPath("meadow")+"?syncHistoryLimit=3", clearKey); code != 200 {
		t.Fatalf("%d %s", code, body)
	}
	p.stop() // the last spans are sent before it ends
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"esagate", "GET /api/v2/storefront/inventory-sources/{sourceId}/status", "sales agent status", "http.response.status_code"} {
		if !bytes.Contains(spans.Bytes(), []byte(want)) {
			t.Errorf("no %q among the spans", want)
		}
	}
	if bytes.Contains(spans.Bytes(), []byte("CANARY")) {
		t.Error("a planted secret stands in a span")
	}
}
