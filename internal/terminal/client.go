// Package terminal shows in a terminal how sources stand: it is a client of the gateway's overview
// and of its events, and knows no more of the gateway than its API says.
package terminal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Bounds of a question.
const (
	askTimeout   = 30 * time.Second // a page, from its request to its end
	headTimeout  = 15 * time.Second // until an answer begins
	dialTimeout  = 10 * time.Second
	maxPageBytes = 32 << 20
	maxErrBytes  = 64 << 10
)

// Where the gateway answers, and what it is told.
const (
	root           = "/api/v2/storefront"
	overviewPath   = "/overview"
	eventsPath     = "/events"
	customerHeader = "Esagate-Customer"
	jsonType       = "application/json"
)

// Client asks a gateway.
type Client struct {
	base     *url.URL
	key      string
	customer int64
	agent    string
	http     *http.Client
}

// Options say whom a [Client] asks.
type Options struct {
	URL       string // the gateway's, as its users know it
	Key       string
	Customer  int64         // whom an operator's key acts for; 0: all customers
	UserAgent string        // of its requests
	TLS       *tls.Config   // nil: the system's certificates
	Patience  time.Duration // until an answer begins; 0: a time that fits reads of the overview
}

// NewClient makes a client. Its error says which of the options can't be used, and never the key.
func NewClient(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	switch {
	case err != nil || base.Opaque != "" || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, errors.New("the gateway's URL must begin with http:// or https:// and name a host, as in http://127.0.0.1:8080")
	case base.User != nil:
		return nil, errors.New("the gateway's URL must hold no user and no password: the key is all that is asked for")
	case base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the gateway's URL must hold no query and no fragment")
	case o.Key == "":
		return nil, errors.New("there is no key: set ESAGATE_KEY, or name a file that holds it with --key-file")
	case strings.ContainsFunc(o.Key, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, errors.New("the key holds a character that no key has, such as a space or a line's end within it")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // proxies as the environment says
	transport.DialContext = (&net.Dialer{Timeout: dialTimeout}).DialContext
	transport.TLSHandshakeTimeout = dialTimeout
	transport.ResponseHeaderTimeout = cmp.Or(o.Patience, headTimeout)
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.TLSClientConfig = o.TLS
	return &Client{
		base: base, key: o.Key, customer: o.Customer, agent: o.UserAgent,
		http: &http.Client{
			Transport: transport,
			// The key is for the gateway that was named, and for nobody it may point to.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close ends the client's connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// question is a request of the gateway's API.
type question struct {
	method string // "": GET
	path   string // escaped, below the root
	query  url.Values
	header http.Header
	body   []byte
	want   string // type of the answer
}

// open asks, and gives the answer if that is a good one.
func (c *Client) open(ctx context.Context, q question) (*http.Response, error) {
	to := c.base.JoinPath(root, q.path)
	to.RawQuery = q.query.Encode()
	r, err := http.NewRequestWithContext(ctx, cmp.Or(q.method, http.MethodGet), to.String(), bytes.NewReader(q.body))
	if err != nil {
		return nil, errors.New("the gateway's URL can't be used")
	}
	if c.customer != 0 {
		r.Header.Set(customerHeader, strconv.FormatInt(c.customer, 10))
	}
	maps.Copy(r.Header, q.header)
	r.Header.Set("Authorization", "Bearer "+c.key)
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Accept", q.want)
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, unreachable(to, err)
	}
	if problem := judge(resp, q.path, q.want); problem != nil {
		_ = resp.Body.Close()
		return nil, problem
	}
	return resp, nil
}

// read asks a path for JSON.
func (c *Client) read(ctx context.Context, path string, query url.Values) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	return c.ask(ctx, question{path: path, query: query, want: jsonType})
}

// ask gives the body of an answer.
func (c *Client) ask(ctx context.Context, q question) ([]byte, error) {
	resp, err := c.open(ctx, q)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPageBytes+1))
	switch {
	case err != nil:
		return nil, unreachable(resp.Request.URL, err)
	case len(body) > maxPageBytes:
		return nil, &Problem{text: "the answer is larger than an esagate's can be"}
	}
	return body, nil
}
