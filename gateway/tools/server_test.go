package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// connect gives a client of a server of all tools, and what was told of panics.
func connect(t *testing.T, ask Ask) (*mcp.ClientSession, *[]any) {
	t.Helper()
	var told []any
	s := New(Deps{Ask: ask, Writes: func(string) bool { return true }, Recovered: func(_ context.Context, value any) { told = append(told, value) }})
	ours, theirs := mcp.NewInMemoryTransports()
	session, err := s.For(Caller{Write: true}).Connect(t.Context(), ours, nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close(); _ = session.Wait() })
	return client, &told
}

// TestACallFailsAlone: a panic or an error of one ends neither the process nor the session, and says nothing of itself.
func TestACallFailsAlone(t *testing.T) {
	for _, it := range []struct {
		ask    func() (*Answer, error)
		panics string
	}{
		{func() (*Answer, error) { panic("canary") }, "[canary canary]"},
		{func() (*Answer, error) { return nil, errors.New("canary") }, "[]"},
		{func() (*Answer, error) { return &Answer{Status: 200, Document: []byte("canary")}, nil }, "[]"}, // why_blocked can't read it
	} {
		client, told := connect(t, func(context.Context, *Request) (*Answer, error) { return it.ask() })
		for range 2 {
			r, err := client.CallTool(t.Context(), &mcp.CallToolParams{Name: whyName, Arguments: map[string]any{"sourceId": "a"}})
			if err == nil || strings.Contains(err.Error(), "canary") {
				t.Errorf("%v %+v", err, r)
			}
		}
		if fmt.Sprint(*told) != it.panics {
			t.Errorf("told of %v, want %s", *told, it.panics)
		}
	}
}

// TestEveryToolIsAnOperation that the contract has, with words for assistants, and with what a tool needs to be called.
func TestEveryToolIsAnOperation(t *testing.T) {
	c := readContract()
	seen := map[string]bool{whyName: true}
	for _, r := range table {
		tool := newTool(c, r, func(string) bool { return true })
		if tool.op == nil || tool.out == nil || r.about == "" || seen[r.name] || r.changes && tool.op.method == "GET" {
			t.Errorf("%+v", r)
		}
		seen[r.name] = true
		for _, operator := range []bool{false, true} {
			if in := string(tool.input(c, operator)); strings.Contains(in, "nullable") || strings.Contains(in, "writeOnly") || strings.Contains(in, "#/components") {
				t.Errorf("%s: %s", r.name, in)
			}
		}
		if out := string(tool.out); strings.Contains(out, "nullable") || strings.Contains(out, "#/components") || strings.Contains(out, `"enum":[]`) || !strings.Contains(out, `"type":"object"`) {
			t.Errorf("%s: %s", r.name, out)
		}
	}
}
