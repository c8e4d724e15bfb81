package sources_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

// anySource gives an AGENT source in a state that the rules allow.
func anySource(t *rapid.T) *registry.Source {
	s := agent(rapid.SampledFrom(authenticationTypes).Draw(t, "auth"), rapid.SampledFrom(statuses).Draw(t, "status"))
	a := s.Agent
	if a.Status != registry.SourceActive && rapid.Bool().Draw(t, "unarmed") {
		a.CredentialID = ""
	}
	a.Protocol = rapid.SampledFrom([]string{"MCP", "A2A"}).Draw(t, "protocol")
	a.Description = text(t, "description", 0, 2000)
	s.Name = text(t, "name", 1, 255)
	a.EndpointURL = "https://" + text(t, "endpoint", 0, 100)
	return s
}

func text(t *rapid.T, label string, least, most int) string {
	return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 && utf8.ValidRune(r) }), least, most, -1).Draw(t, label)
}

// TestRepetitionChangesNothing holds an empty body, and any part of a source's own
// values, against it.
func TestRepetitionChangesNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cur := anySource(rt)
		a := cur.Agent
		own := members{"name": cur.Name, "executionType": "AGENT", "status": a.Status, "description": a.Description,
			"endpointUrl": a.EndpointURL, "protocol": a.Protocol, "authenticationType": a.Authentication, "auth": members{}}
		body := members{}
		for name, value := range own {
			if rapid.Bool().Draw(rt, name) {
				body[name] = value
			}
		}
		for _, b := range []members{{}, body, own} {
			u := sources.ParseUpdate(b.json(t), check)
			change, err := u.Decide(cur)
			if err != nil || !changesNothing(change) || u.ConsentDue(cur, apply(cur, change)) {
				rt.Fatalf("%s: %+v, %v", b.json(t), change, err)
			}
		}
	})
}

// TestDecisionsHold makes any change of any source: what comes of it is a source in
// a state that the rules allow, and deciding again says the same.
func TestDecisionsHold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		cur := anySource(rt)
		body := members{}
		maybe := func(name string, values ...any) {
			if rapid.Bool().Draw(rt, "give "+name) {
				body[name] = rapid.SampledFrom(values).Draw(rt, name)
			}
		}
		maybe("name", "x", "", "y\x00", 5)
		maybe("status", "PENDING", "ACTIVE", "DISABLED")
		maybe("endpointUrl", "https://b.example", "https://agent.harbour.example/x", "http://b.example")
		maybe("authenticationType", "API_KEY", "NO_AUTH", "JWT", "OAUTH", "BASIC_AUTH")
		maybe("auth", tokenAuth(), jwtAuth(), basicAuth(), members{})
		maybe("oauthAudience", "urn:x:y", "https://a.example")
		u := sources.ParseUpdate(body.json(t), check)
		change, err := u.Decide(cur)
		again, errAgain := u.Decide(cur)
		if (err == nil) != (errAgain == nil) || err == nil && (change.EraseCredential != again.EraseCredential ||
			(change.Agent == nil) != (again.Agent == nil) || change.Agent != nil && *change.Agent != *again.Agent) {
			rt.Fatalf("decided in two ways: %+v, %v and %+v, %v", change, err, again, errAgain)
		}
		if err != nil {
			if !changesNothing(change) || !fault.Is(err, fault.Validation) && !fault.Is(err, fault.Conflict) {
				rt.Fatalf("refused, and %+v (%v)", change, err)
			}
			return
		}
		next := apply(cur, change).Agent
		if next.Status == registry.SourceActive && next.CredentialID == "" && next.Authentication != registry.AuthNone {
			rt.Fatalf("ACTIVE without credentials: %+v", next)
		}
		if next.Authentication == registry.AuthNone && next.CredentialID != "" || next.Authentication != registry.AuthOAuth && next.OAuthAudience != "" {
			rt.Fatalf("left over from another authenticationType: %+v", next)
		}
		if cur.Agent.Status == registry.SourceDisabled && next.Status != registry.SourceDisabled {
			rt.Fatal("a DISABLED source came back")
		}
		if next.Type != "SALES" || next.AgentID != cur.Agent.AgentID {
			rt.Fatalf("what never changes did: %+v", next)
		}
	})
}

