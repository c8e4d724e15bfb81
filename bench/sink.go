package main

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// sink is a collector that swallows traces and counts what it swallowed, so that
// the gateway really makes and sends them.
type sink struct {
	url      string
	server   *http.Server
	requests atomic.Int64
	bytes    atomic.Int64
}

func newSink() (*sink, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{url: "http://" + l.Addr().String()}
	s.server = &http.Server{ReadTimeout: 30 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 64<<20))
		s.requests.Add(1)
		s.bytes.Add(n)
		w.Header().Set("Content-Type", "application/x-protobuf") // an empty message: all taken
	})}
	go func() { _ = s.server.Serve(l) }() // ends with close
	return s, nil
}

func (s *sink) close() error { return s.server.Close() }
