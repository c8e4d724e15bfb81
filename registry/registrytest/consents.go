package registrytest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"esagate/registry"
)

// consent is one for a source as it stands.
func consent(t testing.TB, s registry.Store, customer int64, sourceID string, expires time.Time) registry.Consent {
	t.Helper()
	src := *readSource(t, s, customer, sourceID)
	return registry.Consent{
		SourceRow: src.ID, AuthVersion: src.Agent.AuthVersion, Verifier: "verifier of " + sourceID,
		Client: client(), ExpiresAt: expires,
	}
}

// begin keeps a consent.
func begin(t testing.TB, s registry.Store, customer int64, sourceID string, state [32]byte, expires time.Time) registry.Consent {
	t.Helper()
	kept := consent(t, s, customer, sourceID, expires)
	if err := s.Customer(customer).BeginConsent(t.Context(), sourceID, state, kept); err != nil {
		t.Fatalf("begin a consent of %q: %v", sourceID, err)
	}
	return kept
}

func notTaken(t testing.TB, s registry.Store, what string, state [32]byte) {
	t.Helper()
	if got, err := s.TakeConsent(t.Context(), state); !errors.Is(err, registry.ErrNotFound) || got != nil {
		t.Fatalf("%s: %v, want ErrNotFound", what, err)
	}
}

func consentTaken(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, newAgent("agent"))
	create(t, s, bob, newAgent("agent"))
	ours, theirs := [32]byte{1}, [32]byte{2}
	kept := begin(t, s, alice, "agent", ours, c.read().Add(10*time.Minute))
	foreign := begin(t, s, bob, "agent", theirs, c.read().Add(10*time.Minute))
	before := readSource(t, s, alice, "agent")

	notTaken(t, s, "another state", [32]byte{3})
	notTaken(t, s, "no state", [32]byte{})
	got, err := s.TakeConsent(t.Context(), ours)
	if err != nil || !reflect.DeepEqual(got, &registry.TakenConsent{CustomerID: alice, SourceID: "agent", Consent: kept}) {
		t.Fatalf("taken: %v, or another than was begun", err)
	}
	notTaken(t, s, "twice", ours)
	sameSource(t, "begun and taken", readSource(t, s, alice, "agent"), before)
	got, err = s.TakeConsent(t.Context(), theirs)
	if err != nil || !reflect.DeepEqual(got, &registry.TakenConsent{CustomerID: bob, SourceID: "agent", Consent: foreign}) {
		t.Fatalf("a stranger's: %v, or another than was begun", err)
	}
}

func consentTakenOnce(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, newAgent("agent"))
	for round := range 5 {
		state := [32]byte{7, byte(round)}
		begin(t, s, alice, "agent", state, c.read().Add(time.Minute))
		oneSucceeds(t, 8, registry.ErrNotFound, func(int) error { _, err := s.TakeConsent(t.Context(), state); return err })
	}
}

func consentExpires(t *testing.T, s registry.Store, c *clock) {
	for _, id := range []string{"early", "late", "left"} {
		create(t, s, alice, newAgent(id))
	}
	end := c.read().Add(10 * time.Minute)
	early, late, left := [32]byte{1}, [32]byte{2}, [32]byte{3}
	begin(t, s, alice, "early", early, end)
	begin(t, s, alice, "late", late, end)
	begin(t, s, alice, "left", left, end)
	c.pass(10*time.Minute - time.Microsecond)
	if _, err := s.TakeConsent(t.Context(), early); err != nil {
		t.Fatalf("in its last moment: %v", err)
	}
	c.pass(time.Microsecond)
	notTaken(t, s, "expired", late)
	// Another that begins sweeps what has expired, and nothing else.
	fresh := [32]byte{4}
	begin(t, s, alice, "early", fresh, end.Add(10*time.Minute))
	begin(t, s, alice, "late", late, end.Add(time.Minute))
	notTaken(t, s, "expired and swept", left)
	for _, state := range [][32]byte{fresh, late} {
		if _, err := s.TakeConsent(t.Context(), state); err != nil {
			t.Fatalf("swept too early: %v", err)
		}
	}
	if err := s.Customer(alice).BeginConsent(t.Context(), "early", fresh, consent(t, s, alice, "early", time.Time{})); !errors.Is(err, registry.ErrInvalid) {
		t.Fatalf("one without an end: %v, want ErrInvalid", err)
	}
}

