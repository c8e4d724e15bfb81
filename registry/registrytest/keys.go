package registrytest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

func apiKey(customer int64, name string) registry.APIKey {
	return registry.APIKey{CustomerID: customer, Name: name, Write: true, SHA256: sha256.Sum256(fmt.Appendf(nil, "%d %s", customer, name))}
}

func createKey(t testing.TB, s registry.Store, key registry.APIKey) registry.APIKey {
	t.Helper()
	made, err := s.APIKeys().CreateKey(t.Context(), key)
	if err != nil {
		t.Fatalf("create key %q: %v", key.Name, err)
	}
	return made
}

// generation reads the generation in both ways, which must agree, and the good keys.
func generation(t testing.TB, s registry.Store, want ...registry.APIKey) int64 {
	t.Helper()
	keys, all, err := s.APIKeys().GoodKeys(t.Context())
	if err != nil || len(keys) != len(want) || len(want) > 0 && !reflect.DeepEqual(keys, want) {
		t.Fatalf("good keys %+v, %v, want %+v", keys, err, want)
	}
	alone, err := s.APIKeys().KeyGeneration(t.Context())
	if err != nil || alone != all {
		t.Fatalf("generation %d, %v, with the keys %d", alone, err, all)
	}
	return alone
}

func keysMade(t *testing.T, s registry.Store, c *clock) {
	before := generation(t, s)
	asked := apiKey(alice, "site")
	asked.ID, asked.CreatedAt, asked.RevokedAt, asked.LastUsedAt = 77, at(1), at(2), at(3) // not the caller's to say
	first := createKey(t, s, asked)
	want := apiKey(alice, "site")
	want.ID, want.CreatedAt = first.ID, c.read()
	if first != want || first.ID <= 0 {
		t.Fatalf("made %+v, want %+v", first, want)
	}
	after := generation(t, s, first)
	if after <= before {
		t.Fatalf("generation %d after %d", after, before)
	}
	reading := apiKey(bob, "site") // the same name of another customer
	reading.Write, reading.Identity = false, registry.Identity{Role: "viewer", Email: "o'hara@example.net", PrincipalID: "p-1"}
	second := createKey(t, s, reading)
	if second.Write || second.ID <= first.ID || second.Identity != reading.Identity {
		t.Fatalf("made %+v", second)
	}
	grown := generation(t, s, first, second)
	if grown <= after {
		t.Fatalf("generation %d after %d", grown, after)
	}

	taken := apiKey(alice, "site")
	taken.SHA256 = sha256.Sum256([]byte("another"))
	fails(t, registry.ErrNameTaken)(s.APIKeys().CreateKey(t.Context(), taken))
	again := apiKey(alice, "other name")
	again.SHA256 = first.SHA256
	if got, err := s.APIKeys().CreateKey(t.Context(), again); err == nil || errors.Is(err, registry.ErrNameTaken) {
		t.Fatalf("one key twice: %+v, %v", got, err)
	}
	for _, name := range []string{"", "a\x00", "a\xff", strings.Repeat("n", registry.MaxIDLength+1)} {
		if got, err := s.APIKeys().CreateKey(t.Context(), apiKey(alice, name)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("name %.10q: %+v, %v, want ErrInvalid", name, got, err)
		}
	}
	for _, bad := range []registry.Identity{{Role: "\x00"}, {Email: "\xff"}, {PrincipalID: "a\x00"}} {
		key := apiKey(alice, "third")
		key.Identity = bad
		fails(t, registry.ErrInvalid)(s.APIKeys().CreateKey(t.Context(), key))
	}
	if now := generation(t, s, first, second); now != grown {
		t.Fatalf("generation %d after refusals, was %d", now, grown)
	}
	if all, err := s.APIKeys().Keys(t.Context()); err != nil || !reflect.DeepEqual(all, []registry.APIKey{first, second}) {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, name := range hostile {
		if made := createKey(t, s, apiKey(alice, name)); made.Name != name {
			t.Fatalf("%q became %q", name, made.Name)
		}
	}
}

func keysRevoked(t *testing.T, s registry.Store, c *clock) {
	first, second := createKey(t, s, apiKey(alice, "site")), createKey(t, s, apiKey(alice, "job"))
	before := generation(t, s, first, second)
	moment := c.pass(time.Second)
	gone, err := s.APIKeys().RevokeKey(t.Context(), first.ID)
	want := first
	want.RevokedAt = moment
	if err != nil || gone != want {
		t.Fatalf("revoked %+v, %v, want %+v", gone, err, want)
	}
	after := generation(t, s, second)
	if after <= before {
		t.Fatalf("generation %d after %d", after, before)
	}
	c.pass(time.Second)
	if again, err := s.APIKeys().RevokeKey(t.Context(), first.ID); err != nil || again != want {
		t.Fatalf("revoked again %+v, %v, want %+v", again, err, want)
	}
	for _, id := range []int64{0, -1, second.ID + 1} {
		if got, err := s.APIKeys().RevokeKey(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("id %d: %+v, %v, want ErrNotFound", id, got, err)
		}
	}
	if now := generation(t, s, second); now != after {
		t.Fatalf("generation %d, was %d", now, after)
	}
	// The name is free, the key itself is not.
	if got, err := s.APIKeys().CreateKey(t.Context(), apiKey(alice, "site")); err == nil {
		t.Fatalf("a revoked key came back: %+v", got)
	}
	renewed := apiKey(alice, "site")
	renewed.SHA256 = sha256.Sum256([]byte("renewed"))
	third := createKey(t, s, renewed)
	if third.ID <= second.ID {
		t.Fatalf("id %d after %d", third.ID, second.ID)
	}
	if all, err := s.APIKeys().Keys(t.Context()); err != nil || !reflect.DeepEqual(all, []registry.APIKey{want, second, third}) {
		t.Fatalf("%+v, %v", all, err)
	}
	generation(t, s, second, third)
}

func keysTouched(t *testing.T, s registry.Store, _ *clock) {
	first, second := createKey(t, s, apiKey(alice, "site")), createKey(t, s, apiKey(bob, "job"))
	before := generation(t, s, first, second)
	hour := time.Date(2031, 6, 1, 15, 0, 0, 0, time.UTC)
	steps := []struct {
		used          map[int64]time.Time
		first, second time.Time
	}{
		{nil, time.Time{}, time.Time{}},
		{map[int64]time.Time{first.ID: hour.Add(59 * time.Minute).In(time.FixedZone("", -7200))}, hour, time.Time{}},
		{map[int64]time.Time{first.ID: hour.Add(-time.Second), second.ID: hour}, hour, hour},
		{map[int64]time.Time{first.ID: hour.Add(time.Hour), second.ID: {}, 9999: hour}, hour.Add(time.Hour), hour},
	}
	for i, step := range steps {
		if err := s.APIKeys().TouchKeys(t.Context(), step.used); err != nil {
			t.Fatal(err)
		}
		first.LastUsedAt, second.LastUsedAt = step.first, step.second
		if now := generation(t, s, first, second); now != before {
			t.Fatalf("step %d: generation %d, was %d", i, now, before)
		}
	}
}

// keysConcurrent makes, revokes and touches at once: one key a name, and the
// generation counts every change.
func keysConcurrent(t *testing.T, s registry.Store) {
	const n = 8
	before := generation(t, s)
	for round := range 4 {
		ids := make([]int64, n)
		id := ids[oneSucceeds(t, n, registry.ErrNameTaken, func(i int) error {
			key := apiKey(alice, "contested")
			key.SHA256 = sha256.Sum256(fmt.Appendf(nil, "%d %d", round, i))
			got, err := s.APIKeys().CreateKey(t.Context(), key)
			ids[i] = got.ID
			return err
		})]
		succeedTogether(t, n, func(i int) error {
			if i%2 == 0 {
				return s.APIKeys().TouchKeys(t.Context(), map[int64]time.Time{id: at(3600 * i), id - 1: at(0)})
			}
			_, err := s.APIKeys().RevokeKey(t.Context(), id)
			return err
		})
	}
	if after := generation(t, s); after != before+8 {
		t.Fatalf("generation %d after %d and eight changes", after, before)
	}
}
