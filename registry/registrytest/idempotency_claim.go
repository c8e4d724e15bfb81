package registrytest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"esagate/registry"
)

// beginOnce claims a key, and looks at what it is given.
func beginOnce(t testing.TB, s registry.Store, o registry.IdempotencyRecord, replayed bool, answer []byte) {
	t.Helper()
	got, err := s.Customer(alice).ClaimIdempotencyKey(t.Context(), o)
	if err != nil || got.Replayed != replayed || got.Source != nil || (got.Answer == nil) != (answer == nil) || !bytes.Equal(got.Answer, answer) {
		t.Fatalf("begin %q: replayed %t, %q, %v", o.Key, got.Replayed, got.Answer, err)
	}
}

// beginRefused holds a claim to an error.
func beginRefused(t testing.TB, s registry.Store, o registry.IdempotencyRecord, want error) {
	t.Helper()
	if got, err := s.Customer(alice).ClaimIdempotencyKey(t.Context(), o); !errors.Is(err, want) {
		t.Fatalf("begin %q: %+v, %v, want %v", o.Key, got, err, want)
	}
}

func finishOnce(t testing.TB, s registry.Store, key string, answer []byte) {
	t.Helper()
	if err := s.Customer(alice).KeepAnswer(t.Context(), key, answer); err != nil {
		t.Fatal(err)
	}
}

