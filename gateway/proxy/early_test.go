package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"esagate/gateway/proxy"
)

// TestAnAnswerMayBeginWhenItsRequestEnds: the server that is proxied answers the moment that it has all of the request,
// while the transport still makes sure of its end. No answer is cut off for that.
func TestAnAnswerMayBeginWhenItsRequestEnds(t *testing.T) {
	const answer = "data: 1\n\ndata: 2\n\n"
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for event := range strings.SplitAfterSeq(answer, "\n\n") {
			_, _ = io.WriteString(w, event)
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer behind.Close()
	to, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	p := proxy.New(transport, proxy.Limits{FirstByte: time.Minute, Idle: time.Minute, Client: time.Minute})
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.Serve(w, r, proxy.Target{URL: to, Header: http.Header{}}, proxy.Follow{}); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
	defer front.Close()
	for n := range 300 {
		resp, err := http.Post(front.URL, "application/json", strings.NewReader(`{"id":1}`))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err := resp.Body.Close(); err != nil {
			t.Error(err)
		}
		if err != nil || resp.StatusCode != 200 || string(got) != answer {
			t.Fatalf("answer %d: %d %q, %v", n, resp.StatusCode, got, err)
		}
	}
}