func consentReplaced(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, newAgent("agent"))
	create(t, s, alice, newAgent("other"))
	end := c.read().Add(time.Minute)
	first, second, other := [32]byte{1}, [32]byte{2}, [32]byte{3}
	begin(t, s, alice, "agent", first, end)
	begin(t, s, alice, "other", other, end)
	begin(t, s, alice, "agent", second, end)
	notTaken(t, s, "replaced", first)
	for _, state := range [][32]byte{second, other} {
		if _, err := s.TakeConsent(t.Context(), state); err != nil {
			t.Fatal(err)
		}
	}
	// One begun on an older state of the source is refused, and voids nothing.
	old := consent(t, s, alice, "agent", end)
	update(t, s, alice, "agent", always(registry.SourceChange{NewConsent: true}))
	begin(t, s, alice, "agent", first, end)
	if err := s.Customer(alice).BeginConsent(t.Context(), "agent", second, old); !errors.Is(err, registry.ErrStale) {
		t.Fatalf("%v, want ErrStale", err)
	}
	notTaken(t, s, "refused", second)
	if _, err := s.TakeConsent(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	for _, id := range []string{"managed", "none", "", "\x00"} {
		if err := s.Customer(alice).BeginConsent(t.Context(), id, second, old); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", id, err)
		}
	}
	bad := consent(t, s, alice, "agent", end)
	bad.Client.ClientSecret = "\xff"
	if err := s.Customer(alice).BeginConsent(t.Context(), "agent", second, bad); !errors.Is(err, registry.ErrInvalid) {
		t.Fatalf("%v, want ErrInvalid", err)
	}
}

func consentEnds(t *testing.T, s registry.Store, c *clock) {
	e := withToken("agent", "before")
	e.Agent.Authentication = registry.AuthOAuth
	was := create(t, s, alice, e)
	as := s.Customer(alice)
	current := func() registry.Consent { return consent(t, s, alice, "agent", c.read().Add(time.Minute)) }
	moment := c.pass(time.Second)
	got, err := as.EndConsent(t.Context(), "agent", current(), *tokens("new"))
	if err != nil {
		t.Fatal(err)
	}
	holds(t, s, alice, "agent", &registry.Credential{OAuth: tokens("new")})
	want := *was
	agent := *was.Agent
	want.Agent, want.UpdatedAt = &agent, moment
	agent.CredentialID = got.Agent.CredentialID
	sameSource(t, "ended", got, &want)
	sameSource(t, "read back", readSource(t, s, alice, "agent"), &want)
	if agent.CredentialID == was.Agent.CredentialID {
		t.Fatal("new credentials, the same id")
	}

	for name, void := range map[string]func(){
		"another audience": func() {
			update(t, s, alice, "agent", agentChange(func(a *registry.Agent) { a.OAuthAudience += "x" }))
		},
		"other credentials": func() { update(t, s, alice, "agent", always(registry.SourceChange{Credential: token("own")})) },
	} {
		old := current()
		void()
		stands, _ := secretOf(t, s, alice, "agent")
		if _, err := as.EndConsent(t.Context(), "agent", old, *tokens("late")); !errors.Is(err, registry.ErrStale) {
			t.Fatalf("after %s: %v, want ErrStale", name, err)
		}
		holds(t, s, alice, "agent", stands)
	}
	// A refresh in between is no change of how the agent is asked.
	now, id := current(), readSource(t, s, alice, "agent").Agent.CredentialID
	if _, err := as.ReplaceCredential(t.Context(), "agent", id, token("refreshed")); err != nil {
		t.Fatal(err)
	}
	if _, err := as.EndConsent(t.Context(), "agent", now, *tokens("after")); err != nil {
		t.Fatalf("after a refresh: %v", err)
	}
	bad := *tokens("bad")
	bad.RefreshToken = "\xff"
	fails(t, registry.ErrInvalid)(as.EndConsent(t.Context(), "agent", now, bad))
	holds(t, s, alice, "agent", &registry.Credential{OAuth: tokens("after")})
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	for _, id := range []string{"managed", "none", "", "\x00"} {
		if _, err := as.EndConsent(t.Context(), id, now, *tokens("x")); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", id, err)
		}
	}
}

