package upstream_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"esagate/upstream"
)

// TestPassingLeavesAnswersAlone, and says in words of its own why there is none.
func TestPassingLeavesAnswersAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header["Accept-Encoding"]) > 0 {
			t.Errorf("asked with %v", r.Header)
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Location", "http://169.254.169.254/")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "as it is")
	}))
	defer server.Close()
	p := upstream.NewPassing()
	defer p.Close()
	ask := func(url string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		return p.RoundTrip(req)
	}
	resp, err := ask(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	if err != nil || resp.StatusCode != http.StatusFound || string(body) != "as it is" {
		t.Errorf("%d %q, %v", resp.StatusCode, body, err)
	}

	for name, answer := range map[string]string{"what is no HTTP": "CANARY hunter2\r\n\r\n", "nothing": ""} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { // ends with its one connection, or the listener
			if c, err := l.Accept(); err == nil {
				_, _ = c.Read(make([]byte, 1<<10))
				_, _ = io.WriteString(c, answer)
				_ = c.Close()
			}
		}()
		resp, err := ask("http://" + l.Addr().String())
		if err == nil {
			_ = resp.Body.Close()
		}
		var op *net.OpError
		if err == nil || strings.Contains(err.Error(), "CANARY") || errors.As(err, &op) {
			t.Errorf("%s: %v", name, err)
		}
		_ = l.Close()
	}
}