func forgetOnce(t testing.TB, s registry.Store, customer int64, key string) {
	t.Helper()
	if err := s.Customer(customer).ReleaseIdempotencyKey(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}

func onceBegun(t *testing.T, s registry.Store, c *clock) {
	k, other := registry.IdempotencyRecord{Key: "k", Fingerprint: [32]byte{1}}, registry.IdempotencyRecord{Key: "k", Fingerprint: [32]byte{2}}
	beginOnce(t, s, k, false, nil)
	beginRefused(t, s, k, registry.ErrAnswerPending)
	beginRefused(t, s, other, registry.ErrKeyReused)
	if _, err := s.Customer(bob).ClaimIdempotencyKey(t.Context(), other); err != nil {
		t.Fatalf("a stranger's: %v", err)
	}
	finishOnce(t, s, "k", []byte("done"))
	beginOnce(t, s, k, true, []byte("done"))
	beginRefused(t, s, other, registry.ErrKeyReused)
	c.pass(registry.IdempotencyKept - time.Microsecond)
	beginOnce(t, s, k, true, []byte("done"))
	c.pass(time.Microsecond)
	beginOnce(t, s, other, false, nil) // as if never used: the old answer is gone
	beginRefused(t, s, other, registry.ErrAnswerPending)

	// What is lost is to be done again, by one.
	c.pass(registry.AnswerPending - time.Microsecond)
	beginRefused(t, s, other, registry.ErrAnswerPending)
	c.pass(time.Microsecond)
	beginRefused(t, s, k, registry.ErrKeyReused)
	beginOnce(t, s, other, false, nil)
	beginRefused(t, s, other, registry.ErrAnswerPending)
	finishOnce(t, s, "k", []byte{}) // an empty answer is one
	beginOnce(t, s, other, true, []byte{})
	for _, key := range []string{"", "\x00", "\xff"} {
		beginRefused(t, s, registry.IdempotencyRecord{Key: key}, registry.ErrInvalid)
	}
	// A key is the customer's own, whatever it was used for.
	fails(t, registry.ErrKeyReused)(s.Customer(alice).CreateSource(t.Context(), newAgent("x"), &k))
}

func oncePatience(t *testing.T, s registry.Store, c *clock) {
	k := registry.IdempotencyRecord{Key: "k", Pending: 5 * time.Minute}
	beginOnce(t, s, k, false, nil)
	createOnce(t, s, alice, newAgent("made"), &registry.IdempotencyRecord{Key: "made"}, false, "")
	c.pass(5*time.Minute - time.Microsecond)
	beginRefused(t, s, k, registry.ErrAnswerPending)
	if _, err := s.Customer(alice).CreateSource(t.Context(), newAgent("made"), &registry.IdempotencyRecord{Key: "made", Pending: 5 * time.Minute}); !errors.Is(err, registry.ErrAnswerPending) {
		t.Fatalf("%v, want ErrAnswerPending", err)
	}
	createOnce(t, s, alice, newAgent("made"), &registry.IdempotencyRecord{Key: "made"}, true, "") // the shorter claim has run out
	c.pass(time.Microsecond)
	beginOnce(t, s, k, false, nil)
	createOnce(t, s, alice, newAgent("made"), &registry.IdempotencyRecord{Key: "made", Pending: 5 * time.Minute}, true, "")
}

func onceForgotten(t *testing.T, s registry.Store, _ *clock) {
	other := [32]byte{9}
	// What makes nothing is as if it had never come, for another request too.
	beginOnce(t, s, registry.IdempotencyRecord{Key: "k"}, false, nil)
	forgetOnce(t, s, bob, "k")
	beginRefused(t, s, registry.IdempotencyRecord{Key: "k"}, registry.ErrAnswerPending)
	forgetOnce(t, s, alice, "k")
	forgetOnce(t, s, alice, "k")
	beginOnce(t, s, registry.IdempotencyRecord{Key: "k", Fingerprint: other}, false, nil)
	beginRefused(t, s, registry.IdempotencyRecord{Key: "k", Fingerprint: other}, registry.ErrAnswerPending)
	beginRefused(t, s, registry.IdempotencyRecord{Key: "k"}, registry.ErrKeyReused)
	finishOnce(t, s, "k", []byte("done"))
	forgetOnce(t, s, alice, "k") // an answer that is kept stays
	beginOnce(t, s, registry.IdempotencyRecord{Key: "k", Fingerprint: other}, true, []byte("done"))
	for _, key := range []string{"", "unknown", "\x00", "\xff"} {
		forgetOnce(t, s, alice, key)
		finishOnce(t, s, key, []byte("x"))
	}
	beginOnce(t, s, registry.IdempotencyRecord{Key: "unknown"}, false, nil)

	// What has made something gives that at once.
	for _, managed := range []bool{true, false} {
		key := map[bool]string{true: "managed", false: "agent"}[managed]
		make := func(o *registry.IdempotencyRecord) (registry.Creation, error) {
			if managed {
				return s.Customer(alice).CreateManaged(t.Context(), newManaged(key), o)
			}
			return s.Customer(alice).CreateSource(t.Context(), newAgent(key), o)
		}
		first, err := make(&registry.IdempotencyRecord{Key: key})
		if err != nil || first.Replayed {
			t.Fatal(first, err)
		}
		fails(t, registry.ErrAnswerPending)(make(&registry.IdempotencyRecord{Key: key}))
		forgetOnce(t, s, alice, key)
		again, err := make(&registry.IdempotencyRecord{Key: key})
		if err != nil || !again.Replayed || again.Answer != nil {
			t.Fatalf("%+v, %v", again, err)
		}
		sameSource(t, "what it made", again.Source, first.Source)
		fails(t, registry.ErrKeyReused)(make(&registry.IdempotencyRecord{Key: key, Fingerprint: other}))
		// Once that is gone, it is as if the key had never come.
		remove(t, s, alice, key)
		anew, err := make(&registry.IdempotencyRecord{Key: key, Fingerprint: other})
		if err != nil || anew.Replayed || anew.Source.ID == first.Source.ID {
			t.Fatalf("%+v, %v", anew, err)
		}
		fails(t, registry.ErrAnswerPending)(make(&registry.IdempotencyRecord{Key: key, Fingerprint: other}))
		finishOnce(t, s, key, []byte("answer"))
		if last, err := make(&registry.IdempotencyRecord{Key: key, Fingerprint: other}); err != nil || string(last.Answer) != "answer" {
			t.Fatalf("%+v, %v", last, err)
		}
	}
}

// onceBegunTogether has many begin with one key at once, first a new one, then one whose
// answer was lost, then one that was forgotten: one does it each time.
func onceBegunTogether(t *testing.T, s registry.Store, c *clock) {
	steps := []func(){func() {}, func() { c.pass(registry.AnswerPending) }, func() { forgetOnce(t, s, alice, "k") }}
	for _, step := range steps {
		step()
		oneSucceeds(t, 10, registry.ErrAnswerPending, func(int) error {
			got, err := s.Customer(alice).ClaimIdempotencyKey(t.Context(), registry.IdempotencyRecord{Key: "k"})
			if err == nil && got.Replayed {
				err = errors.New("replayed")
			}
			return err
		})
	}
}
