package agents

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Header fields that pass, by their names as net/http keeps them, or by how these begin. All others stay behind, both
// ways: what a caller says of who it is, and what an agent says of its address or wants kept.
var (
	sentFields = map[Protocol]fields{
		MCP: {names: append([]string{"Last-Event-Id"}, sentAlways...), begin: "Mcp-"},
		A2A: {names: append([]string{"Last-Event-Id", "X-A2a-Extensions"}, sentAlways...), begin: "A2a-"},
	}
	sentAlways = []string{"Accept", "Traceparent", "Tracestate", "User-Agent"}

	answered = map[Protocol]fields{
		MCP: {names: answeredAlways, begin: "Mcp-"},
		A2A: {names: append([]string{"X-A2a-Extensions"}, answeredAlways...), begin: "A2a-"},
	}
	answeredAlways = []string{"Content-Language", "Content-Length", "Content-Type", "Retry-After"}
)

// fields are names of header fields.
type fields struct {
	names []string
	begin string
}

// of gives those of a header that are among the fields.
func (f fields) of(h http.Header) http.Header {
	passed := make(http.Header, len(h))
	for name, values := range h {
		if slices.Contains(f.names, name) || strings.HasPrefix(name, f.begin) {
			passed[name] = slices.Clone(values)
		}
	}
	return passed
}

// Sent gives what passes of a caller's header to an agent.
func (p Protocol) Sent(h http.Header) http.Header { return sentFields[p].of(h) }

// Answered gives what passes of the header of an agent's answer. No cache keeps the answer: to caches before the gateway,
// sources of two customers can have one address. In a browser it runs no script and loads nothing.
func (p Protocol) Answered(h http.Header) http.Header {
	passed := answered[p].of(h)
	passed.Set("Cache-Control", "no-store")
	passed.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	return passed
}

// Secrets are what an agent is asked with, which must not come back: an agent may repeat what it was sent, in an error
// above all.
type Secrets [][]byte

// leastSecret is the shortest text that is looked for: shorter ones are found by chance.
const leastSecret = 8

// JSON as most write it, with the slash as PHP does, and as Go does.
var (
	inJSON         = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "/", `\/`)
	inHTMLSafeJSON = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "<", `\u003c`, ">", `\u003e`, "&", `\u0026`)
)

// SecretsOf gives the secrets in header fields that authenticate: the values, without the name of a scheme, and of
// Basic (RFC 7617) the password too; each also as it stands in JSON and in a query.
func SecretsOf(h http.Header) (secrets Secrets) {
	add := func(secret string) {
		if len(secret) < leastSecret {
			return
		}
		spellings := []string{secret, inJSON.Replace(secret), inHTMLSafeJSON.Replace(secret), url.QueryEscape(secret)}
		for _, spelled := range slices.Compact(spellings) {
			secrets = append(secrets, []byte(spelled))
		}
	}
	for _, values := range h {
		for _, value := range values {
			scheme, rest, schemed := strings.Cut(value, " ")
			if !schemed {
				add(value)
				continue
			}
			add(rest)
			if pair, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(scheme, "Basic") {
				_, password, _ := strings.Cut(string(pair), ":")
				add(password)
			}
		}
	}
	return secrets
}

// In reports whether a text has one of the secrets.
func (s Secrets) In(text []byte) bool {
	return slices.ContainsFunc(s, func(secret []byte) bool { return bytes.Contains(text, secret) })
}

// longest is the length of the longest secret, in bytes.
func (s Secrets) longest() (n int) {
	for _, secret := range s {
		n = max(n, len(secret))
	}
	return n
}

// ErrSecret ends the body of an answer that repeats a secret.
var ErrSecret = errors.New("agents: the answer repeats a secret")

// Guard gives a body that ends with [ErrSecret] where a secret comes to its end in it: nothing of the piece that ends
// it is read. Without secrets it gives the body itself.
func (s Secrets) Guard(body io.ReadCloser) io.ReadCloser {
	if len(s) == 0 {
		return body
	}
	return &guarded{body, s, s.longest() - 1, nil}
}

type guarded struct {
	io.ReadCloser
	secrets Secrets
	most    int    // bytes that tail keeps
	tail    []byte // of what was read, in which a secret may have begun
}

// Read implements io.Reader.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.ReadCloser.Read(p)
	seen := append(g.tail, p[:n]...)
	if g.secrets.In(seen) {
		clear(p[:n])
		return 0, ErrSecret
	}
	g.tail = append(g.tail[:0], seen[max(0, len(seen)-g.most):]...)
	return n, err
}
