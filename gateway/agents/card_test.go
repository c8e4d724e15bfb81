package agents_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"testing"

	"esagate/gateway/agents"
)

func TestCards(t *testing.T) {
	at, _ := url.Parse("https://agent.example/a2a")
	ours, _ := url.Parse("https://gateway.example/a2a/meadow")
	const own = `"https://gateway.example/a2a/meadow"`
	for name, c := range map[string]struct {
		at         *url.URL
		card, want string
	}{
		"of version 0.3": {at, `{"name":"n","url":"https://agent.example:443/a2a","preferredTransport":"JSONRPC","version":"1","additionalInterfaces":[{"url":"https://AGENT.example/a2a","transport":"JSONRPC"},{"url":"https://agent.example/rest","transport":"HTTP+JSON"},{"url":"https://other.example/g","transport":"GRPC"}],"iconUrl":"https://agent.example/i.png"}`,
			`{"name":"n","url":` + own + `,"preferredTransport":"JSONRPC","version":"1","additionalInterfaces":[{"url":` + own + `,"transport":"JSONRPC"},{"url":"https://other.example/g","transport":"GRPC"}],"iconUrl":"https://agent.example/i.png"}`},
		"that prefers another binding": {at, `{"url":"https://agent.example/grpc","preferredTransport":"GRPC"}`, `{"url":` + own + `,"preferredTransport":"JSONRPC"}`},
		"of version 1.0": {at, `{"supportedInterfaces":[{"url":"https://agent.example/a2a","protocolBinding":"JSONRPC","protocolVersion":"1.0","tenant":"t"},{"url":"https://agent.example/g","protocolBinding":"GRPC"}],"signatures":[ ]}`,
			`{"supportedInterfaces":[{"url":` + own + `,"protocolBinding":"JSONRPC","protocolVersion":"1.0","tenant":"t"}],"signatures":[ ]}`},
		"of another origin":  {at, `{"url":"https://elsewhere.example/a2a","preferredTransport":"GRPC"}`, `{"url":"https://elsewhere.example/a2a","preferredTransport":"GRPC"}`},
		"of any origin":      {nil, `{"url":"https://elsewhere.example/a2a"}`, `{"url":` + own + `}`},
		"that is signed":     {at, `{"url": "https://agent.example/a2a", "signatures":[{"protected":"x","signature":"y"}]}`, `{"url": "https://agent.example/a2a", "signatures":[{"protected":"x","signature":"y"}]}`},
		"with no signatures": {at, `{"signatures":null,"url":"https://agent.example/a2a"}`, `{"signatures":null,"url":` + own + `}`},
		"with odd values":    {at, `{"url":7,"additionalInterfaces":{"url":1},"supportedInterfaces":[1,[],{}],"n":1e400}`, `{"url":7,"additionalInterfaces":{"url":1},"supportedInterfaces":[1,[],{}],"n":1e400}`},
	} {
		got, err := agents.Card([]byte(c.card), c.at, ours)
		if err != nil || string(got) != c.want {
			t.Errorf("a card %s:\n%s, %v\nwant\n%s", name, got, err, c.want)
		}
		if !json.Valid(got) {
			t.Errorf("a card %s is no JSON", name)
		}
	}
	for _, text := range []string{"", "[]", "<html>", `{"url":1,"url":2}`} {
		if _, err := agents.Card([]byte(text), at, ours); !errors.Is(err, agents.ErrCard) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
