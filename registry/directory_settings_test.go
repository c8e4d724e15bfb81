package registry_test

import (
	"errors"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestDirectorySettings(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "m")
		_, err := d.Settings(t.Context(), customer, m.Connection.ID)
		notFound(t, err)
		for _, want := range []string{"first", "second", ""} {
			if err := d.KeepSettings(t.Context(), customer, m.Connection.ID, []byte(want)); err != nil {
				t.Fatal(err)
			}
			if got, err := d.Settings(t.Context(), customer, m.Connection.ID); err != nil || string(got) != want {
				t.Fatalf("%q, %v", got, err)
			}
		}
		_, err = d.Settings(t.Context(), customer+1, m.Connection.ID)
		notFound(t, err)
		if err := d.KeepSettings(t.Context(), customer, m.Connection.ID, nil); err != nil {
			t.Fatal(err)
		}
		_, err = d.Settings(t.Context(), customer, m.Connection.ID)
		notFound(t, err)
		f.is(failing, 0)
		_, err = d.Settings(t.Context(), customer, m.Connection.ID) // from the store alone
		unavailable(t, err)
	})
}

func TestDirectoryBeginOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		k, other := registry.IdempotencyRecord{Key: "k"}, registry.IdempotencyRecord{Key: "k", Fingerprint: [32]byte{1}}
		begin := func(o registry.IdempotencyRecord) registry.Creation {
			t.Helper()
			c, err := d.ClaimIdempotencyKey(t.Context(), customer, o)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		conflict := func(o registry.IdempotencyRecord, is error) {
			t.Helper()
			if _, err := d.ClaimIdempotencyKey(t.Context(), customer, o); !fault.Is(err, fault.Conflict) || !errors.Is(err, is) {
				t.Fatalf("%v, want a conflict over %v", err, is)
			}
		}
		if begin(k).Replayed {
			t.Fatal("replayed")
		}
		conflict(k, registry.ErrAnswerPending)
		conflict(other, registry.ErrKeyReused)
		if err := d.ReleaseIdempotencyKey(t.Context(), customer, "k"); err != nil {
			t.Fatal(err)
		}
		if begin(other).Replayed {
			t.Fatal("replayed")
		}
		if err := d.KeepAnswer(t.Context(), customer, "k", []byte("done")); err != nil {
			t.Fatal(err)
		}
		if c := begin(other); !c.Replayed || string(c.Answer) != "done" {
			t.Fatalf("%+v", c)
		}
		f.is(failing, 0)
		_, err := d.ClaimIdempotencyKey(t.Context(), customer, k)
		unavailableWrite(t, err)
		unavailableWrite(t, d.ReleaseIdempotencyKey(t.Context(), customer, "k"))
	})
}

// TestDirectoryKnownStart: signals of one run that know less of its start than was known
// change nothing.
func TestDirectoryKnownStart(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		d.Put(adopted(t, f, customer, "m"))
		id, end := get(t, d, "m").Connection.ID, time.Now()
		for i, start := range []time.Time{end.Add(-time.Minute), {}, end, end.Add(-time.Second)} {
			time.Sleep(time.Second)
			got, err := d.ObserveInventorySync(t.Context(), customer, id, registry.InventorySync{
				Status: registry.SyncSuccess, LastRunAt: start, CompletedAt: end, ObservedAt: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			sync := got.Connection.InventorySync
			if !sync.LastRunAt.Equal(registry.Instant(end.Add(-time.Minute))) {
				t.Fatalf("signal %d: %+v", i, sync)
			}
		}
		if n := f.count("write"); n != 1 {
			t.Fatalf("%d writes, want 1", n)
		}
	})
}
