package upstream_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"esagate/internal/fault"
	"esagate/upstream"
)

// net/http repeats a request whose HTTP/2 stream is reset with PROTOCOL_ERROR if it can get
// the body again, although the server received it whole.
func TestHTTP2DoesNotRepeatAWrite(t *testing.T) {
	mint := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer mint.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: mint.TLS.Certificates, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	var whole atomic.Int32
	listen(t, l, func(c net.Conn) { resetEverything(c, &whole) })
	transport := mint.Client().Transport.(*http.Transport).Clone()
	transport.ForceAttemptHTTP2 = true
	r := newRig(t, upstream.Config{BaseURL: "https://" + l.Addr().String(), APIKey: key, ProbeTimeout: 20 * time.Second}, transport)
	defer transport.CloseIdleConnections()
	_, err = r.client.Provision(context.Background(), provisioning())
	if e := r.fault(err); e == nil || e.Kind != fault.Unavailable || upstream.NotSent(err) {
		t.Errorf("%v: it may have been done", err)
	}
	if n := whole.Load(); n != 1 {
		t.Errorf("%d provisionings arrived", n)
	}
}

// resetEverything speaks HTTP/2: it takes every request whole, counts it, and resets it.
func resetEverything(c net.Conn, whole *atomic.Int32) {
	if _, err := io.ReadFull(c, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(c, c)
	_ = framer.WriteSettings()
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		if f, ok := frame.(*http2.SettingsFrame); ok && !f.IsAck() {
			_ = framer.WriteSettingsAck()
		}
		if f, ok := frame.(*http2.DataFrame); ok && f.StreamEnded() {
			whole.Add(1)
			_ = framer.WriteRSTStream(f.StreamID, http2.ErrCodeProtocol)
		}
	}
}
