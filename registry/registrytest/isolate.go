package registrytest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"esagate/registry"
)

// sourceCalls are the calls about one source, each with a sourceId and with
// credentials, and of a kind that changes something where it may.
func sourceCalls(c registry.CustomerStore, was *registry.Source, sourceID string) map[string]func(context.Context) error {
	credentialID := was.Agent.CredentialID
	consent := registry.Consent{SourceRow: was.ID, AuthVersion: was.Agent.AuthVersion, Verifier: "v", ExpiresAt: at(math.MaxInt16)}
	return map[string]func(context.Context) error{
		"Source": func(ctx context.Context) error { _, err := c.Source(ctx, sourceID); return err },
		"UpdateSource": func(ctx context.Context) error {
			_, err := c.UpdateSource(ctx, sourceID, func(*registry.Source) (registry.SourceChange, error) {
				name := "taken over"
				return registry.SourceChange{Name: &name}, nil
			})
			return err
		},
		"DeleteSource": func(ctx context.Context) error { _, err := c.DeleteSource(ctx, sourceID, allowed); return err },
		"Credential":   func(ctx context.Context) error { _, _, err := c.Credential(ctx, sourceID); return err },
		"ReplaceCredential": func(ctx context.Context) error {
			_, err := c.ReplaceCredential(ctx, sourceID, credentialID, nil)
			return err
		},
		"LeaseRefresh": func(ctx context.Context) error {
			_, err := c.LeaseRefresh(ctx, sourceID, credentialID, at(math.MaxInt16))
			return err
		},
		"BeginConsent": func(ctx context.Context) error {
			return c.BeginConsent(ctx, sourceID, [32]byte{200}, consent)
		},
		"MarkRefused": func(ctx context.Context) error {
			_, err := c.MarkRefused(ctx, sourceID, credentialID, at(1))
			return err
		},
		"KeepLaunch": func(ctx context.Context) error {
			return c.KeepLaunch(ctx, sourceID, [32]byte{200}, launchOf(was, at(math.MaxInt16)))
		},
		"EndConsent": func(ctx context.Context) error {
			_, err := c.EndConsent(ctx, sourceID, consent, *tokens("theirs"))
			return err
		},
	}
}

func customersIsolatedSources(t *testing.T, s registry.Store, c *clock) {
	was := create(t, s, alice, withToken("private", "ours"))
	adopt(t, s, entry(alice, "managed"), registry.AdoptionCreated)
	managed := readSource(t, s, alice, "managed")
	createOnce(t, s, alice, newAgent("made once"), once("k", "ours"), false, "")
	state := [32]byte{1}
	begin(t, s, alice, "private", state, c.read().Add(time.Hour))
	for _, customer := range []int64{bob, 0, -alice, math.MaxInt64} {
		for _, sourceID := range []string{"private", "managed"} {
			for name, call := range sourceCalls(s.Customer(customer), was, sourceID) {
				if err := call(t.Context()); !errors.Is(err, registry.ErrNotFound) {
					t.Errorf("%s of %s by customer %d: %v, want ErrNotFound", name, sourceID, customer, err)
				}
			}
		}
		theirs := s.Customer(customer)
		if page, _, err := theirs.Sources(t.Context(), 0, 10); err != nil || len(page) != 0 {
			t.Errorf("customer %d: %d sources, %v", customer, len(page), err)
		}
		if _, n, err := theirs.Sources(t.Context(), 0, 1); err != nil || n != 0 {
			t.Errorf("customer %d counts %d, %v", customer, n, err)
		}
		if err := theirs.KeepAnswer(t.Context(), "k", []byte("theirs")); err != nil {
			t.Error(err)
		}
	}
	sameSource(t, "after foreign calls", readSource(t, s, alice, "private"), was)
	sameSource(t, "after foreign calls", readSource(t, s, alice, "managed"), managed)
	holds(t, s, alice, "private", token("ours"))
	createOnce(t, s, alice, newAgent("made once"), once("k", "x"), true, "ours made once")

	// A stranger's source of the same name has its own of everything.
	theirs := create(t, s, bob, withToken("private", "theirs"))
	holds(t, s, alice, "private", token("ours"))
	if err := s.Customer(bob).BeginConsent(t.Context(), "private", [32]byte{2}, consent(t, s, bob, "private", c.read().Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	fails(t, registry.ErrStale)(s.Customer(bob).ReplaceCredential(t.Context(), "private", was.Agent.CredentialID, nil))
	if ok, err := s.Customer(bob).LeaseRefresh(t.Context(), "private", was.Agent.CredentialID, at(math.MaxInt16)); ok || !errors.Is(err, registry.ErrStale) {
		t.Errorf("leased by our id: %t, %v, want ErrStale", ok, err)
	}
	remove(t, s, bob, "private")
	sameSource(t, "after theirs went", readSource(t, s, alice, "private"), was)
	holds(t, s, alice, "private", token("ours"))
	if got, err := s.TakeConsent(t.Context(), state); err != nil || got.CustomerID != alice {
		t.Errorf("our consent: %v", err)
	}
	if theirs.ID == was.ID || theirs.Agent.CredentialID == was.Agent.CredentialID {
		t.Errorf("shared ids: %s %s", printed(was), printed(theirs))
	}
}

func concurrentSourceID(t *testing.T, s registry.Store) {
	for range 5 {
		const n = 12
		got := make([]registry.Creation, n)
		winner := oneSucceeds(t, n, registry.ErrSourceTaken, func(i int) (err error) {
			got[i], err = s.Customer(alice).CreateSource(t.Context(), withToken("contested", "of the winner"), nil)
			return err
		})
		sameSource(t, "the winner's", readSource(t, s, alice, "contested"), got[winner].Source)
		remove(t, s, alice, "contested")
	}
}

func concurrentSlugs(t *testing.T, s registry.Store) {
	const n = 24
	got := make([]registry.Creation, n)
	errs := together(n, func(i int) (err error) {
		e := newAgent("")
		e.Slug = "same"
		got[i], err = s.Customer(alice+int64(i%2)).CreateSource(t.Context(), e, nil)
		return err
	})
	names, rows := map[string]int{}, map[int64]bool{}
	for i, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
		names[got[i].Source.SourceID]++
		rows[got[i].Source.ID] = true
	}
	if len(rows) != n || len(names) != n/2 || names["same"] != 2 || names["same-2"] != 2 || names["same-12"] != 2 {
		t.Fatalf("%d rows, names %v", len(rows), names)
	}
}

// concurrentKinds lets an entry of the config and a create want one sourceId.
func concurrentKinds(t *testing.T, s registry.Store) {
	for round := range 8 {
		e := entry(alice, "contested")
		e.SourceID = "contested" + string(rune('a'+round))
		e.TenantID = ""
		var adopted registry.Adoption
		errs := together(2, func(i int) (err error) {
			if i == 0 {
				adopted, err = s.Adopt(t.Context(), e)
				return err
			}
			_, err = s.Customer(alice).CreateSource(t.Context(), newAgent(e.SourceID), nil)
			return err
		})
		src := readSource(t, s, alice, e.SourceID)
		if errs[0] != nil {
			t.Fatal(errs[0])
		}
		if managed := adopted.Outcome == registry.AdoptionCreated; managed != errors.Is(errs[1], registry.ErrSourceTaken) || managed != (src.Connection != nil) ||
			!managed && (errs[1] != nil || adopted.Outcome != registry.AdoptionNotManaged) {
			t.Fatalf("%s beside %v: %s", adopted.Outcome, errs[1], printed(src))
		}
	}
}
