package registrytest

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/registry"
)

// launchOf is a launch into a source as it stands.
func launchOf(src *registry.Source, expires time.Time) registry.Launch {
	return registry.Launch{SourceRow: src.ID, Session: "session of " + src.SourceID, Path: "/products?q='; --", ExpiresAt: expires}
}

// launch keeps a launch into a source.
func launch(t testing.TB, s registry.Store, src *registry.Source, token [32]byte, expires time.Time) registry.Launch {
	t.Helper()
	kept := launchOf(src, expires)
	if err := s.Customer(src.CustomerID).KeepLaunch(t.Context(), src.SourceID, token, kept); err != nil {
		t.Fatalf("keep a launch into %q: %v", src.SourceID, err)
	}
	return kept
}

// launched takes a launch and holds it to what was kept.
func launched(t testing.TB, s registry.Store, src *registry.Source, token [32]byte, kept registry.Launch) {
	t.Helper()
	got, err := s.TakeLaunch(t.Context(), token)
	if err != nil || !reflect.DeepEqual(got, &registry.TakenLaunch{CustomerID: src.CustomerID, SourceID: src.SourceID, Launch: kept}) {
		t.Fatalf("taken: %v, or another than was kept", err)
	}
}

func notLaunched(t testing.TB, s registry.Store, what string, token [32]byte) {
	t.Helper()
	if got, err := s.TakeLaunch(t.Context(), token); !errors.Is(err, registry.ErrNotFound) || got != nil {
		t.Fatalf("%s: %v, want ErrNotFound", what, err)
	}
}

func launchTaken(t *testing.T, s registry.Store, c *clock) {
	mine, yours := makeManaged(t, s, alice, newManaged("radio")), makeManaged(t, s, bob, newManaged("radio"))
	ours, again, theirs := [32]byte{1}, [32]byte{4}, [32]byte{2}
	end := c.read().Add(time.Minute)
	kept, second, foreign := launch(t, s, mine, ours, end), launch(t, s, mine, again, end), launch(t, s, yours, theirs, end)
	notLaunched(t, s, "another token", [32]byte{3})
	notLaunched(t, s, "no token", [32]byte{})
	launched(t, s, mine, ours, kept)
	notLaunched(t, s, "twice", ours)
	launched(t, s, yours, theirs, foreign)
	launched(t, s, mine, again, second)
	same(t, "kept and taken", read(t, s, alice, "radio"), mine)
	if err := s.Customer(alice).KeepLaunch(t.Context(), "radio", ours, kept); err != nil {
		t.Errorf("a token that was taken, again: %v", err)
	}
	if err := s.Customer(alice).KeepLaunch(t.Context(), "radio", ours, kept); err == nil {
		t.Error("one token of two launches")
	}
}

// launchTakenTogether takes launches with several Stores of one database at once: one call gets each.
func launchTakenTogether(t *testing.T, stores []registry.Store) {
	src := makeManaged(t, stores[0], alice, newManaged("radio"))
	for round := range 5 {
		token := [32]byte{7, byte(round)}
		launch(t, stores[round%len(stores)], src, token, time.Now().Add(time.Minute))
		oneSucceeds(t, 8, registry.ErrNotFound, func(i int) error {
			_, err := stores[i%len(stores)].TakeLaunch(t.Context(), token)
			return err
		})
	}
}

func launchExpires(t *testing.T, s registry.Store, c *clock) {
	src, end := makeManaged(t, s, alice, newManaged("radio")), c.read().Add(time.Minute)
	early, late, left := [32]byte{1}, [32]byte{2}, [32]byte{3}
	kept := launch(t, s, src, early, end)
	launch(t, s, src, late, end)
	launch(t, s, src, left, end)
	c.pass(time.Minute - time.Microsecond)
	launched(t, s, src, early, kept) // in its last moment
	c.pass(time.Microsecond)
	notLaunched(t, s, "expired", late)
	// Another one sweeps what has expired, and nothing else.
	kept = launch(t, s, src, late, end.Add(time.Microsecond))
	notLaunched(t, s, "expired and swept", left)
	launched(t, s, src, late, kept)
}

