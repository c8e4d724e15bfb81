package registrytest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"esagate/registry"
)

func reopenSources(t *testing.T, open Opener) {
	c := newClock()
	opts := Options{Now: c.read}
	s := open(t, opts)
	agent := create(t, s, alice, withToken("agent", "kept"))
	create(t, s, alice, withToken("deleted", "gone"))
	createOnce(t, s, alice, newAgent("once"), once("k", "made"), false, "")
	createOnce(t, s, alice, newAgent("open"), &registry.IdempotencyRecord{Key: "open"}, false, "")
	adopt(t, s, entry(alice, "renamed"), registry.AdoptionCreated)
	name := "By a user"
	renamed := update(t, s, alice, "renamed", always(registry.SourceChange{Name: &name}))
	state := [32]byte{1}
	kept := begin(t, s, alice, "agent", state, c.read().Add(time.Hour))
	remove(t, s, alice, "deleted")
	if mine, err := s.Customer(alice).LeaseRefresh(t.Context(), "agent", agent.Agent.CredentialID, c.read().Add(time.Minute)); err != nil || !mine {
		t.Fatal(mine, err)
	}
	first, second := createKey(t, s, apiKey(alice, "first")), createKey(t, s, apiKey(alice, "second"))
	if _, err := s.APIKeys().RevokeKey(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	before := generation(t, s, second)
	shut(t, s)

	s = open(t, opts)
	defer shut(t, s)
	sameSource(t, "agent", readSource(t, s, alice, "agent"), agent)
	holds(t, s, alice, "agent", token("kept"))
	sameSource(t, "renamed", readSource(t, s, alice, "renamed"), renamed)
	adopt(t, s, entry(alice, "renamed"), registry.AdoptionUnchanged)
	gone(t, s, alice, "deleted")
	createOnce(t, s, alice, newAgent("once"), once("k", "x"), true, "made once")
	if _, err := s.Customer(alice).CreateSource(t.Context(), newAgent("open"), &registry.IdempotencyRecord{Key: "open"}); !errors.Is(err, registry.ErrAnswerPending) {
		t.Fatalf("%v, want ErrAnswerPending", err)
	}
	if mine, err := s.Customer(alice).LeaseRefresh(t.Context(), "agent", agent.Agent.CredentialID, c.read().Add(time.Minute)); err != nil || mine {
		t.Fatalf("leased twice: %t, %v", mine, err)
	}
	got, err := s.TakeConsent(t.Context(), state)
	if err != nil || !reflect.DeepEqual(got, &registry.TakenConsent{CustomerID: alice, SourceID: "agent", Consent: kept}) {
		t.Fatalf("the consent: %v, or another than was begun", err)
	}
	if after := generation(t, s, second); after != before {
		t.Fatalf("generation %d, was %d", after, before)
	}
	if next := createKey(t, s, apiKey(alice, "third")); next.ID <= second.ID {
		t.Fatalf("key id %d after %d", next.ID, second.ID)
	}
	if next := create(t, s, alice, newAgent("deleted")); next.ID <= renamed.ID {
		t.Fatalf("source id %d after %d", next.ID, renamed.ID)
	}
	if n, err := s.RewriteSecrets(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d secrets of one key were rewritten, %v", n, err)
	}
}

// reopenTwoSources has two processes make, change, repeat and delete.
func reopenTwoSources(t *testing.T, open Opener) {
	stores := []registry.Store{open(t, Options{}), open(t, Options{})}
	defer shut(t, stores[0])
	defer shut(t, stores[1])
	create(t, stores[0], alice, newAgent("shared"))
	const writers, rounds = 4, 8
	made := make([][]registry.Creation, writers)
	succeedTogether(t, writers, func(w int) error {
		c := stores[w%2].Customer(alice)
		for i := range rounds {
			e := withToken("", "x")
			e.Slug = "same"
			got, err := c.CreateSource(t.Context(), e, once(fmt.Sprintf("key%d", i), "made"))
			if err != nil {
				return err
			}
			made[w] = append(made[w], got)
			if _, err := c.UpdateSource(t.Context(), "shared", agentUpdate(func(a *registry.Agent) { a.Description += "|" })); err != nil {
				return err
			}
			if got.Source == nil { // another has deleted it already
				continue
			}
			if _, err := c.DeleteSource(t.Context(), got.Source.SourceID, allowed); err != nil && !errors.Is(err, registry.ErrNotFound) {
				return err
			}
		}
		return nil
	})
	for i := range rounds {
		fresh := 0
		for w := range writers {
			if !made[w][i].Replayed {
				fresh++
			}
		}
		if fresh != 1 {
			t.Fatalf("key%d made %d sources", i, fresh)
		}
	}
	src := *readSource(t, stores[1], alice, "shared")
	if got := len(src.Agent.Description) - len(newAgent("shared").Agent.Description); got != writers*rounds {
		t.Fatalf("%d of %d changes are there", got, writers*rounds)
	}
	if _, n, err := stores[0].Customer(alice).Sources(t.Context(), 0, 1); err != nil || n != 1 {
		t.Fatalf("%d sources, %v", n, err)
	}
}

func agentUpdate(f func(*registry.Agent)) func(*registry.Source) (registry.SourceChange, error) {
	decide := agentChange(f)
	return func(src *registry.Source) (registry.SourceChange, error) { return decide(src), nil }
}
