package sources_test

import (
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

var brokenBodies = []struct{ name, body, want string }{
	{"nothing", "", "The body is empty."},
	{"blank", " \r\n\t", "The body is empty."},
	{"no JSON", "canary", "The body is not valid JSON."},
	{"cut short", `{"name":"canary"`, "The body is not valid JSON."},
	{"a comment", `{} // canary`, "The body goes on after its end."},
	{"a byte order mark", "\ufeff{}", "The body is not valid JSON."},
	{"a raw NUL", "{\"name\":\"canary\x00\"}", "The body is not valid JSON."},
	{"not UTF-8", "{\"name\":\"canary\xff\"}", "The body is not UTF-8."},
	{"lone surrogate", `{"name":"canary\ud800"}`, "The body is not valid JSON."},
	{"lone surrogate in an ignored member", `{"canary":"\udc00"}`, "The body is not valid JSON."},
	{"array", `["canary"]`, "The body is not a JSON object."},
	{"null", `null`, "The body is not a JSON object."},
	{"two objects", `{"name":"canary"} {}`, "The body goes on after its end."},
	{"object and brace", `{}}`, "The body goes on after its end."},
	{"name twice", `{"name":"a","name":"canary"}`, "The body names something twice."},
	{"name twice, spelt in two ways", `{"name":"a","n\u0061me":"canary"}`, "The body names something twice."},
	{"ignored name twice", `{"canary":1,"canary":2}`, "The body names something twice."},
	{"name twice in auth", `{"auth":{"token":"a","token":"canary"}}`, "The body names something twice."},
	{"name twice in an ignored array", `{"x":[{"canary":1,"canary":2}]}`, "The body names something twice."},
	{"33 levels", `{"x":` + strings.Repeat("[", 32) + strings.Repeat("]", 32) + `}`, "The body is nested too deeply."},
	{"33 levels of objects", strings.Repeat(`{"x":`, 32) + "{}" + strings.Repeat("}", 32), "The body is nested too deeply."},
	{"many values", `{"x":[1` + strings.Repeat(",1", 10_000) + "]}", "The body holds too many values."},
	{"a million levels", `{"x":` + strings.Repeat("[", 1_000_000), "The body is nested too deeply."},
}

func TestBrokenBodies(t *testing.T) {
	managed := &registry.Source{Connection: &registry.Connection{Provisioning: registry.StatusActive}}
	for _, c := range brokenBodies {
		_, created := sources.ParseCreate([]byte(c.body), check)
		_, updated := decide(t, agent(registry.AuthNone, registry.SourcePending), []byte(c.body))
		_, onManaged := decide(t, managed, []byte(c.body))
		for where, err := range map[string]error{"create": created, "update": updated, "managed": onManaged} {
			if !fault.Is(err, fault.BadRequest) || err.Error() != c.want {
				t.Errorf("%s, %s: %v; want BadRequest, %q", c.name, where, err, c.want)
			}
		}
	}
}

// TestIgnoredMembers: the value of a member that is ignored is never a fault.
func TestIgnoredMembers(t *testing.T) {
	deep := `{"x":` + strings.Repeat("[", 31) + strings.Repeat("]", 31) + `}`
	if change, err := decide(t, agent(registry.AuthNone, registry.SourcePending), []byte(deep)); err != nil || !changesNothing(change) {
		t.Errorf("32 levels: %+v, %v", change, err)
	}
	body := good().but("Name", 5).but("connectionContract", nil).but("x\x00", "\x00").but("status", "nonsense").
		but("auth", tokenAuth().but("more", []any{nil, members{"a": 1}}).but("username", 5)).json(t)
	if _, err := sources.ParseCreate(append([]byte(" \n"), append(body, "\t\r\n"...)...), check); err != nil {
		t.Errorf("create: %v", err)
	}
	ignored := members{"NAME": 1, "type": "nonsense", "sourceId": "a/b", "agentId": nil, "": "x"}.json(t)
	if change, err := decide(t, agent(registry.AuthJWT, registry.SourceActive), ignored); err != nil || !changesNothing(change) {
		t.Errorf("update: %+v, %v", change, err)
	}
}
