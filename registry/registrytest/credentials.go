package registrytest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"esagate/registry"
)

// kinds are credentials of every kind with every field set, and with as few as can be.
func kinds() map[string]*registry.Credential {
	return map[string]*registry.Credential{
		"token": token("s3cret-\u00e9\u65e5<&>\"'\n" + strings.Repeat("x", 20_000)),
		"jwt": {JWT: &registry.JWTCredential{
			PrivateKey: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", Issuer: "i", Subject: "s", KeyID: "k", Scope: "a b",
			TokenEndpointURL: "https://token.example.net", AudienceURL: "https://audience.example.net", Algorithm: "ES256", Environment: "production",
		}},
		"bare jwt":       {JWT: &registry.JWTCredential{PrivateKey: "p"}},
		"basic":          {Basic: &registry.BasicCredential{Username: "u", Password: "p"}},
		"empty password": {Basic: &registry.BasicCredential{Username: "u"}},
		"oauth":          {OAuth: tokens("whole")},
		"bare oauth":     {OAuth: &registry.OAuthCredential{AccessToken: "a"}},
	}
}

// tokens are what a consent brings.
func tokens(secret string) *registry.OAuthCredential {
	return &registry.OAuthCredential{
		AccessToken: "access-" + secret, TokenType: "Bearer", RefreshToken: "refresh-" + secret, ExpiresAt: at(3600), Client: client(),
	}
}

func client() registry.OAuthClient {
	return registry.OAuthClient{
		Issuer: "https://login.example.net", TokenEndpoint: "https://login.example.net/token", RedirectURI: "https://gate.example.net/oauth/callback",
		ClientID: "client", ClientSecret: "client-secret", SecretExpires: at(86400), AuthMethod: "client_secret_post",
		Resource: "https://agents.example.net", Audience: "https://audience.example.net", Scope: "read write", RequireIssuer: true,
	}
}

func credentialKinds(t *testing.T, s registry.Store) {
	seen := map[string]string{}
	create(t, s, alice, newAgent("changing"))
	for name, cred := range kinds() {
		e := newAgent("made with " + name)
		e.Credential = cred
		create(t, s, alice, e)
		holds(t, s, alice, e.SourceID, cred)
		update(t, s, alice, "changing", always(registry.SourceChange{Credential: cred}))
		holds(t, s, alice, "changing", cred)
		for _, source := range []string{e.SourceID, "changing"} {
			_, id := secretOf(t, s, alice, source)
			if before := seen[id]; before != "" || strings.Contains(id, fmt.Sprint(readSource(t, s, alice, source).ID)) && len(id) < 20 {
				t.Fatalf("%s: id %q, which %s had", name, id, before)
			}
			seen[id] = name
		}
	}
	// Instants are kept to the microsecond, in UTC, in secrets too.
	fine := tokens("fine")
	fine.ExpiresAt = fine.ExpiresAt.Add(123).In(time.FixedZone("", 3600))
	update(t, s, alice, "changing", always(registry.SourceChange{Credential: &registry.Credential{OAuth: fine}}))
	holds(t, s, alice, "changing", &registry.Credential{OAuth: tokens("fine")})

	gone := update(t, s, alice, "changing", always(registry.SourceChange{EraseCredential: true}))
	if gone.Agent.CredentialID != "" {
		t.Fatalf("erased: %s", printed(gone))
	}
	if _, _, err := s.Customer(alice).Credential(t.Context(), "changing"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("erased: %v, want ErrNotFound", err)
	}
	// Both at once: new ones replace.
	update(t, s, alice, "changing", always(registry.SourceChange{Credential: token("new"), EraseCredential: true}))
	holds(t, s, alice, "changing", token("new"))
	for _, id := range []string{"none", "", "\x00"} {
		if _, _, err := s.Customer(alice).Credential(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Fatalf("%q: %v, want ErrNotFound", id, err)
		}
	}
}

func credentialChangesVersion(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, newAgent("agent"))
	steps := []struct {
		name   string
		change registry.SourceChange
		moves  bool
	}{
		{"first", registry.SourceChange{Credential: token("a")}, true},
		{"the same secret again", registry.SourceChange{Credential: token("a")}, true},
		{"another", registry.SourceChange{Credential: token("b")}, true},
		{"erased", registry.SourceChange{EraseCredential: true}, true},
		{"erased again", registry.SourceChange{EraseCredential: true}, false},
	}
	for _, step := range steps {
		was := *readSource(t, s, alice, "agent")
		moment := c.pass(time.Second)
		now := *update(t, s, alice, "agent", always(step.change))
		if moved := now.Agent.AuthVersion == was.Agent.AuthVersion+1 && now.UpdatedAt.Equal(moment); moved != step.moves {
			t.Fatalf("%s: version %d after %d, updated %v", step.name, now.Agent.AuthVersion, was.Agent.AuthVersion, now.UpdatedAt)
		}
	}
}

