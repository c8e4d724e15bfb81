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

// newTransport is the transport for when none is given. How long a call may
// take is its context's business; only connecting has limits of its own.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64, // there is only the one host
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// instrument puts a client span around each attempt. The quiet transport stands
// inside, because a span records the text of the error that it sees.
func instrument(base http.RoundTripper, d Deps) http.RoundTripper {
	return otelhttp.NewTransport(quiet{base},
		otelhttp.WithTracerProvider(d.TracerProvider),
		otelhttp.WithMeterProvider(d.MeterProvider),
		otelhttp.WithPropagators(d.Propagator),
		otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string {
			return "sales agent " + string(callFrom(r.Context()).op)
		}),
	)
}

// quiet replaces a transport's errors, some of which quote what the other side
// sent, by lossErrors. It also adds the call's query, which may hold a caller's text,
// to the URL: a span records the URL that it sees.
type quiet struct{ base http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (q quiet) RoundTrip(r *http.Request) (*http.Response, error) {
	if cl := callFrom(r.Context()); len(cl.query) > 0 {
		target := *r.URL
		target.RawQuery = cl.query.Encode()
		r = r.WithContext(r.Context())
		r.URL = &target
	}
	resp, err := q.base.RoundTrip(r)
	if err != nil {
		return nil, asLoss(err)
	}
	resp.Body = quietBody{resp.Body}
	return resp, nil
}

// quietBody does the same for the errors of reading: those of net/http quote
// trailers and chunk headers.
type quietBody struct{ io.ReadCloser }

// Read implements io.Reader.
func (b quietBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	var corrupt flate.CorruptInputError
	switch {
	case err == nil, err == io.EOF:
		return n, err
	case errors.As(err, &corrupt), errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum):
		return n, errEncoding
	}
	return n, asLoss(err)
}

// lossError is why no whole answer came, in words of ours.
type lossError struct {
	text       string
	timeout    bool
	connection bool  // the connection failed: another one may do better
	connecting bool  // there never was one
	cause      error // a context error, or nil
}

// Error implements error.
func (e *lossError) Error() string { return e.text }

// Unwrap gives the context's error, if that was the cause.
func (e *lossError) Unwrap() error { return e.cause }

// idleClosed is the text of an error that net/http keeps to itself.
const idleClosed = "http: server closed idle connection"

// asLoss puts an error of a transport, or of reading a body, into words of ours.
func asLoss(err error) *lossError {
	if loss := (*lossError)(nil); errors.As(err, &loss) {
		return loss
	}
	loss := lossOf(err)
	loss.connecting = whileConnecting(err)
	return loss
}

func lossOf(err error) *lossError {
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
		return &lossError{text: "canceled", cause: context.Canceled}
	case errors.Is(err, context.DeadlineExceeded):
		return &lossError{text: "no answer in time", timeout: true, cause: context.DeadlineExceeded}
	case errors.As(err, &netErr) && netErr.Timeout():
		return &lossError{text: "the connection timed out", timeout: true}
	case errors.As(err, &cert):
		return &lossError{text: certificateFault(cert)}
	case errors.As(err, &record), errors.As(err, &alert):
		return &lossError{text: "the TLS handshake failed"}
	case errors.As(err, &dns):
		return &lossError{text: "the host name can't be resolved", connection: true}
	case errors.As(err, &errno):
		return &lossError{text: errno.Error(), connection: true}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &lossError{text: "the answer is cut short", connection: true}
	case errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe),
		strings.HasSuffix(err.Error(), idleClosed):
		return &lossError{text: "the connection was closed", connection: true}
	}
	return &lossError{text: "the exchange failed"}
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
