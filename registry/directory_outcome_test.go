package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// unavailableWrite holds an error to what a write that the store did not take must
// give.
func unavailableWrite(t *testing.T, err error) {
	t.Helper()
	const want = "The registry can't be reached."
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.Unavailable || e.Message != want || e.RetryAfter <= 0 {
		t.Fatalf("%#v, want %q", err, want)
	}
}

// issues is an error that can't be compared.
type issues []string

func (i issues) Error() string { return fmt.Sprint("issues: ", len(i)) }

// TestDirectoryCallbackErrors: what the caller says against a change comes back as it
// is, whatever it is, and says nothing of the store.
func TestDirectoryCallbackErrors(t *testing.T) {
	for _, says := range []error{
		fault.New(fault.Conflict, "A managed source is deactivated elsewhere."),
		errors.New("anything"), issues{"a", "b"}, context.DeadlineExceeded,
		registry.ErrNotFound, registry.ErrStale, fmt.Errorf("mine: %w", registry.ErrSourceTaken),
	} {
		bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
			v := pair(t, d, f)
			m := get(t, d, "m")
			_, connectionErr := d.ChangeConnection(t.Context(), customer, m.Connection.ID, func(*registry.Source) (*registry.Connection, error) { return nil, says })
			_, subscriptionErr := d.ChangeSubscription(t.Context(), customer, m.Connection.ID, func(*registry.Subscription) (*registry.Subscription, error) { return nil, says })
			for _, id := range []string{"a", "m"} {
				_, updateErr := d.UpdateSource(t.Context(), customer, id, func(*registry.Source) (registry.SourceChange, error) {
					return registry.SourceChange{}, says
				})
				_, deleteErr := d.DeleteSource(t.Context(), customer, id, func(*registry.Source) error { return says })
				for _, err := range []error{updateErr, deleteErr, connectionErr, subscriptionErr} {
					if fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", says, says) {
						t.Errorf("%T %v, want %v", err, err, says)
					}
				}
			}
			synctest.Wait()
			isThere(t, d, true, "the store is taken to be away")
			f.is(failing, 0)
			v.is(t, "with the store away", "a", "a")
			v.is(t, "with the store away", "m", "m")
		})
	}
}

// TestDirectoryUnknownOutcome: a write was made, and its answer came too late.
func TestDirectoryUnknownOutcome(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
		v := pair(t, d, f)
		for _, id := range []string{"a", "m"} {
			f.is(healthy, 6*time.Second)
			took(t, "a write", 5*time.Second, func() {
				wantUnavailableWrite(t)(d.UpdateSource(t.Context(), customer, id, rename(id+"2")))
			})
			f.is(failing, 0)
			v.is(t, "with the store away, as last known", id, id)
			back(t, d, f)
			f.count("read")
		}
		if got := get(t, d, "m"); got.Name != "m2" { // though the copy was fresh
			t.Fatalf("%q", got.Name)
		}
		reads(t, f, "what is in doubt", 1)
		get(t, d, "m")
		reads(t, f, "no more in doubt", 0)
		for _, id := range []string{"a", "m"} {
			v.is(t, "afterwards", id, id+"2")
			f.is(healthy, 6*time.Second)
			wantUnavailableWrite(t)(d.DeleteSource(t.Context(), customer, id, allow))
			back(t, d, f)
			wantNotFound(t)(d.DeleteSource(t.Context(), customer, id, allow)) // tried again
			f.is(failing, 0)
			wantNotFound(t)(d.Source(t.Context(), customer, id))
			wantNotFound(t)(d.ManagedSource(t.Context(), customer, id))
			back(t, d, f)
		}
	})
}

// TestDirectoryReadsAfterAnUnknownOutcome: a reader that comes after a write of unknown
// outcome, whose caller left before its answer, joins no read from before it.
func TestDirectoryReadsAfterAnUnknownOutcome(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		adopted(t, f, customer, "m")
		f.is(healthy, 200*time.Millisecond)
		go d.Source(t.Context(), customer, "m")
		go d.Sources(t.Context(), customer, 0, 50)
		go d.ManagedSources(t.Context(), customer, 0, 50)
		synctest.Wait()
		f.is(healthy, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		wantUnavailableWrite(t)(d.UpdateSource(ctx, customer, "m", rename("M")))
		isThere(t, d, true, "a caller who leaves says nothing of the store")
		f.is(healthy, 0) // the reads are still under way
		view{d}.is(t, "after the write", "m", "M")
		if page := allManaged(t, d); page[0].Name != "M" {
			t.Fatal(page)
		}
	})
}

