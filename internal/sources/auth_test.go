package sources_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esagate/internal/sources"
	"esagate/registry"
)

// kinds are the words of auth.type with the authentication type that takes each.
var kinds = []struct {
	word    string
	takenBy registry.AuthenticationType
}{
	{"bearer", registry.AuthAPIKey}, {"apikey", registry.AuthAPIKey}, {"api_key", registry.AuthAPIKey},
	{"jwt", registry.AuthJWT}, {"basic", registry.AuthBasic},
}

var wrongKind = map[registry.AuthenticationType]string{
	registry.AuthAPIKey: "auth.type: auth.type must be bearer, apikey or api_key.",
	registry.AuthJWT:    "auth.type: auth.type must be jwt.",
	registry.AuthBasic:  "auth.type: auth.type must be basic.",
	registry.AuthNone:   "auth: auth can't be given for the authenticationType NO_AUTH.",
	registry.AuthOAuth:  "auth: auth can't be given for the authenticationType OAUTH.",
}

// TestAuthMatrix holds every authentication type against every kind of auth, on
// create, on update with the type, and on update by the source's own type.
func TestAuthMatrix(t *testing.T) {
	for _, at := range authenticationTypes {
		for _, kind := range kinds {
			want := wrongKind[at]
			if kind.takenBy == at {
				want = ""
			}
			given := authFor(kind.takenBy).but("type", kind.word)
			_, err := sources.ParseCreate(good().but("authenticationType", at).but("auth", given).json(t), check)
			if got := issuesOf(t, err); got != want {
				t.Errorf("create %s with %s: %q, want %q", at, kind.word, got, want)
			}
			_, err = decide(t, agent(at, registry.SourcePending), members{"auth": given}.json(t))
			if got := issuesOf(t, err); got != want {
				t.Errorf("update %s with %s: %q, want %q", at, kind.word, got, want)
			}
			for _, was := range authenticationTypes {
				_, err = decide(t, agent(was, registry.SourcePending), members{"auth": given, "authenticationType": at}.json(t))
				if got := issuesOf(t, err); got != want {
					t.Errorf("update %s to %s with %s: %q, want %q", was, at, kind.word, got, want)
				}
			}
		}
		for name, none := range map[string]any{"no auth": absent{}, "an empty auth": members{}} {
			want := ""
			if authFor(at) != nil {
				want = "auth: auth is required for the authenticationType " + string(at) + "."
			}
			_, err := sources.ParseCreate(good().but("authenticationType", at).but("auth", none).json(t), check)
			if got := issuesOf(t, err); got != want {
				t.Errorf("create %s with %s: %q, want %q", at, name, got, want)
			}
			for _, was := range authenticationTypes {
				due := want
				if was == at {
					due = ""
				}
				body := members{"authenticationType": at}.but("auth", none).json(t)
				_, err := decide(t, agent(was, registry.SourcePending), body)
				if got := issuesOf(t, err); got != due {
					t.Errorf("update %s to %s with %s: %q, want %q", was, at, name, got, due)
				}
			}
		}
	}
}

