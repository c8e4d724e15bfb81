package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
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
		isThere(t, d, true, "away before it was asked")
		if get(t, d, "a") != m {
			t.Fatal("not the copy")
		}
		reads(t, f, "first reader", 1)
		for range 100 {
			get(t, d, "a")
		}
		reads(t, f, "readers while it is away", 0)
		isThere(t, d, false, "available")
		wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "unseen"))

		// It is looked at every second, by no reader, and by one probe only.
		f.count("Ping")
		time.Sleep(10*time.Second + time.Millisecond)
		counted(t, f, "Ping", 10)
		f.is(healthy, 0)
		time.Sleep(time.Second)
		isThere(t, d, true, "its return was not noticed")
		time.Sleep(time.Minute)
		counted(t, f, "Ping", 1)
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
		isThere(t, d, true, "its return was not noticed")
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
			isThere(t, d, true, "it answered")
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

var errSpoilt = errors.New("labels: no JSON object")

// spoilt is a customer whose rows are there and can't be read.
type spoilt struct {
	registry.CustomerStore
	says error
}

func (c spoilt) Source(context.Context, string) (*registry.Source, error) {
	return nil, c.says
}

func (c spoilt) Sources(context.Context, int, int) ([]*registry.Source, int, error) {
	return nil, 0, c.says
}

func (c spoilt) ManagedSourceByID(context.Context, int64) (*registry.Source, error) {
	return nil, c.says
}

func (c spoilt) ManagedSources(context.Context, int, int) ([]*registry.Source, int, error) {
	return nil, 0, c.says
}

func (c spoilt) ChangeConnection(context.Context, int64, func(*registry.Source) (*registry.Connection, error)) (*registry.Source, error) {
	return nil, c.says
}

// allReads are the reads of a Directory, of an AGENT source a and a managed source m.
func allReads(t *testing.T, d *registry.Directory, m *registry.Source) map[string]func() error {
	ctx := t.Context()
	return map[string]func() error{
		"Source":            func() error { _, err := d.Source(ctx, customer, "a"); return err },
		"Sources":           func() error { _, _, err := d.Sources(ctx, customer, 0, 50); return err },
		"ManagedSource":     func() error { _, err := d.ManagedSource(ctx, customer, "m"); return err },
		"ManagedSourceByID": func() error { _, err := d.ManagedSourceByID(ctx, customer, m.Connection.ID); return err },
		"ManagedSources":    func() error { _, _, err := d.ManagedSources(ctx, customer, 0, 50); return err },
	}
}

// TestDirectorySpoiltRows: rows that can't be read are no outage. A reader of them gets
// the copy, or an error that says that another try is of no use; all others go on.
func TestDirectorySpoiltRows(t *testing.T) {
	for _, known := range []bool{false, true} {
		t.Run(fmt.Sprint("known ", known), func(t *testing.T) {
			opts := registry.DirectoryOptions{Changed: func(bool, error) { t.Error("taken to be away") }}
			bubble(t, opts, func(t *testing.T, d *registry.Directory, f *faulty) {
				made(t, f, customer, "a")
				m := adopted(t, f, customer, "m")
				made(t, f, customer+1, "b")
				all := allReads(t, d, m)
				for _, read := range all {
					if known {
						must(t)(read())
					}
				}
				time.Sleep(3 * time.Second)
				f.spoils(customer, errSpoilt)
				for name, read := range all {
					took(t, name, 0, func() {
						err := read()
						if known {
							must(t)(err)
							return
						}
						says(t, name, err, fault.Internal, "The stored data can't be read.", errSpoilt)
					})
					f.count("read")
					took(t, "another's read", 0, func() {
						if _, err := d.Source(t.Context(), customer+1, "b"); err != nil || f.count("read") != 1 {
							t.Errorf("%s: another's read: %v", name, err)
						}
					})
					took(t, "another's write", 0, func() {
						if _, err := d.UpdateSource(t.Context(), customer+1, "b", rename(name)); err != nil {
							t.Errorf("%s: another's write: %v", name, err)
						}
					})
				}
				took(t, "a write", 0, func() {
					wantUnavailable(t)(d.ChangeConnection(t.Context(), customer, m.Connection.ID, lastError("spoilt")))
				})
				synctest.Wait()
				isThere(t, d, true, "taken to be away")
				f.spoils(0, nil)
				time.Sleep(1500 * time.Millisecond) // not asked again before
				view{d}.is(t, "mended", "a", "a")
			})
		})
	}
}

// TestDirectoryReadFailsOnce: a broken connection fails no read.
func TestDirectoryReadFailsOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Changed: func(bool, error) { t.Error("taken to be away") }}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		m := adopted(t, f, customer, "m")
		for name, read := range allReads(t, d, m) {
			time.Sleep(3 * time.Second)
			f.is(tripping, 0)
			took(t, name, 0, func() {
				if err := read(); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	})
}

// TestDirectoryPingHangs: reads fail, and the look at the store hangs. No reader with
// a copy waits longer for it than for a read, and the next not at all.
func TestDirectoryPingHangs(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		for _, id := range []string{"a", "b"} {
			d.Put(adopted(t, f, customer, id))
		}
		time.Sleep(3 * time.Second)
		f.is(mute, 0)
		unseen := make(chan error, 1)
		go func() {
			_, err := d.ManagedSource(t.Context(), customer, "unseen")
			unseen <- err
		}()
		synctest.Wait()
		isThere(t, d, true, "away before it was looked at")
		took(t, "the first reader", 250*time.Millisecond, func() { get(t, d, "a") })
		took(t, "a reader of another", 0, func() { get(t, d, "b") })
		took(t, "a reader without a copy", 1750*time.Millisecond, func() { unavailable(t, <-unseen) })
		isThere(t, d, false, "its absence was not noticed")
		took(t, "a reader who knows it", 0, func() {
			wantUnavailable(t)(d.ManagedSource(t.Context(), customer, "unseen"))
		})
		back(t, d, f)
		get(t, d, "a")
	})
}

// TestDirectorySilence: a store that says nothing in time is away, whether a read gets
// no answer, or the look after a read that failed late.
func TestDirectorySilence(t *testing.T) {
	for mode, late := range map[mode]time.Duration{hanging: 0, mute: 1500 * time.Millisecond} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			f.is(mode, late)
			took(t, "a reader without a copy", 2*time.Second, func() {
				wantUnavailable(t)(d.Source(t.Context(), customer, "a"))
			})
			if d.StoreAvailable() {
				t.Errorf("mode %d: its absence was not noticed", mode)
			}
		})
	}
}

// TestDirectoryReadLimit: a read that the store itself gave up for want of time is
// worth another try.
func TestDirectoryReadLimit(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		f.spoils(customer, fmt.Errorf("in a queue: %w", context.DeadlineExceeded))
		wantUnavailable(t)(d.Source(t.Context(), customer, "a"))
		isThere(t, d, true, "taken to be away")
	})
}

// TestDirectoryPingsOnce: however many reads fail at once, one look tells why.
func TestDirectoryPingsOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		f.spoils(customer, errSpoilt)
		f.is(healthy, 100*time.Millisecond)
		failed := make(chan error, 100)
		for i := range 100 {
			go func() {
				_, err := d.Source(t.Context(), customer, fmt.Sprint(i))
				failed <- err
			}()
		}
		for range 100 {
			if err := <-failed; !fault.Is(err, fault.Internal) {
				t.Error(err)
			}
		}
		counted(t, f, "Ping", 1)
	})
}
