package sources_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esagate/internal/sources"
	"esagate/registry"
)

func create(t *testing.T, body members) *registry.NewSource {
	t.Helper()
	s, err := sources.ParseCreate(body.json(t), check)
	if err != nil {
		t.Fatal(issuesOf(t, err))
	}
	return s
}

func TestCreateKeepsWhatIsGiven(t *testing.T) {
	name, long := strings.Repeat("😀", 255), "https://"+strings.Repeat("u", 2040)
	s := create(t, good().but("name", name).but("sourceId", "ä b.😀").but("executionType", "aGent").but("type", "OUTCOME").
		but("endpointUrl", long).but("protocol", "A2A").but("authenticationType", "OAUTH").but("auth", members{}).
		but("description", strings.Repeat("é", 2000)).but("oauthAudience", "api://client-7?x=%20"))
	want := registry.Agent{Status: registry.SourcePending, Type: "OUTCOME", EndpointURL: long, Protocol: "A2A",
		Description: strings.Repeat("é", 2000), Authentication: registry.AuthOAuth, OAuthAudience: "api://client-7?x=%20"}
	if s.Name != name || s.SourceID != "ä b.😀" || s.Slug != sources.Slug(name) || s.Agent != want || s.Credential != nil {
		t.Errorf("got %+v", s)
	}
}

func TestCreateTakesTextAsData(t *testing.T) {
	const name = `Robert'); DROP TABLE sources;-- "<b>\`
	s := create(t, good().but("name", name).but("description", ""))
	if s.Name != name || s.Slug != "robert-drop-table-sources-b" || s.SourceID != "" || s.Agent.Description != "" {
		t.Errorf("got %+v", s)
	}
}

func TestCredentialsAreKept(t *testing.T) {
	if c := create(t, good()).Credential; *c.Token != (registry.TokenCredential{Scheme: "bearer", Token: "tok-1"}) {
		t.Error("the token is another one")
	}
	long := strings.Repeat("é", 16384)
	want := registry.JWTCredential{PrivateKey: long, Issuer: "iss", Subject: "sub", KeyID: "k1", Scope: "ads",
		TokenEndpointURL: "https://login.harbour.example/token", AudienceURL: "https://login.harbour.example", Algorithm: "RS256"}
	c := create(t, good().but("authenticationType", "JWT").
		but("auth", jwtAuth().but("privateKey", long).but("algorithm", "RS256").but("environment", ""))).Credential
	if *c.JWT != want || c.Token != nil || c.Basic != nil || c.OAuth != nil {
		t.Error("the JWT credential is another one")
	}
	change, err := decide(t, agent(registry.AuthBasic, registry.SourceActive), members{"auth": basicAuth()}.json(t))
	if err != nil || *change.Credential.Basic != (registry.BasicCredential{Username: "reader"}) {
		t.Errorf("the basic credential is another one (%v)", err)
	}
	if change.Agent != nil || change.Name != nil || change.EraseCredential {
		t.Errorf("new credentials change more: %+v", change)
	}
}

// TestNoSecretIsShown plants a canary in every member of every shape, right and
// wrong, and looks for it in errors and in what is printed.
func TestNoSecretIsShown(t *testing.T) {
	const canary = "C4NARY"
	look := func(what string, v any) {
		t.Helper()
		var shown strings.Builder
		fmt.Fprintf(&shown, "%[1]v %+[1]v %#[1]v %[1]s %[1]q %[1]x %[1]d", v)
		slog.New(slog.NewTextHandler(&shown, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "v", v)
		if strings.Contains(shown.String(), canary) || strings.Contains(shown.String(), fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows a secret: %s", what, shown.String())
		}
	}
	for _, at := range authenticationTypes {
		for _, shape := range []members{tokenAuth(), jwtAuth(), basicAuth()} {
			for name := range shape.but("algorithm", "").but("environment", "") {
				for _, planted := range []any{canary, canary + "\x00", canary + strings.Repeat("x", 20000), "javascript:" + canary,
					"https://" + canary + "/#f", []string{canary}, members{canary: canary}} {
					given := shape.but(name, planted)
					body := good().but("authenticationType", at).but("auth", given).json(t)
					c, err := sources.ParseCreate(body, check)
					look("the create", c)
					look("its error", err)
					u := sources.ParseUpdate(members{"auth": given}.json(t), check)
					look("the update", u)
					look("the update itself", *u)
					_, err = u.Decide(agent(at, registry.SourceActive))
					look("its error", err)
				}
			}
		}
	}
}
