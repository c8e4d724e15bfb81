package agents_test

import (
	"testing"

	"esagate/gateway/agents"
)

func TestRules(t *testing.T) {
	tool := func(name string) agents.Call { return agents.Call{Method: "tools/call", Name: name} }
	method := func(m string) agents.Call { return agents.Call{Method: m} }
	for name, c := range map[string]struct {
		allow, deny []string
		passes      []agents.Call
		refused     []agents.Call
	}{
		"none": {nil, nil, []agents.Call{tool("a"), method("x"), {}}, nil},
		"some tools": {[]string{"tools/list", "tools/call:get_*"}, nil,
			[]agents.Call{tool("get_products"), method("tools/list"), method("initialize"), method("ping"), method("server/discover"), method("notifications/initialized"), {}},
			[]agents.Call{tool("create_media_buy"), tool(""), method("prompts/list"), method("tools/listing"), method("Initialize")}},
		"but some": {nil, []string{"tools/call:delete_*", "prompts/*"},
			[]agents.Call{tool("undelete_x"), tool("get"), method("tools/list")},
			[]agents.Call{tool("delete_"), tool("delete_x"), method("prompts/get"), {Method: "prompts/get", Name: "x"}}},
		"both": {[]string{"tools/*"}, []string{"tools/call"},
			[]agents.Call{method("tools/list")}, []agents.Call{tool("a"), tool("")}},
		"no connection": {nil, []string{"initialize", "notifications/*"},
			[]agents.Call{method("ping")}, []agents.Call{method("initialize"), method("notifications/cancelled")}},
		"A2A in the spelling of 1.0": {[]string{"SendMessage"}, nil,
			[]agents.Call{method("message/send")}, []agents.Call{method("tasks/get")}},
	} {
		rules := agents.NewRules(c.allow, c.deny)
		if rules.None() != (name == "none") {
			t.Errorf("%s: None is %t", name, rules.None())
		}
		for _, call := range c.passes {
			if !rules.Allow(call) {
				t.Errorf("%s: %+v is refused", name, call)
			}
		}
		for _, call := range c.refused {
			if rules.Allow(call) {
				t.Errorf("%s: %+v passes", name, call)
			}
		}
	}
}

// TestADeniedMethodOfA2AIsDeniedInEachSpelling, by the bodies that ask for it.
func TestADeniedMethodOfA2AIsDeniedInEachSpelling(t *testing.T) {
	rules := agents.NewRules(nil, []string{"message/send"})
	for _, spelling := range []string{"message/send", "SendMessage", "tasks/send"} {
		call, err := agents.A2A.Read(nil, []byte(`{"method":"`+spelling+`"}`))
		if err != nil || rules.Allow(call) {
			t.Errorf("%s: %+v passes, %v", spelling, call, err)
		}
	}
}

func TestWhatOnlyReads(t *testing.T) {
	for p, methods := range map[agents.Protocol]map[string]bool{
		agents.MCP: {"tools/list": true, "resources/read": true, "initialize": true, "notifications/initialized": true, "": true,
			"subscriptions/listen": true, "tools/call": false, "tasks/cancel": false, "x": false, "TOOLS/CALL": false},
		agents.A2A: {"tasks/get": true, "tasks/list": true, "tasks/resubscribe": true, "message/send": false, "message/stream": false,
			"tasks/cancel": false, "tasks/pushNotificationConfig/get": false, "": false, "notifications/x": false},
	} {
		for method, want := range methods {
			if got := p.Reads(agents.Call{Method: method}); got != want {
				t.Errorf("%s %q: %t", p, method, got)
			}
		}
	}
	if !agents.MCP.Known("tools/call") || agents.MCP.Known("message/send") || agents.MCP.Known("x") || !agents.A2A.Known("tasks/cancel") || agents.A2A.Known("tools/call") {
		t.Error("a method is known where it is not, or the other way round")
	}
}
