package registry_test

import (
	"testing"
	"time"

	"esagate/registry"
)

func TestDirectorySettings(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		id := adopted(t, f, customer, "m").Connection.ID
		for _, want := range []string{"first", "second", ""} {
			must(t)(d.KeepSettings(t.Context(), customer, id, []byte(want)))
			if got, err := d.Settings(t.Context(), customer, id); err != nil || string(got) != want {
				t.Fatalf("%q, %v", got, err)
			}
		}
		wantNotFound(t)(d.Settings(t.Context(), customer+1, id))
		must(t)(d.KeepSettings(t.Context(), customer, id, nil))
		wantNotFound(t)(d.Settings(t.Context(), customer, id))
		f.is(failing, 0)
		wantUnavailable(t)(d.Settings(t.Context(), customer, id)) // from the store alone
	})
}

func TestDirectoryBeginOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		begin := func(answer string) {
			t.Helper()
			c, err := d.ClaimIdempotencyKey(t.Context(), customer, registry.IdempotencyRecord{Key: "k"})
			if err != nil || c.Replayed != (answer != "") || string(c.Answer) != answer {
				t.Fatalf("%+v, %v", c, err)
			}
		}
		begin("")
		must(t)(d.ReleaseIdempotencyKey(t.Context(), customer, "k"))
		begin("")
		must(t)(d.KeepAnswer(t.Context(), customer, "k", []byte("done")))
		begin("done")
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
			if must(t)(err); !got.Connection.InventorySync.LastRunAt.Equal(registry.Instant(end.Add(-time.Minute))) {
				t.Fatalf("signal %d: %+v", i, got.Connection.InventorySync)
			}
		}
		if n := f.count("write"); n != 1 {
			t.Fatalf("%d writes, want 1", n)
		}
	})
}
