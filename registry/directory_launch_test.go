package registry_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// TestDirectoryLaunches: a launch is kept and taken once; what goes wrong is told from what is not there, and
// a launch that could not be asked for is still there.
func TestDirectoryLaunches(t *testing.T) {
	const noLaunch = "There is no launch link of this token."
	bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		made(t, f, customer, "a")
		all(t, d)
		kept := registry.Launch{SourceRow: m.ID, Session: "session", Path: "/products", ExpiresAt: registry.Instant(time.Now().Add(time.Minute))}
		token := [32]byte{1}
		keep := func(sourceID string, launch registry.Launch) error {
			return d.KeepLaunch(t.Context(), customer, sourceID, token, launch)
		}
		take := func() error {
			got, err := d.TakeLaunch(t.Context(), token)
			if err == nil && (got.CustomerID != customer || got.SourceID != "m" || got.Launch != kept) {
				t.Error("another launch than was kept")
			}
			return err
		}
		for _, sourceID := range []string{"a", "none"} {
			says(t, sourceID, keep(sourceID, kept), fault.NotFound, "There is no managed source with this id.", registry.ErrNotFound)
		}
		if _, err := d.Source(t.Context(), customer, "a"); err != nil {
			t.Errorf("the AGENT source: %v", err)
		}
		void := kept
		void.SourceRow++
		says(t, "another row", keep("m", void), fault.Conflict, "The source has been changed meanwhile.", registry.ErrStale)
		f.refuses(registry.ErrTooMany)
		says(t, "too many", keep("m", kept), fault.RateLimited, "Too many launch links wait to be opened.", registry.ErrTooMany)
		f.is(healthy, 0)
		must(t)(keep("m", kept))
		f.is(failing, 0)
		says(t, "broken", take(), fault.Unavailable, "The registry can't be reached.", errBroken)
		time.Sleep(2 * time.Second) // it is noticed
		isThere(t, d, false, "the store is away")
		f.count("change")
		unavailable(t, take())
		counted(t, f, "change", 0)
		back(t, d, f)
		must(t)(take())
		says(t, "twice", take(), fault.NotFound, noLaunch, registry.ErrNotFound)
	})
}