func TestAuthOneThingWrong(t *testing.T) {
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct {
		name string
		at   any
		auth any
		want string
	}{
		{"null", "API_KEY", nil, "auth: auth can't be null."},
		{"null without need", "NO_AUTH", nil, "auth: auth can't be null."},
		{"text", "API_KEY", "x", "auth: auth must be an object."},
		{"array", "API_KEY", []any{}, "auth: auth must be an object."},
		{"not empty, though nothing in it is known", "BASIC_AUTH", members{"user": "x"},
			"auth.type: auth.type is required.\nauth.username: auth.username is required.\nauth.password: auth.password is required."},
		{"not empty where none is taken", "NO_AUTH", members{"user": "x"}, "auth: auth can't be given for the authenticationType NO_AUTH."},
		{"no type", "API_KEY", members{"token": "x"}, "auth.type: auth.type is required."},
		{"no type, and what the authenticationType needs", "BASIC_AUTH", members{"token": "x"},
			"auth.type: auth.type is required.\nauth.username: auth.username is required.\nauth.password: auth.password is required."},
		{"unknown type, unknown authenticationType", absent{}, members{"type": "digest"},
			"authenticationType: authenticationType is required.\nauth.type: auth.type must be bearer, apikey, api_key, jwt or basic."},
		{"own shape without an authenticationType", absent{}, members{"type": "basic", "username": ""},
			"authenticationType: authenticationType is required.\nauth.username: auth.username can't be empty.\nauth.password: auth.password is required."},
		{"mismatch and own shape", "JWT", members{"type": "bearer"},
			"auth.type: auth.type must be jwt.\nauth.token: auth.token is required."},
		{"type null", "API_KEY", tokenAuth().but("type", nil), "auth.type: auth.type can't be null."},
		{"token empty", "API_KEY", tokenAuth().but("token", ""), "auth.token: auth.token can't be empty."},
		{"token null", "API_KEY", tokenAuth().but("token", nil), "auth.token: auth.token can't be null."},
		{"token with NUL", "API_KEY", tokenAuth().but("token", "a\x00"), "auth.token: auth.token can't contain the character U+0000."},
		{"token too long", "API_KEY", tokenAuth().but("token", long(16385)), "auth.token: auth.token is longer than 16384 characters."},
		{"privateKey too long", "JWT", jwtAuth().but("privateKey", long(16385)), "auth.privateKey: auth.privateKey is longer than 16384 characters."},
		{"scope too long", "JWT", jwtAuth().but("scope", long(1025)), "auth.scope: auth.scope is longer than 1024 characters."},
		{"tokenEndpointUrl refused", "JWT", jwtAuth().but("tokenEndpointUrl", "http://a.example"), "auth.tokenEndpointUrl: " + refused},
		{"audienceUrl relative", "JWT", jwtAuth().but("audienceUrl", "a.example"), "auth.audienceUrl: auth.audienceUrl must be an absolute URI."},
		{"algorithm null", "JWT", jwtAuth().but("algorithm", nil), "auth.algorithm: auth.algorithm can't be null."},
		{"algorithm weak", "JWT", jwtAuth().but("algorithm", "HS256"), "auth.algorithm: auth.algorithm must be ES256 or RS256."},
		{"environment too long", "JWT", jwtAuth().but("environment", long(1025)), "auth.environment: auth.environment is longer than 1024 characters."},
		{"no password", "BASIC_AUTH", basicAuth().but("password", absent{}), "auth.password: auth.password is required."},
		{"password too long", "BASIC_AUTH", basicAuth().but("password", long(16385)), "auth.password: auth.password is longer than 16384 characters."},
		{"username empty", "BASIC_AUTH", basicAuth().but("username", ""), "auth.username: auth.username can't be empty."},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := sources.ParseCreate(good().but("authenticationType", c.at).but("auth", c.auth).json(t), check)
			if got := issuesOf(t, err); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestAuthIsKept(t *testing.T) {
	long := strings.Repeat("é", 16384)
	jwt := jwtAuth().but("privateKey", long).but("algorithm", "RS256").but("environment", "").json(t)
	c, err := sources.ParseCreate([]byte(`{"name":"n","type":"SIGNAL","endpointUrl":"https://a","protocol":"A2A",
		"authenticationType":"JWT","auth":`+string(jwt)+`}`), check)
	if err != nil {
		t.Fatal(err)
	}
	want := registry.JWTCredential{PrivateKey: long, Issuer: "iss", Subject: "sub", KeyID: "k1", Scope: "ads",
		TokenEndpointURL: "https://login.harbour.example/token", AudienceURL: "https://login.harbour.example", Algorithm: "RS256"}
	if got := c.Source().Credential; got == nil || got.JWT == nil || *got.JWT != want || got.Token != nil || got.Basic != nil || got.OAuth != nil {
		t.Error("the JWT credential is another one")
	}
	change, err := decide(t, agent(registry.AuthBasic, registry.SourceActive), members{"auth": basicAuth()}.json(t))
	if err != nil || change.Credential == nil || change.Credential.Basic == nil || *change.Credential.Basic != (registry.BasicCredential{Username: "reader"}) {
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
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, canary) || strings.Contains(s, fmt.Sprintf("%x", canary)) {
				t.Errorf("%s printed with %s shows a secret: %s", what, verb, s)
			}
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "v", v)
		if strings.Contains(log.String(), canary) {
			t.Errorf("%s logged shows a secret", what)
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
					if c != nil && fmt.Sprintf("%+v", c) != "[create]" {
						t.Errorf("a create prints as %+v", c)
					}
					look("its error", err)
					u := sources.ParseUpdate(members{"auth": given}.json(t), check)
					look("the update", u)
					look("the update itself", *u)
					if fmt.Sprintf("%+v", u) != "[update]" {
						t.Errorf("an update prints as %+v", u)
					}
					_, err = u.Decide(agent(at, registry.SourceActive))
					look("its error", err)
				}
			}
		}
	}
}
