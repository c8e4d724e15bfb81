package agents_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"esagate/gateway/agents"
	"esagate/internal/fault"
)

// said is a header with what MCP says in it of a body.
func said(method string, names ...string) http.Header {
	h := http.Header{}
	if method != "" {
		h["Mcp-Method"] = []string{method}
	}
	if len(names) > 0 {
		h["Mcp-Name"] = names
	}
	return h
}

func TestWhatACallAsksFor(t *testing.T) {
	for name, c := range map[string]struct {
		protocol agents.Protocol
		header   http.Header
		body     string
		want     agents.Call
	}{
		"a tool, without header":  {agents.MCP, nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"name":"x"}}}`, agents.Call{Method: "tools/call", Name: "get_products"}},
		"params before method":    {agents.MCP, nil, `{"params":{"arguments":{},"name":"a"},"method":"tools/call"}`, agents.Call{Method: "tools/call", Name: "a"}},
		"a tool, with header":     {agents.MCP, said("tools/call", "a"), `{"method":"tools/call","params":{"name":"a"}}`, agents.Call{Method: "tools/call", Name: "a"}},
		"escaped names":           {agents.MCP, said("tools/call", "a"), `{"\u006dethod":"tools\/call","params":{"n\u0061me":"\u0061"}}`, agents.Call{Method: "tools/call", Name: "a"}},
		"a resource":              {agents.MCP, said("resources/read", "file:///a b"), `{"method":"resources/read","params":{"name":"no","uri":"file:///a b"}}`, agents.Call{Method: "resources/read", Name: "file:///a b"}},
		"a name in Base64":        {agents.MCP, said("prompts/get", "=?base64?w6TDtg==?="), `{"method":"prompts/get","params":{"name":"äö"}}`, agents.Call{Method: "prompts/get", Name: "äö"}},
		"a method without a name": {agents.MCP, said("tools/list"), `{"method":"tools/list","params":{"cursor":"a"}}`, agents.Call{Method: "tools/list"}},
		"another field Mcp-Name":  {agents.MCP, said("tasks/get", "t-1"), `{"method":"tasks/get","params":{"taskId":"t-1"}}`, agents.Call{Method: "tasks/get"}},
		"a client's answer":       {agents.MCP, nil, `{"jsonrpc":"2.0","id":1,"result":{"method":"tools/call"}}`, agents.Call{}},
		"A2A 0.3":                 {agents.A2A, said("tools/list"), `{"method":"message/send","params":{"name":"a"}}`, agents.Call{Method: "message/send"}},
		"A2A 1.0":                 {agents.A2A, nil, `{"method":"SendStreamingMessage"}`, agents.Call{Method: "message/stream"}},
		"a method of its own":     {agents.A2A, nil, `{"method":"x"}`, agents.Call{Method: "x"}},
	} {
		got, err := c.protocol.Read(c.header, []byte(c.body))
		if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if looked := c.protocol.Look(c.header, []byte(c.body)); looked != c.want {
			t.Errorf("%s: a look gives %+v", name, looked)
		}
	}
}

// TestNoTwoReadersFindTwoCalls: what another reader of the same request could take for another call is refused.
func TestNoTwoReadersFindTwoCalls(t *testing.T) {
	call := `{"method":"tools/call","params":{"name":"a"}}`
	for name, c := range map[string]struct {
		protocol agents.Protocol
		header   http.Header
		body     string
	}{
		"another method in the header":  {agents.MCP, said("tools/list", "a"), call},
		"another tool in the header":    {agents.MCP, said("tools/call", "b"), call},
		"two methods in the header":     {agents.MCP, http.Header{"Mcp-Method": {"tools/call", "tools/call"}}, call},
		"two tools in the header":       {agents.MCP, said("tools/call", "a", "a"), call},
		"no sound Base64":               {agents.MCP, said("tools/call", "=?base64?!?="), call},
		"another tool in Base64":        {agents.MCP, said("tools/call", "=?base64?"+base64.StdEncoding.EncodeToString([]byte("b"))+"?="), call},
		"no tool in the header":         {agents.MCP, said("tools/call", ""), call},
		"a header for an answer":        {agents.MCP, said("tools/list"), `{"result":{}}`},
		"two methods":                   {agents.MCP, nil, `{"method":"tools/list","method":"tools/call","params":{"name":"a"}}`},
		"two methods, one escaped":      {agents.MCP, nil, `{"method":"tools/list","\u006dethod":"tools/call"}`},
		"a method in another case":      {agents.MCP, nil, `{"method":"tools/list","Method":"tools/call"}`},
		"only that":                     {agents.MCP, nil, `{"METHOD":"tools/call"}`},
		"params in another case":        {agents.MCP, nil, `{"method":"tools/call","params":{"name":"a"},"Params":{"name":"b"}}`},
		"params with a long s":          {agents.MCP, nil, `{"method":"tools/call","params":{"name":"a"},"param\u017f":{"name":"b"}}`},
		"a tool in another case":        {agents.MCP, nil, `{"method":"tools/call","params":{"name":"a","NAME":"b"}}`},
		"a resource in another case":    {agents.MCP, nil, `{"method":"resources/read","params":{"uri":"a","Uri":"b"}}`},
		"two tools":                     {agents.MCP, nil, `{"method":"tools/call","params":{"name":"a","name":"b"}}`},
		"two params":                    {agents.MCP, nil, `{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}`},
		"a tool without a name":         {agents.MCP, nil, `{"method":"tools/call","params":{}}`},
		"a tool in a list":              {agents.MCP, nil, `{"method":"tools/call","params":["a"]}`},
		"a tool that is no text":        {agents.MCP, nil, `{"method":"tools/call","params":{"name":["a"]}}`},
		"a resource by name":            {agents.MCP, nil, `{"method":"resources/read","params":{"name":"a"}}`},
		"a method that is no text":      {agents.MCP, nil, `{"method":["tools/call"]}`},
		"a batch":                       {agents.MCP, nil, "[" + call + "]"},
		"two messages":                  {agents.MCP, nil, call + call},
		"no JSON":                       {agents.MCP, nil, `{"method":'tools/call'}`},
		"UTF-16":                        {agents.MCP, nil, "\xff\xfe{\x00}\x00"},
		"a mark of byte order":          {agents.MCP, nil, "\ufeff" + call},
		"nothing":                       {agents.MCP, nil, ""},
		"very deep":                     {agents.MCP, nil, strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)},
		"A2A without a method":          {agents.A2A, nil, `{"jsonrpc":"2.0","id":1,"result":{}}`},
		"A2A in another case":           {agents.A2A, nil, `{"method":"tasks/get","MeThOd":"message/send"}`},
		"a NaN that others take":        {agents.MCP, nil, `{"method":"tools/list","x":NaN}`},
		"a comment that others take":    {agents.MCP, nil, `{"method":"tools/list"/*,*/}`},
		"a comma at the end":            {agents.MCP, nil, `{"method":"tools/list",}`},
		"a half of a pair of surrogate": {agents.MCP, nil, `{"method":"tools/list","x":"\ud800"}`},
	} {
		if got, err := c.protocol.Read(c.header, []byte(c.body)); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestALookAtABeginning finds what stands there, and nothing wrong where the rest is not there.
func TestALookAtABeginning(t *testing.T) {
	body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_products","arguments":{"brief":"` + strings.Repeat("x", 1000)
	for n, want := range map[int]agents.Call{
		len(body): {Method: "tools/call", Name: "get_products"},
		40:        {},
		50:        {Method: "tools/call"},
		0:         {},
	} {
		if got := agents.MCP.Look(nil, []byte(body)[:n]); got != want {
			t.Errorf("of %d bytes: %+v, want %+v", n, got, want)
		}
	}
	if got := agents.A2A.Look(nil, []byte(`[{"method":"message/send"}]`)); got != (agents.Call{}) {
		t.Errorf("of a batch: %+v", got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("tools/call", "a", []byte(`{"method":"tools/call","params":{"name":"a"}}`))
	f.Add("", "", []byte(`{"method":"resources/read","params":{"uri":"a"}}`))
	f.Fuzz(func(t *testing.T, method, name string, body []byte) {
		h := said(method, name)
		call, err := agents.MCP.Read(h, body)
		if err == nil && method != "" && call.Method != method {
			t.Errorf("%q was read as %+v with the method %q", body, call, method)
		}
		if looked := agents.MCP.Look(nil, body); err == nil && looked != call {
			t.Errorf("%q was read as %+v, and looked at as %+v", body, call, looked)
		}
	})
}
