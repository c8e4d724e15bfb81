package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"esagate/internal/vault"
	"esagate/registry"
)

// TestMadeUpStates: a state that nobody began costs no transaction. Here it would
// wait for the one that it is looked for in.
func TestMadeUpStates(t *testing.T) {
	s := fileStore(t)
	if err := s.writing(t.Context(), 5, func(scope) error {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := s.TakeConsent(ctx, [32]byte{1})
		return err
	}); !errors.Is(err, registry.ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound", err)
	}
}

// TestExpiredConsentsAreSwept: what nobody came back for goes when others begin, some
// rows at a time.
func TestExpiredConsentsAreSwept(t *testing.T) {
	v, err := vault.New(vault.Generate())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2032, 1, 2, 3, 4, 5, 0, time.UTC)
	s := fileStore(t, WithVault(v), WithClock(func() time.Time { return now }))
	c := s.Customer(5)
	begin := func(i int) {
		t.Helper()
		id := fmt.Sprint("agent", i)
		made, err := c.CreateSource(t.Context(), registry.NewSource{SourceID: id, AgentID: func() string { return id }}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.BeginConsent(t.Context(), id, [32]byte{byte(i), byte(i >> 8), 1}, registry.Consent{
			SourceRow: made.Source.ID, AuthVersion: 1, Verifier: "v", ExpiresAt: now.Add(10 * time.Minute)}); err != nil {
			t.Fatal(err)
		}
	}
	const n = sweepRows + 5
	for i := range n {
		begin(i)
	}
	now = now.Add(10*time.Minute - time.Microsecond)
	for i, want := range []int{n + 1, n + 2 - sweepRows, 3} {
		begin(n + i)
		now = now.Add(time.Microsecond)
		var left int
		if err := s.reading(0).queryRow(t.Context(), global(`SELECT COUNT(*) FROM consents`)).Scan(&left); err != nil || left != want {
			t.Fatalf("after %d more: %d rows, %v, want %d", i+1, left, err, want)
		}
	}
}
