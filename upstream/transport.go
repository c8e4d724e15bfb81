package upstream

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// An HTTP/2 connection on which nothing has come for pingAfter is asked for a sign of life, and
// closed with all that is under way on it if none comes within pingTimeout. One over which
// requests still wait is no idle one, which a timeout would have closed.
const (
	pingAfter   = 3 * time.Second
	pingTimeout = 3 * time.Second
)

// newTransport is the transport for when none is given. How long a call may
// take is its context's business; only connecting has limits of its own.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64, // there is only the one host
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Passing is a transport for requests of others that are passed on to the sales agent as they come: it leaves the coding of
// content alone, and takes no part in breakers and slots. How long an exchange may take is its user's business.
type Passing struct{ transport *http.Transport }

// passingIdle is how many connections wait for the next request that is passed on.
const passingIdle = 128

// NewPassing makes a Passing. [Passing.Close] it at the end.
func NewPassing() *Passing {
	t := newTransport()
	t.DisableCompression = true
	t.MaxIdleConns, t.MaxIdleConnsPerHost = passingIdle, passingIdle
	return &Passing{t}
}

// RoundTrip implements http.RoundTripper. Its error is in words of ours. Those of reading an answer's body are net/http's,
// and are for no log.
func (p *Passing) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.transport.RoundTrip(r)
	if err != nil {
		return nil, asTransportError(err)
	}
	return resp, nil
}

// Close closes the connections that are idle.
func (p *Passing) Close() { p.transport.CloseIdleConnections() }

// instrument puts a client span around each attempt. A span records the text of the error
// that it sees, so scrubTransport stands inside.
func instrument(base http.RoundTripper, d Deps) http.RoundTripper {
	return otelhttp.NewTransport(scrubTransport{base},
		otelhttp.WithTracerProvider(d.TracerProvider),
		otelhttp.WithMeterProvider(d.MeterProvider),
		otelhttp.WithPropagators(d.Propagator),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return "sales agent " + string(callFrom(r.Context()).op)
		}),
	)
}

// scrubTransport replaces a transport's errors, some of which quote what the other side
// sent, by transportErrors. It also adds the call's query, which may hold a caller's text,
// to the URL: a span records the URL that it sees.
type scrubTransport struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t scrubTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if cl := callFrom(r.Context()); len(cl.query) > 0 {
		target := *r.URL
		target.RawQuery = cl.query.Encode()
		r = r.WithContext(r.Context())
		r.URL = &target
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, asTransportError(err)
	}
	resp.Body = scrubBody{resp.Body}
	return resp, nil
}

// scrubBody does the same for the errors of reading: those of net/http quote
// trailers and chunk headers.
type scrubBody struct{ io.ReadCloser }

// Read implements io.Reader.
func (b scrubBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var corrupt flate.CorruptInputError
	switch {
	case err == nil, err == io.EOF:
		return n, err
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return n, errEncoding
	}
	return n, asTransportError(err)
}

// transportError is why no whole answer came, in words of ours.
type transportError struct {
	text       string
	timeout    bool
	connection bool  // the connection failed: another one may do better
	connecting bool  // there never was one
	cause      error // a context error, or nil
}

// Error implements error.
func (e *transportError) Error() string { return e.text }

// Unwrap gives the context's error, if that was the cause.
func (e *transportError) Unwrap() error { return e.cause }

// asTransportError puts an error of a transport, or of reading a body, into our words.
func asTransportError(err error) *transportError {
	if e := (*transportError)(nil); errors.As(err, &e) {
		return e
	}
	e := describe(err)
	e.connecting = whileConnecting(err)
	return e
}

func describe(err error) *transportError {
	var (
		netErr net.Error
		errno  syscall.Errno
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return &transportError{text: "canceled", cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &transportError{text: "no answer in time", timeout: true, cause: context.DeadlineExceeded}
	case errors.As(err, &netErr) && netErr.Timeout():
		return &transportError{text: "the connection timed out", timeout: true}
	case errors.As(err, &cert):
		return &transportError{text: certificateFault(cert)}
	case errors.As(err, &record), errors.As(err, &alert):
		return &transportError{text: "the TLS handshake failed"}
	case errors.As(err, &dns):
		return &transportError{text: "the host name can't be resolved", connection: true}
	case errors.As(err, &errno):
		return &transportError{text: errno.Error(), connection: true}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &transportError{text: "the answer is cut short", connection: true}
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe),
		strings.HasSuffix(err.Error(), "http: server closed idle connection"), // net/http does not export these
		strings.HasSuffix(err.Error(), "http2: client connection lost"):
		return &transportError{text: "the connection was closed", connection: true}
	}
	return &transportError{text: "the exchange failed"}
}

func certificateFault(err error) string {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &unknown):
		return "the certificate is of an unknown authority"
	case errors.As(err, &host):
		return "the certificate is not for this host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate has expired or is not valid yet"
	}
	return "the certificate is not valid"
}
