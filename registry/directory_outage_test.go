package registry_test

import (
	"testing"
	"time"

	"esagate/registry"
)

// took runs f and holds it to the time that it may take on the bubble's clock.
func took(t *testing.T, what string, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if d := time.Since(began); d != want {
		t.Fatalf("%s took %v, want %v", what, d, want)
	}
}

func TestDirectoryStoreFails(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		d.Put(m)
		f.is(failing, 0)
		time.Sleep(time.Hour)
		if !d.StoreAvailable() {
			t.Fatal("away before it was asked")
		}
		if get(t, d, "a") != m {
			t.Fatal("not the copy")
		}
		reads(t, f, "first reader", 1)
		for range 100 {
			get(t, d, "a")
		}
		reads(t, f, "readers while it is away", 0)
		if d.StoreAvailable() {
			t.Fatal("available")
		}
		wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "unseen"))

		// It is looked at every second, by no reader, and by one probe only.
		f.count("Ping")
		time.Sleep(10*time.Second + time.Millisecond)
		if n := f.count("Ping"); n != 10 {
			t.Fatalf("%d probes in 10 s", n)
		}
		f.is(healthy, 0)
		time.Sleep(time.Second)
		if !d.StoreAvailable() {
			t.Fatal("its return was not noticed")
		}
		time.Sleep(time.Minute)
		if n := f.count("Ping"); n != 1 {
			t.Fatalf("%d probes of a store that is there", n)
		}
		reads(t, f, "before", 1) // of "unseen"
		get(t, d, "a")
		reads(t, f, "after its return", 1)
	})
}

func TestDirectoryStoreHangs(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b"} {
			d.Put(adopted(t, f, customer, id))
		}
		f.is(hanging, 0)
		time.Sleep(3 * time.Second)
		took(t, "the first reader", 250*time.Millisecond, func() { get(t, d, "a") })
		took(t, "the next", 0, func() { get(t, d, "a") })
		took(t, "a reader of another", 0, func() { get(t, d, "b") })
		took(t, "a reader without a copy", 2*time.Second, func() {
			wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "unseen"))
		})
		for range 20 { // for as long as it lasts, no reader with a copy waits again
			time.Sleep(700 * time.Millisecond)
			took(t, "a reader later", 0, func() { get(t, d, "a"); get(t, d, "b") })
		}
		f.is(healthy, 0)
		time.Sleep(4 * time.Second) // a probe that hangs, and one that doesn't
		if !d.StoreAvailable() {
			t.Fatal("its return was not noticed")
		}
	})
}

// TestDirectoryFlapping: however often the store comes and goes, one probe runs.
func TestDirectoryFlapping(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "a")
		for range 50 {
			f.is(failing, 0)
			wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "unseen"))
			f.is(healthy, 0)
			wantNotFound(t)(d.ManagedSource(t.Context(), customer, "another"))
			if !d.StoreAvailable() {
				t.Fatal("it answered")
			}
			time.Sleep(10 * time.Millisecond)
		}
		f.is(failing, 0)
		wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "never seen"))
		f.count("Ping")
		time.Sleep(10 * time.Second)
		if n := f.count("Ping"); n < 9 || n > 10 {
			t.Fatalf("%d probes in 10 s", n)
		}
	})
}
