// Package outbound asks addresses that callers supply: agents, and the
// authorization servers that stand behind them. Such an address may be meant to
// make the gateway reach what only the gateway can, so there is one guarded client
// for all of them (contract 6.1): https alone, to public addresses alone, checked after
// names are resolved, and at most [MaxBody] in [MaxTime].
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Limits of one exchange, which is a request with its redirects and the reading of
// the last answer's body.
const (
	MaxTime      = 10 * time.Second // a context's deadline may be earlier
	MaxBody      = 1 << 20          // bytes, once decompressed
	MaxRedirects = 3
	MaxAtOnce    = 64 // exchanges of one Client; more wait within MaxTime
	MaxPerHost   = 8  // of these, exchanges that begin at one host and port
)

const (
	maxHeader       = 64 << 10 // bytes of an answer's header
	connectTime     = 5 * time.Second
	idleTime        = 30 * time.Second
	pingAfter       = 15 * time.Second // without a byte of any stream of a connection, and until the answer
	maxConnsPerHost = 16
)

// Options says how a [Client] asks.
type Options struct {
	Allow     []netip.Prefix // addresses that are not public and may be asked all the same
	RootCAs   *x509.CertPool // nil: the system's
	UserAgent string         // for requests that have none; empty: Go's

	resolver *net.Resolver // nil: the system's
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client asks addresses that callers supply. It is safe for concurrent use.
type Client struct {
	addresses addresses
	transport *http.Transport
	following *http.Client
	direct    *http.Client
	streaming *http.Transport
	passing   http.RoundTripper
}

// New makes a client. [Client.Close] it at the end.
func New(o Options) *Client {
	c := &Client{addresses: newAddresses(o.Allow)}
	dial := o.dial
	if dial == nil {
		dial = (&net.Dialer{
			Timeout:  connectTime,
			Resolver: o.resolver,
			// Control sees each address that is connected to, whatever DNS says
			// before or after.
			Control: c.addresses.control,
		}).DialContext
	}
	c.transport, c.streaming = newTransport(dial, o.RootCAs), newTransport(dial, o.RootCAs)
	c.transport.MaxConnsPerHost = maxConnsPerHost
	c.streaming.DisableCompression = true
	c.streaming.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAfter}
	c.passing = &passing{check: c.addresses.check, send: c.streaming.RoundTrip}
	shared := newSlots()
	guard := func(send func(*http.Request) (*http.Response, error)) *http.Client {
		return &http.Client{
			Transport: &guarded{check: c.addresses.check, send: send, slots: shared, userAgent: o.UserAgent},
			// send has followed what may be followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	follow := &http.Client{Transport: c.transport, CheckRedirect: c.redirect}
	c.following, c.direct = guard(follow.Do), guard(c.sendDirect)
	return c
}

// HTTP gives the guarded client, also for libraries that want one. It keeps no
// cookies. What it and the bodies of its answers fail with is, for errors.Is, one of
// this package's errors, context.Canceled or context.DeadlineExceeded, and holds
// nothing that the host sent. net/http wraps it in a *url.Error, whose text has the URL
// that was asked for, query included: log what [Reason] makes of it. The body of an
// answer must be closed.
func (c *Client) HTTP() *http.Client { return c.following }

// HTTPDirect is HTTP for requests that carry secrets: it follows no redirect, not
// even within an origin, and gives a redirect's answer as it is, without its
// Location. It shares the limits and the connections of HTTP.
func (c *Client) HTTPDirect() *http.Client { return c.direct }

// Passing gives what requests of others are passed on with, as they come, to addresses that callers supplied: guarded as
// HTTP is, without following redirects, and without bounds of time, bytes and number, which are its user's. It leaves the
// coding of content alone. It fails with errors of this package; those of reading an answer's body are net/http's, and are
// for no log.
func (c *Client) Passing() http.RoundTripper { return c.passing }

// Close closes the connections that are idle. The client stays usable.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.streaming.CloseIdleConnections()
}

func newTransport(dial func(ctx context.Context, network, address string) (net.Conn, error), roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil, // a proxy would look up the name and connect in our place
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    connectTime,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           MaxAtOnce,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        idleTime,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: maxHeader,
	}
}
