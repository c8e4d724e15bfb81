package agents

import (
	"bytes"
	"errors"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/jsonbody"
	"esagate/internal/origin"
)

// Places of an agent's card on its host (RFC 8615), and below the address that it is asked at: of A2A since version
// 0.3, and before it.
const (
	CardPath      = "/.well-known/agent-card.json"
	OlderCardPath = "/.well-known/agent.json"
)

// MaxCard bounds a card in bytes.
const MaxCard = 1 << 20

// ErrCard: what came is no card.
var ErrCard = errors.New("agents: the answer is no agent's card")

// Card gives an agent's card with another address where one of the agent stood, which is any at the origin of at, or
// any at all where at is nil: for calls by JSON-RPC, which is what the gateway passes on. What the agent has in other
// bindings (gRPC, REST) is left out, since callers have no credentials for it. A card that is signed stays as it is,
// and so does all else in a card (contract 13.11).
func Card(card []byte, at, instead *url.URL) ([]byte, error) {
	if jsonbody.Sound(card, jsonbody.Bounds{Depth: maxDepth}) != nil {
		return nil, ErrCard
	}
	if isSigned(card) {
		return card, nil
	}
	c := addresses{at: at, instead: instead.String()}
	own := false
	for name, address := range jsonbody.Members(card) {
		own = own || name == "url" && c.own(address)
	}
	return rewriteObject(card, func(name string, value jsontext.Value) jsontext.Value {
		switch name {
		case "url": // of version 0.3, in the binding that preferredTransport names
			if own {
				return text(c.instead)
			}
		case "preferredTransport":
			if own {
				return text(bindingJSONRPC)
			}
		case "additionalInterfaces", "supportedInterfaces":
			return c.interfaces(value)
		}
		return value
	}), nil
}

// bindingJSONRPC is how cards call JSON-RPC.
const bindingJSONRPC = "JSONRPC"

// isSigned reports whether a card has signatures, which hold for what is in it.
func isSigned(card jsontext.Value) bool {
	for name, value := range jsonbody.Members(card) {
		if name == "signatures" {
			return value.Kind() != 'n' && string(bytes.Join(bytes.Fields(value), nil)) != "[]"
		}
	}
	return false
}

// addresses are what an agent's address becomes in its card.
type addresses struct {
	at      *url.URL
	instead string
}

// own reports whether a value is an address of the agent.
func (c addresses) own(value jsontext.Value) bool {
	if c.at == nil {
		return value.Kind() == '"'
	}
	u, err := url.Parse(textOf(value))
	return err == nil && origin.Same(u, c.at)
}

// isJSONRPC reports whether an interface is of JSON-RPC: in the words of version 0.3, or of 1.0.
func isJSONRPC(of jsontext.Value) bool {
	for name, value := range jsonbody.Members(of) {
		if name == "transport" || name == "protocolBinding" {
			return strings.EqualFold(textOf(value), bindingJSONRPC)
		}
	}
	return false
}

// interfaces gives a list of interfaces with the agent's own of JSON-RPC at the other address, and without its others.
func (c addresses) interfaces(list jsontext.Value) jsontext.Value {
	dec := jsontext.NewDecoder(bytes.NewReader(list))
	if dec.PeekKind() != '[' {
		return list
	}
	out := jsontext.Value{'['}
	for _, _ = dec.ReadToken(); dec.PeekKind() != ']'; {
		value, err := dec.ReadValue()
		if err != nil {
			return list // it is sound
		}
		own := false
		for name, address := range jsonbody.Members(value) {
			own = own || name == "url" && c.own(address)
		}
		if own && !isJSONRPC(value) {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		if !own {
			out = append(out, value...)
			continue
		}
		out = append(out, rewriteObject(value, func(name string, value jsontext.Value) jsontext.Value {
			if name == "url" {
				return text(c.instead)
			}
			return value
		})...)
	}
	return append(out, ']')
}

// rewriteObject gives an object with other values.
func rewriteObject(object jsontext.Value, value func(name string, value jsontext.Value) jsontext.Value) jsontext.Value {
	if object.Kind() != '{' {
		return object
	}
	out := jsontext.Value{'{'}
	for name, was := range jsonbody.Members(object) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, text(name)...), ':'), value(name, was)...)
	}
	return append(out, '}')
}

// text gives a string in JSON; what is not UTF-8 in it is replaced.
func text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, strings.ToValidUTF8(s, "\uFFFD"))
	return quoted
}

// textOf gives the string that a value is; "" where it is none.
func textOf(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	s, _ := jsontext.AppendUnquote(nil, value)
	return string(s)
}