// consentCrosses deletes a source, and makes another one of its sourceId, at each step
// of a consent. The new one's AuthVersion is the old one's.
func consentCrosses(t *testing.T, s registry.Store, c *clock) {
	as, end := s.Customer(alice), c.read().Add(time.Minute)
	anew := func() {
		t.Helper()
		remove(t, s, alice, "agent")
		create(t, s, alice, newAgent("agent"))
	}
	create(t, s, alice, newAgent("agent"))
	first, second := [32]byte{1}, [32]byte{2}

	old := begin(t, s, alice, "agent", first, end)
	anew()
	notTaken(t, s, "begun, then made anew", first)
	if err := as.BeginConsent(t.Context(), "agent", second, old); !errors.Is(err, registry.ErrStale) {
		t.Fatalf("begun on the old one: %v, want ErrStale", err)
	}
	notTaken(t, s, "refused", second)

	begin(t, s, alice, "agent", first, end)
	taken, err := s.TakeConsent(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	anew()
	was := readSource(t, s, alice, "agent")
	for _, of := range []registry.Consent{old, taken.Consent} {
		if got, err := as.EndConsent(t.Context(), "agent", of, *tokens("the old one's")); !errors.Is(err, registry.ErrStale) || got != nil {
			t.Fatalf("ended on the old one: %v, want ErrStale", err)
		}
	}
	sameSource(t, "the new one", readSource(t, s, alice, "agent"), was)
	if _, _, err := as.Credential(t.Context(), "agent"); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("the new one's credentials: %v, want ErrNotFound", err)
	}
	if _, err := as.EndConsent(t.Context(), "agent", begin(t, s, alice, "agent", first, end), *tokens("its own")); err != nil {
		t.Fatal(err)
	}
	holds(t, s, alice, "agent", &registry.Credential{OAuth: tokens("its own")})
}

// consentRaces ends, voids and takes consents of one source at once.
func consentRaces(t *testing.T, s registry.Store, c *clock) {
	create(t, s, alice, withToken("agent", "x"))
	as, end := s.Customer(alice), c.read().Add(time.Minute)
	succeedTogether(t, 8, func(w int) error {
		for i := range 6 {
			state := [32]byte{byte(w), byte(i)}
			src, err := as.Source(t.Context(), "agent")
			if err != nil {
				return err
			}
			kept := registry.Consent{SourceRow: src.ID, AuthVersion: src.Agent.AuthVersion, Verifier: "v", ExpiresAt: end}
			err = as.BeginConsent(t.Context(), "agent", state, kept)
			if err == nil && w%2 == 0 {
				_, err = as.UpdateSource(t.Context(), "agent", func(*registry.Source) (registry.SourceChange, error) {
					return registry.SourceChange{NewConsent: true}, nil
				})
			}
			if err == nil {
				_, err = s.TakeConsent(t.Context(), state)
			}
			if err == nil {
				_, err = as.EndConsent(t.Context(), "agent", kept, *tokens("raced"))
			}
			if err != nil && !errors.Is(err, registry.ErrStale) && !errors.Is(err, registry.ErrNotFound) {
				return err
			}
		}
		return nil
	})
}