func credentialReplaced(t *testing.T, s registry.Store, c *clock) {
	e := newAgent("agent")
	e.Agent.Status = registry.SourceActive
	e.Credential = &registry.Credential{OAuth: tokens("1")}
	first := create(t, s, alice, e)
	as := s.Customer(alice)
	stale := func(id string) {
		t.Helper()
		for _, next := range []*registry.Credential{token("late"), nil} {
			if _, err := as.ReplaceCredential(t.Context(), "agent", id, next); !errors.Is(err, registry.ErrStale) {
				t.Fatalf("in place of %q: %v, want ErrStale", id, err)
			}
		}
		if _, err := as.LeaseRefresh(t.Context(), "agent", id, c.read().Add(time.Hour)); !errors.Is(err, registry.ErrStale) {
			t.Fatalf("lease of %q: %v, want ErrStale", id, err)
		}
	}
	stale("")
	stale("another")
	stale(create(t, s, alice, withToken("other", "x")).Agent.CredentialID)
	stale("\x00")

	c.pass(time.Second)
	next := &registry.Credential{OAuth: tokens("2")}
	second, err := as.ReplaceCredential(t.Context(), "agent", first.Agent.CredentialID, next)
	if err != nil {
		t.Fatal(err)
	}
	want := *first
	agent := *first.Agent
	agent.CredentialID, want.Agent = second.Agent.CredentialID, &agent
	sameSource(t, "a refresh shows in nothing but the id", second, &want)
	if agent.CredentialID == first.Agent.CredentialID {
		t.Fatal("new credentials, the same id")
	}
	holds(t, s, alice, "agent", next)
	stale(first.Agent.CredentialID)
	fails(t, registry.ErrInvalid)(as.ReplaceCredential(t.Context(), "agent", agent.CredentialID, token("\xff")))
	holds(t, s, alice, "agent", next)

	moment := c.pass(time.Second)
	erased, err := as.ReplaceCredential(t.Context(), "agent", agent.CredentialID, nil)
	if err != nil {
		t.Fatal(err)
	}
	agent.CredentialID, agent.Status, want.UpdatedAt = "", registry.SourcePending, moment
	sameSource(t, "erased", erased, &want)
	sameSource(t, "read back", readSource(t, s, alice, "agent"), &want)
	stale(first.Agent.CredentialID)

	// Only an ACTIVE source becomes PENDING.
	e = withToken("disabled", "x")
	e.Agent.Status = registry.SourceDisabled
	off := create(t, s, alice, e)
	if off, err = as.ReplaceCredential(t.Context(), "disabled", off.Agent.CredentialID, nil); err != nil || off.Agent.Status != registry.SourceDisabled {
		t.Fatalf("%v, %s", err, printed(off))
	}
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	for _, id := range []string{"managed", "none", "", "\x00"} {
		if _, err := as.ReplaceCredential(t.Context(), id, "x", token("x")); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", id, err)
		}
		if _, err := as.LeaseRefresh(t.Context(), id, "x", at(0)); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("lease of %q: %v, want ErrNotFound", id, err)
		}
	}
}

func credentialReplacedOnce(t *testing.T, s registry.Store) {
	first := create(t, s, alice, withToken("agent", "first"))
	winner := oneSucceeds(t, 8, registry.ErrStale, func(i int) error {
		_, err := s.Customer(alice).ReplaceCredential(t.Context(), "agent", first.Agent.CredentialID, token(fmt.Sprint(i)))
		return err
	})
	holds(t, s, alice, "agent", token(fmt.Sprint(winner)))
}

func credentialLease(t *testing.T, s registry.Store, c *clock) {
	first := create(t, s, alice, withToken("agent", "first"))
	as, id := s.Customer(alice), first.Agent.CredentialID
	lease := func(want int64) {
		t.Helper()
		var granted atomic.Int64
		succeedTogether(t, 6, func(int) error {
			mine, err := as.LeaseRefresh(t.Context(), "agent", id, c.read().Add(time.Minute))
			if mine {
				granted.Add(1)
			}
			return err
		})
		if got := granted.Load(); got != want {
			t.Fatalf("%d may refresh, want %d", got, want)
		}
	}
	lease(1)
	c.pass(time.Minute - time.Microsecond)
	lease(0)
	sameSource(t, "leased", readSource(t, s, alice, "agent"), first)
	c.pass(time.Microsecond)
	lease(1)
	// New credentials come without a lease.
	next, err := as.ReplaceCredential(t.Context(), "agent", id, token("second"))
	if err != nil {
		t.Fatal(err)
	}
	id = next.Agent.CredentialID
	lease(1)
}
