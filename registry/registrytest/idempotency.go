package registrytest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"esagate/registry"
)

// once is a use of an idempotency key that answers at once.
func once(key, answer string) *registry.IdempotencyRecord {
	return &registry.IdempotencyRecord{Key: key, Fingerprint: [32]byte{1}, Answer: func(src *registry.Source) []byte {
		return []byte(answer + " " + src.SourceID)
	}}
}

// createOnce makes a source, or replays, and looks at what comes back.
func createOnce(t testing.TB, s registry.Store, customer int64, entry registry.NewSource, o *registry.IdempotencyRecord, replayed bool, answer string) registry.Creation {
	t.Helper()
	got, err := s.Customer(customer).CreateSource(t.Context(), entry, o)
	if err != nil {
		t.Fatalf("create %q with key %q: %v", entry.SourceID, o.Key, err)
	}
	if got.Replayed != replayed || string(got.Answer) != answer {
		t.Fatalf("create %q with key %q: replayed %t, %q", entry.SourceID, o.Key, got.Replayed, got.Answer)
	}
	return got
}

func onceReplayed(t *testing.T, s registry.Store, c *clock) {
	var asked *registry.Source
	first := once("k", "made")
	answer := first.Answer
	first.Answer = func(src *registry.Source) []byte { asked = src; return answer(src) }
	made := createOnce(t, s, alice, withToken("agent", "x"), first, false, "")
	sameSource(t, "given to Answer", asked, made.Source)

	c.pass(time.Second)
	// What is replayed is what was answered; the source is as it stands.
	name := "Later"
	now := update(t, s, alice, "agent", always(registry.SourceChange{Name: &name}))
	again := createOnce(t, s, alice, withToken("agent", "y"), once("k", "again"), true, "made agent")
	sameSource(t, "as it stands", again.Source, now)
	holds(t, s, alice, "agent", token("x"))

	// Another key, and another customer's, are other creates.
	fails(t, registry.ErrSourceTaken)(s.Customer(alice).CreateSource(t.Context(), newAgent("agent"), once("K", "x")))
	createOnce(t, s, bob, newAgent("agent"), once("k", "theirs"), false, "")
	// A failed create leaves its key free.
	createOnce(t, s, alice, newAgent("next"), once("K", "made"), false, "")

	remove(t, s, alice, "agent")
	for range 2 {
		if again := createOnce(t, s, alice, newAgent("agent"), once("k", "x"), true, "made agent"); again.Source != nil {
			t.Fatalf("deleted since: %s", printed(again.Source))
		}
	}
	fails(t, registry.ErrNotFound)(s.Customer(alice).Source(t.Context(), "agent")) // a replay made it again
	for _, key := range []string{"", "a\x00", "a\xff"} {
		if _, err := s.Customer(alice).CreateSource(t.Context(), newAgent("bad"), once(key, "x")); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("key %q: %v, want ErrInvalid", key, err)
		}
	}
	for i, key := range hostile {
		id := fmt.Sprintf("hostile%d", i)
		createOnce(t, s, alice, newAgent(id), once(key, key), false, "")
		createOnce(t, s, alice, newAgent(id), once(key, "x"), true, key+" "+id)
	}
}

func onceReused(t *testing.T, s registry.Store, _ *clock) {
	createOnce(t, s, alice, newAgent("agent"), once("k", "made"), false, "")
	other := once("k", "x")
	other.Fingerprint[31] = 1
	for _, id := range []string{"agent", "other"} {
		if got, err := s.Customer(alice).CreateSource(t.Context(), newAgent(id), other); !errors.Is(err, registry.ErrKeyReused) {
			t.Fatalf("%q: %+v, %v, want ErrKeyReused", id, got, err)
		}
	}
	// Also while the first answer is still to come.
	createOnce(t, s, alice, newAgent("open"), &registry.IdempotencyRecord{Key: "p"}, false, "")
	fails(t, registry.ErrKeyReused)(s.Customer(alice).CreateSource(t.Context(), newAgent("open"), once("p", "x")))
	createOnce(t, s, alice, newAgent("agent"), once("k", "x"), true, "made agent")
}

