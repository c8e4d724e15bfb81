package agents

import (
	"slices"
	"strings"
)

// olderMethods are A2A's methods in the spelling of version 0.3, by that of 1.0 and of 0.2, so that a rule holds for
// all of them.
var olderMethods = map[string]string{
	"SendMessage":                      "message/send",
	"SendStreamingMessage":             "message/stream",
	"GetTask":                          "tasks/get",
	"ListTasks":                        "tasks/list",
	"CancelTask":                       "tasks/cancel",
	"SubscribeToTask":                  "tasks/resubscribe",
	"CreateTaskPushNotificationConfig": "tasks/pushNotificationConfig/set",
	"GetTaskPushNotificationConfig":    "tasks/pushNotificationConfig/get",
	"ListTaskPushNotificationConfig":   "tasks/pushNotificationConfig/list",
	"ListTaskPushNotificationConfigs":  "tasks/pushNotificationConfig/list",
	"DeleteTaskPushNotificationConfig": "tasks/pushNotificationConfig/delete",
	"GetExtendedAgentCard":             "agent/getAuthenticatedExtendedCard",
	"agent/authenticatedExtendedCard":  "agent/getAuthenticatedExtendedCard",
	"tasks/sendSubscribe":              "message/stream",
	"tasks/send":                       "message/send",
	"tasks/subscribe":                  "tasks/resubscribe",
	"tasks/pushNotification/set":       "tasks/pushNotificationConfig/set",
	"tasks/pushNotification/get":       "tasks/pushNotificationConfig/get",
}

// reading are the methods that a key without write access may call (contract 13.7). What is not here may change
// something at the agent.
var reading = map[Protocol][]string{
	MCP: {
		"completion/complete", "initialize", "logging/setLevel", "ping", "prompts/get", "prompts/list", "resources/list",
		"resources/read", "resources/subscribe", "resources/templates/list", "resources/unsubscribe", "server/discover",
		"subscriptions/listen", "tasks/get", "tasks/list", "tasks/result", "tools/list",
	},
	A2A: {"agent/getAuthenticatedExtendedCard", "tasks/get", "tasks/list", "tasks/resubscribe"},
}

// connecting are MCP's methods that begin, hold and end a connection. They ask an agent for nothing, and a list of what
// is allowed need not name them.
var connecting = []string{"initialize", "ping", "server/discover"}

// notifications come to an agent and are not answered.
const notifications = "notifications/"

// Reads reports whether a call changes nothing at its agent.
func (p Protocol) Reads(c Call) bool {
	switch {
	case c.Method == "":
		return p == MCP // a client's own answer
	case p == MCP && strings.HasPrefix(c.Method, notifications):
		return true
	}
	return slices.Contains(reading[p], c.Method)
}

// Known reports whether a method is of a protocol: others are words of a caller's own.
func (p Protocol) Known(method string) bool {
	switch p {
	case MCP:
		return slices.Contains(reading[MCP], method) || slices.Contains(changing, method)
	default:
		for _, older := range olderMethods {
			if older == method {
				return true
			}
		}
		return false
	}
}

// changing are MCP's methods that are not of reading, and its notifications to agents.
var changing = []string{
	"tools/call", "tasks/cancel", "tasks/update", "notifications/cancelled", "notifications/initialized",
	"notifications/progress", "notifications/roots/list_changed",
}

// Rules say which calls an operator lets through, by method and by what a call is about.
type Rules struct{ allow, deny []rule }

// rule is one line of them. A name of "" is any, and one that a call does not have as well.
type rule struct{ method, name pattern }

// pattern is a text, or how texts begin.
type pattern struct {
	text  string
	begin bool
}

func (p pattern) matches(s string) bool {
	if p.begin {
		return strings.HasPrefix(s, p.text)
	}
	return s == p.text
}

// NewRules reads rules as docs/configuration.md says: methods, or methods and names with a colon between them; a * may
// end either.
func NewRules(allow, deny []string) Rules { return Rules{readRules(allow), readRules(deny)} }

func readRules(lines []string) (rules []rule) {
	for _, line := range lines {
		method, name, named := strings.Cut(line, ":")
		r := rule{method: newPattern(method), name: pattern{begin: true}}
		if named {
			r.name = newPattern(name)
		}
		if older, ok := olderMethods[method]; ok {
			r.method.text = older
		}
		rules = append(rules, r)
	}
	return rules
}

func newPattern(s string) pattern {
	text, begin := strings.CutSuffix(s, "*")
	return pattern{text, begin}
}

// None reports whether there are no rules: then all calls pass.
func (r Rules) None() bool { return len(r.allow)+len(r.deny) == 0 }

// Allow reports whether a call may pass: no rule denies it, and one allows it where there are such. What asks for
// nothing passes, and so does what begins a connection, unless it is denied.
func (r Rules) Allow(c Call) bool {
	matches := func(of rule) bool { return of.method.matches(c.Method) && of.name.matches(c.Name) }
	switch {
	case c.Method == "":
		return true
	case slices.ContainsFunc(r.deny, matches):
		return false
	case len(r.allow) == 0, slices.Contains(connecting, c.Method), strings.HasPrefix(c.Method, notifications):
		return true
	}
	return slices.ContainsFunc(r.allow, matches)
}
