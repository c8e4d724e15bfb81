// Package agents knows what passes between callers and agents in the protocols MCP and A2A: what a request asks for,
// which rules of the operator's it meets, which header fields pass, and where the addresses in an agent's card stand.
// It is pure: nothing here asks anybody (contract 13.7).
package agents

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
	"esagate/internal/jsonbody"
)

// Protocol is one that agents are asked in. Its text is that of [registry.Agent].
type Protocol string

// The protocols.
const (
	MCP Protocol = "MCP" // versions 2025-11-25 and 2026-07-28 of the Model Context Protocol, by streamable HTTP
	A2A Protocol = "A2A" // versions 0.3 and 1.0 of the Agent2Agent protocol, by JSON-RPC
)

// Call is what a request asks for, in the words of rules: a method, as version 0.3 spells those of A2A, and the name of
// the tool or prompt, or the address of the resource, that a call of MCP is about. The zero Call asks for nothing: it
// is a client's own answer, or no message at all.
type Call struct{ Method, Name string }

// The header fields in which MCP says what a body asks for, since version 2026-07-28.
const (
	headerMethod = "Mcp-Method"
	headerName   = "Mcp-Name"
)

// maxDepth bounds the levels of a body that is held against rules.
const maxDepth = 64

// LookBytes is how much of a body's beginning [Protocol.Look] needs at most. Clients write what a call asks for before
// what it is given.
const LookBytes = 8 << 10

// Read says what a request asks for, from its whole body, so that no reader of the same body can find another thing in
// it: one JSON object that names nothing twice, nor in two cases, and that its header agrees with. Its errors are
// BadRequest.
func (p Protocol) Read(h http.Header, body []byte) (Call, error) {
	if err := jsonbody.Sound(body, jsonbody.Bounds{Depth: maxDepth}); err != nil {
		return Call{}, err
	}
	m := read(body)
	switch {
	case m.ambiguous:
		return Call{}, badCall("The body names its method, or what that is about, in more than one way.")
	case !m.asks && p == A2A, m.asks && m.method == "":
		return Call{}, badCall("The body has no method.")
	case m.asks && m.named() && m.name == "":
		return Call{}, badCall("The body does not name what its method is about.")
	case p == MCP && !m.agrees(h):
		return Call{}, badCall("The header Mcp-Method, or Mcp-Name, says another thing than the body.")
	}
	return m.call(p), nil
}

func badCall(message string) error { return fault.New(fault.BadRequest, message) }

// Look says what a request seems to ask for, from its header, or else from the beginning of its body. It is for
// metrics: what a rule depends on takes [Protocol.Read].
func (p Protocol) Look(h http.Header, beginning []byte) Call {
	if method := h[headerMethod]; p == MCP && len(method) == 1 {
		name, _ := headerNames(h)
		return message{asks: true, method: method[0], name: name}.call(p)
	}
	return read(beginning).call(p)
}

// message is what a JSON-RPC message says of what it asks for.
type message struct {
	asks         bool   // it has a method, which makes it no answer
	method, name string // "" also where it is no text
	uri          string
	ambiguous    bool
}

// named reports whether a method of MCP is about something that a header field names as well.
func (m message) named() bool {
	return m.method == "tools/call" || m.method == "prompts/get" || m.method == "resources/read"
}

// call gives a message in the words of rules.
func (m message) call(p Protocol) Call {
	switch {
	case p == A2A:
		if older, ok := olderMethods[m.method]; ok {
			return Call{Method: older}
		}
	case m.named():
		return Call{m.method, m.name}
	}
	return Call{Method: m.method}
}

// agrees reports whether a header says of a message what is in it. What is left out says nothing: versions before
// 2026-07-28 have no such fields.
func (m message) agrees(h http.Header) bool {
	method, ok := h[headerMethod]
	if ok && !slices.Equal(method, []string{m.method}) {
		return false
	}
	name, sound := headerNames(h)
	return sound && (len(h[headerName]) == 0 || !m.named() || name == m.name)
}

// headerNames gives what Mcp-Name names: as it is, or in Base64 where it would be no field's value (MCP 2026-07-28,
// Basic, Transports). It is not sound where it is given twice or can't be decoded.
func headerNames(h http.Header) (name string, sound bool) {
	values := h[headerName]
	switch {
	case len(values) == 0:
		return "", true
	case len(values) > 1:
		return "", false
	}
	coded, begins := strings.CutPrefix(values[0], "=?base64?")
	coded, ends := strings.CutSuffix(coded, "?=")
	if !begins || !ends {
		return values[0], true
	}
	clear, err := base64.StdEncoding.DecodeString(coded)
	return string(clear), err == nil
}

// read finds in a message what it asks for, as far as the message goes.
func read(body []byte) (m message) {
	dec := jsontext.NewDecoder(bytes.NewReader(body))
	m.object(dec, func(name string) bool {
		switch {
		case name == "method":
			m.asks = true
			return m.text(dec, &m.method)
		case name == "params" && dec.PeekKind() == '{':
			return m.object(dec, func(name string) bool {
				switch {
				case name == "name":
					return m.text(dec, &m.name)
				case name == "uri":
					return m.text(dec, &m.uri)
				}
				m.ambiguous = m.ambiguous || like(name, "name") || like(name, "uri")
				return dec.SkipValue() == nil
			})
		}
		m.ambiguous = m.ambiguous || like(name, "method") || like(name, "params")
		return dec.SkipValue() == nil
	})
	if m.method == "resources/read" {
		m.name = m.uri
	}
	return m
}

// like reports whether some readers would take one name for the other: those that ignore case, as Go's own.
func like(name, as string) bool { return name != as && strings.EqualFold(name, as) }

// object reads an object's names, and has each value read by member, until that gives false or the object ends.
func (*message) object(dec *jsontext.Decoder, member func(name string) bool) bool {
	if dec.PeekKind() != '{' {
		return false
	}
	for _, _ = dec.ReadToken(); dec.PeekKind() == '"'; {
		name, err := dec.ReadToken()
		if err != nil || !member(name.String()) {
			return false
		}
	}
	_, err := dec.ReadToken()
	return err == nil
}

// text reads a value into a text where it is one.
func (*message) text(dec *jsontext.Decoder, into *string) bool {
	if dec.PeekKind() != '"' {
		return dec.SkipValue() == nil
	}
	token, err := dec.ReadToken()
	if err == nil {
		*into = token.String()
	}
	return err == nil
}
