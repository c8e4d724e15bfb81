package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	agentAnswer  = 2 << 10 // bytes of the answer to a call
	streamEvents = 10
	streamPause  = 2 * time.Millisecond // between two events
	idleConns    = 256                  // kept by the bare proxy and nginx to the agent
	agentPath    = "/mcp/" + proxySource
	agentRequest = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"brief":"harbour news, video, autumn"},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`
)

// serveAgent is the agent behind all proxies: it answers calls with the same bytes, and those who take nothing but
// events with a stream of them, each of which is the time of its sending in nanoseconds.
func serveAgent(ctx context.Context) error {
	answer := []byte(`{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"` + strings.Repeat("x", agentAnswer) + `"}]}}`)
	length := strconv.Itoa(len(answer))
	return serveOnLoopback(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if r.Header.Get("Accept") != "text/event-stream" {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", length)
			_, _ = w.Write(answer) // the client may be gone
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for range streamEvents {
			_, _ = fmt.Fprintf(w, "data: %d\n\n", time.Now().UnixNano())
			if http.NewResponseController(w).Flush() != nil || pause(r.Context(), streamPause) != nil {
				return
			}
		}
	}))
}

// serveBareProxy is the yardstick of proxies: the least that httputil.ReverseProxy needs to pass calls and streams on.
func serveBareProxy(ctx context.Context, to string) error {
	agent, err := url.Parse(to)
	if err != nil {
		return err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: idleConns, DisableCompression: true}
	defer transport.CloseIdleConnections()
	proxy := &httputil.ReverseProxy{
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(agent) },
	}
	return serveOnLoopback(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Else the server closes the request's body once an answer begins, also while the transport makes sure that it
		// has all of it, and the stream is cut off.
		_ = http.NewResponseController(w).EnableFullDuplex()
		proxy.ServeHTTP(w, r)
	}))
}

// serveOnLoopback serves until ctx ends, and says where.
func serveOnLoopback(ctx context.Context, handler http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Fprintf(os.Stderr, `{"msg":"serving","address":%q}`+"\n", l.Addr().String())
	if err := server.Serve(l); err != nil && ctx.Err() == nil {
		return err
	}
	return nil
}