func TestDirectoryChangeDeadlines(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		write := func(name string) error {
			_, err := d.UpdateSource(t.Context(), customer, "a", rename(name))
			return err
		}
		f.is(hanging, 0)
		took(t, "a write", 5*time.Second, func() { unavailableWrite(t, write("b")) })
		time.Sleep(2*time.Second + time.Millisecond) // one look
		isThere(t, d, false, "available")
		f.count("change")
		took(t, "a write while the store is away", 1250*time.Millisecond, func() { unavailableWrite(t, write("b")) })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took(t, "a write of a caller who leaves", time.Second, func() {
			wantUnavailableWrite(t)(d.DeleteSource(ctx, customer, "a", allow))
		})
		counted(t, f, "change", 0)
		back(t, d, f)
		f.is(failing, 0)
		wantUnavailable(t)(d.Sources(t.Context(), customer, 0, 1))
		f.is(healthy, 0)
		took(t, "a write shortly before the store is back", time.Second, func() {
			must(t)(write("b"))
		})
		view{d}.is(t, "afterwards", "a", "b")
	})
}

// TestDirectoryWriteFailsAlone: what only writes fail with takes no reader away from
// the store.
func TestDirectoryWriteFailsAlone(t *testing.T) {
	bubble(t, registry.DirectoryOptions{Changed: func(bool, error) { t.Error("taken to be away") }}, func(t *testing.T, d *registry.Directory, f *faulty) {
		made(t, f, customer, "a")
		view{d}.is(t, "before", "a", "a")
		f.refuses(errBroken)
		for range 20 {
			wantUnavailableWrite(t)(d.UpdateSource(t.Context(), customer, "a", rename("b")))
		}
		time.Sleep(time.Minute)
		renamed(t, f, "a", "c")
		view{d}.is(t, "written elsewhere", "a", "c")
		if n := f.count("Ping"); n < 1 || n > 20 {
			t.Errorf("%d looks at the store", n)
		}
	})
}

func TestDirectoryOnce(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		v := view{d}
		v.is(t, "before", "a", "")
		once := func(key string, what byte) (registry.Creation, error) {
			return d.CreateSource(t.Context(), customer, agent("a"), &registry.IdempotencyRecord{Key: key, Fingerprint: [32]byte{what}})
		}
		conflict := func(what string, err error) {
			t.Helper()
			if !fault.Is(err, fault.Conflict) {
				t.Fatalf("%s: %v", what, err)
			}
		}
		f.is(healthy, 6*time.Second) // made, without the answer
		wantUnavailableWrite(t)(once("k", 1))
		back(t, d, f)
		_, err := once("k", 1)
		conflict("at once", err)
		_, err = once("k", 2)
		conflict("another", err)
		_, err = once("k2", 1)
		conflict("taken", err)
		answer := []byte(`{"name":"a"}`)
		must(t)(d.KeepAnswer(t.Context(), customer, "k", answer))
		c, err := once("k", 1)
		if err != nil || !c.Replayed || !bytes.Equal(c.Answer, answer) || c.Source == nil {
			t.Fatalf("%+v, %v", c, err)
		}
		// What was made unseen is in the list that was seen before.
		f.is(failing, 0)
		if s, page := source(t, d, "a"), all(t, d); s.ID != c.Source.ID || len(page) != 1 {
			t.Fatal(s, page)
		}
		back(t, d, f)
		v.is(t, "in the end", "a", "a")
		remove(t, d, "a")
		if c, err := once("k", 1); err != nil || !c.Replayed || c.Source != nil {
			t.Fatalf("%+v, %v", c, err)
		}
		v.is(t, "deleted", "a", "")
	})
}

// TestDirectoryRefusedDecision: what a change was refused for, which another replica has made, is read next.
func TestDirectoryRefusedDecision(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		m := adopted(t, f, customer, "a")
		get(t, d, "a")
		must(t)(elsewhere(f).ChangeConnection(t.Context(), m.Connection.ID, lastError("org")))
		_, err := d.ChangeConnection(t.Context(), customer, m.Connection.ID, func(now *registry.Source) (*registry.Connection, error) {
			return nil, fault.New(fault.PreconditionFailed, "It is of "+now.Connection.LastError)
		})
		if !fault.Is(err, fault.PreconditionFailed) || err.Error() != "It is of org" {
			t.Fatal(err)
		}
		if got := get(t, d, "a"); got.Connection.LastError != "org" {
			t.Fatalf("%+v", *got.Connection)
		}
	})
}
