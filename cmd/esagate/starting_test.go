package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestWhileStarting: before the gateway is built its listeners say that it is alive and not ready, and nobody is sent away
// when it takes them over.
func TestWhileStarting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + listener.Addr().String()
	answers := func(path string, status int, body string) *http.Response {
		t.Helper()
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != status || !strings.Contains(string(text), body) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, text)
		}
		return resp
	}
	stop := whileStarting(listener)
	answers("/healthz", http.StatusOK, `{"status":"ok"}`)
	answers("/readyz", http.StatusServiceUnavailable, `{"status":"starting"}`)
	if r := answers("/api/v2/storefront/esa", http.StatusServiceUnavailable, `"code":"SERVICE_UNAVAILABLE"`); r.Header.Get("Retry-After") == "" {
		t.Error("without Retry-After")
	}
	stop()
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the gateway") })}
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()
	answers("/readyz", http.StatusOK, "the gateway")
	_ = server.Close()
	<-ended
}