func oncePending(t *testing.T, s registry.Store, c *clock) {
	later := func(key string) *registry.IdempotencyRecord { return &registry.IdempotencyRecord{Key: key} }
	none := later("none")
	none.Answer = func(*registry.Source) []byte { return nil }
	as := s.Customer(alice)
	finish := func(key string, answer []byte) {
		t.Helper()
		if err := as.KeepAnswer(t.Context(), key, answer); err != nil {
			t.Fatal(err)
		}
	}
	made := map[string]*registry.Source{}
	for _, o := range []*registry.IdempotencyRecord{later("answered"), later("lost"), none, later("empty")} {
		made[o.Key] = createOnce(t, s, alice, newAgent(o.Key), o, false, "").Source
	}
	c.pass(registry.AnswerPending - time.Microsecond)
	for key := range made {
		if _, err := as.CreateSource(t.Context(), newAgent(key), later(key)); !errors.Is(err, registry.ErrAnswerPending) {
			t.Fatalf("%q: %v, want ErrAnswerPending", key, err)
		}
	}
	finish("answered", []byte("at last"))
	finish("answered", []byte("too late")) // the first answer stands
	finish("empty", []byte{})
	finish("lost", nil)
	finish("unknown", []byte("x")) // nothing to finish
	finish("\x00", []byte("x"))
	if err := s.Customer(bob).KeepAnswer(t.Context(), "lost", []byte("a stranger's")); err != nil {
		t.Fatal(err)
	}
	createOnce(t, s, alice, newAgent("answered"), later("answered"), true, "at last")
	if got := createOnce(t, s, alice, newAgent("empty"), later("empty"), true, ""); got.Answer == nil {
		t.Fatal("an empty answer is one")
	}
	fails(t, registry.ErrAnswerPending)(as.CreateSource(t.Context(), newAgent("lost"), later("lost")))
	c.pass(time.Microsecond)
	for _, key := range []string{"lost", "none"} {
		got := createOnce(t, s, alice, newAgent(key), later(key), true, "")
		if got.Answer != nil {
			t.Fatalf("an answer that never came: %q", got.Answer)
		}
		sameSource(t, "as it stands", got.Source, made[key])
	}
	finish("lost", []byte("found")) // it was not lost after all
	createOnce(t, s, alice, newAgent("lost"), later("lost"), true, "found")
	create(t, s, alice, newAgent("unknown")) // no create was made up
}

func onceExpires(t *testing.T, s registry.Store, c *clock) {
	as := s.Customer(alice)
	remove := func() {
		t.Helper()
		remove(t, s, alice, "agent")
	}
	createOnce(t, s, alice, newAgent("agent"), once("k", "first"), false, "")
	createOnce(t, s, alice, newAgent("swept"), once("s", "first"), false, "")
	c.pass(registry.IdempotencyKept - time.Microsecond)
	createOnce(t, s, alice, newAgent("agent"), once("k", "x"), true, "first agent")
	c.pass(time.Microsecond)
	// As if never used: for another request too, and the old answer is gone.
	remove()
	other := once("k", "second")
	other.Fingerprint = [32]byte{2}
	createOnce(t, s, alice, newAgent("agent"), other, false, "") // sweeps s
	createOnce(t, s, alice, newAgent("agent"), other, true, "second agent")
	c.pass(registry.IdempotencyKept)
	remove()
	createOnce(t, s, alice, newAgent("agent"), &registry.IdempotencyRecord{Key: "k"}, false, "")
	if _, err := as.CreateSource(t.Context(), newAgent("agent"), &registry.IdempotencyRecord{Key: "k"}); !errors.Is(err, registry.ErrAnswerPending) {
		t.Fatalf("the old answer stayed: %v", err)
	}
	if err := as.KeepAnswer(t.Context(), "k", []byte("third")); err != nil {
		t.Fatal(err)
	}
	createOnce(t, s, alice, newAgent("agent"), &registry.IdempotencyRecord{Key: "k"}, true, "third")
	// An expired key that collides with a source is refused like any other create.
	fails(t, registry.ErrSourceTaken)(as.CreateSource(t.Context(), newAgent("swept"), once("s", "x")))
}

func onceConcurrent(t *testing.T, s registry.Store) {
	for round := range 5 {
		const n = 12
		got := make([]registry.Creation, n)
		key := fmt.Sprintf("key%d", round)
		errs := together(n, func(i int) (err error) {
			e := newAgent("")
			e.Slug = "same"
			got[i], err = s.Customer(alice).CreateSource(t.Context(), e, once(key, "made"))
			return err
		})
		fresh := 0
		for i, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
			if !got[i].Replayed {
				fresh++
			} else if string(got[i].Answer) != "made "+got[i].Source.SourceID {
				t.Fatalf("answer %q", got[i].Answer)
			}
			sameSource(t, "one source", got[i].Source, got[0].Source)
		}
		if _, count, err := s.Customer(alice).Sources(t.Context(), 0, 1); err != nil || count != round+1 || fresh != 1 {
			t.Fatalf("%d made it, %d sources, %v", fresh, count, err)
		}
	}
}