func launchRefused(t *testing.T, s registry.Store, c *clock) {
	src, end := makeManaged(t, s, alice, newManaged("radio")), c.read().Add(time.Minute)
	create(t, s, alice, newAgent("agent"))
	as, good := s.Customer(alice), launchOf(src, end)
	for _, id := range []string{"agent", "none", "", "\x00"} {
		if err := as.KeepLaunch(t.Context(), id, [32]byte{1}, good); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("into %q: %v, want ErrNotFound", id, err)
		}
	}
	for name, test := range map[string]struct {
		f    func(*registry.Launch)
		want error
	}{
		"another row":    {func(l *registry.Launch) { l.SourceRow++ }, registry.ErrStale},
		"no end":         {func(l *registry.Launch) { l.ExpiresAt = time.Time{} }, registry.ErrInvalid},
		"a session":      {func(l *registry.Launch) { l.Session = "\xff" }, registry.ErrInvalid},
		"a path":         {func(l *registry.Launch) { l.Path = "\x00" }, registry.ErrInvalid},
		"a path, longer": {func(l *registry.Launch) { l.Path = strings.Repeat("p", registry.MaxLaunchPath+1) }, registry.ErrInvalid},
	} {
		bad := good
		test.f(&bad)
		if err := as.KeepLaunch(t.Context(), "radio", [32]byte{1}, bad); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	notLaunched(t, s, "refused", [32]byte{1})
}

// launchCrosses deletes a source, and makes another one of its sourceId, while a launch into it waits.
func launchCrosses(t *testing.T, s registry.Store, c *clock) {
	src, end := makeManaged(t, s, alice, newManaged("radio")), c.read().Add(time.Minute)
	token := [32]byte{1}
	old := launch(t, s, src, token, end)
	remove(t, s, alice, "radio")
	notLaunched(t, s, "of a source that is gone", token)
	anew := makeManaged(t, s, alice, newManaged("radio"))
	notLaunched(t, s, "of the one before", token)
	if err := s.Customer(alice).KeepLaunch(t.Context(), "radio", token, old); !errors.Is(err, registry.ErrStale) {
		t.Fatalf("into the one before: %v, want ErrStale", err)
	}
	launched(t, s, anew, token, launch(t, s, anew, token, end))
}

// launchBounded: no more wait than may; those of others and those that have expired do not count.
func launchBounded(t *testing.T, s registry.Store, c *clock) {
	src, other, end := makeManaged(t, s, alice, newManaged("radio")), makeManaged(t, s, alice, newManaged("video")), c.read().Add(time.Minute)
	theirs := makeManaged(t, s, bob, newManaged("radio"))
	token := func(i int) [32]byte { return [32]byte{1, byte(i), byte(i >> 8)} }
	for i := range registry.MaxLaunches {
		launch(t, s, []*registry.Source{src, other}[i%2], token(i), end)
	}
	extra := token(registry.MaxLaunches)
	for _, full := range []*registry.Source{src, other} {
		if err := s.Customer(alice).KeepLaunch(t.Context(), full.SourceID, extra, launchOf(full, end)); !errors.Is(err, registry.ErrTooMany) {
			t.Fatalf("one more: %v, want ErrTooMany", err)
		}
	}
	launch(t, s, theirs, [32]byte{2}, end)
	if _, err := s.TakeLaunch(t.Context(), token(0)); err != nil {
		t.Fatal(err)
	}
	launch(t, s, src, extra, end)
	c.pass(time.Minute)
	launch(t, s, src, token(0), c.read().Add(time.Minute))
}

// reopenTwoLaunches has two processes open the same links.
func reopenTwoLaunches(t *testing.T, open Opener) {
	stores := []registry.Store{open(t, Options{}), open(t, Options{})}
	defer shut(t, stores[0])
	defer shut(t, stores[1])
	launchTakenTogether(t, stores)
}