const canary = "q7Zk"

func fuzzSeeds(f *testing.F) {
	for _, c := range brokenBodies[:len(brokenBodies)-1] {
		f.Add([]byte(c.body), uint8(0))
	}
	for i, auth := range []members{tokenAuth(), jwtAuth(), basicAuth(), {}} {
		f.Add(good().but("auth", auth).but("authenticationType", authenticationTypes[i]).json(f), uint8(i))
		f.Add(good().but("auth", auth.but("token", canary).but("issuer", canary)).but("name", canary).but("sourceId", canary+"/").
			but("protocol", canary).but("description", canary).but("endpointUrl", canary).but("status", canary).json(f), uint8(i))
	}
	f.Add([]byte(`{"status":"ACTIVE","oauthAudience":"https://q7Zk.example","endpointUrl":"https://q7Zk"}`), uint8(3))
}

func within(t *testing.T, what, s string, least, most int) {
	t.Helper()
	if n := utf8.RuneCountInString(s); n < least || n > most || !registry.Storable(s) {
		t.Errorf("%s is out of bounds: %q", what, s)
	}
}

func quiet(t *testing.T, err error) {
	t.Helper()
	f := fault.As(err)
	shown := f.Error() + f.Field
	for _, i := range f.Issues {
		shown += i.Path + i.Message
	}
	if strings.Contains(shown, canary) || f.Kind == fault.Internal || f.Kind == fault.Validation && len(f.Issues) == 0 {
		t.Errorf("kind %d: %s", f.Kind, shown)
	}
}

func FuzzParseCreate(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte, _ uint8) {
		s, err := sources.ParseCreate(body, check)
		if err != nil {
			quiet(t, err)
			return
		}
		within(t, "name", s.Name, 1, 255)
		within(t, "description", s.Agent.Description, 0, 2000)
		within(t, "endpointUrl", s.Agent.EndpointURL, 8, 2048)
		within(t, "oauthAudience", s.Agent.OAuthAudience, 0, 2048)
		within(t, "agentId", s.AgentID(), 8, 255)
		if s.SourceID != "" && sources.CheckSourceID(s.SourceID) != "" || !slugForm.MatchString(s.Slug) {
			t.Errorf("sourceId %q, slug %q", s.SourceID, s.Slug)
		}
		if (s.Credential != nil) != (authFor(s.Agent.Authentication) != nil) || s.Agent.Status != registry.SourcePending {
			t.Errorf("credentials %v for %+v", s.Credential != nil, s.Agent)
		}
		if s.Credential != nil && s.Credential.Token != nil {
			within(t, "token", s.Credential.Token.Token, 1, 16384)
		}
	})
}

func FuzzParseUpdate(f *testing.F) {
	fuzzSeeds(f)
	f.Fuzz(func(t *testing.T, body []byte, pick uint8) {
		at := authenticationTypes[int(pick)%len(authenticationTypes)]
		cur := agent(at, statuses[int(pick/8)%len(statuses)])
		change, err := decide(t, cur, body)
		if err != nil {
			quiet(t, err)
		} else if change.Agent != nil {
			within(t, "description", change.Agent.Description, 0, 2000)
			within(t, "endpointUrl", change.Agent.EndpointURL, 8, 2048)
			within(t, "oauthAudience", change.Agent.OAuthAudience, 0, 2048)
		}
		if change.Name != nil {
			within(t, "name", *change.Name, 1, 255)
		}
		if change, err := decide(t, managed(registry.StatusActive), body); err != nil {
			quiet(t, err)
		} else if change.Agent != nil || change.Credential != nil || change.EraseCredential || change.NewConsent {
			t.Errorf("a managed source changes more than its name: %+v", change)
		}
	})
}
