package registry_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func create(t testing.TB, d *registry.Directory, sourceID string) *registry.Source {
	t.Helper()
	c, err := d.CreateSource(t.Context(), customer, agent(sourceID), nil)
	if err != nil || c.Replayed {
		t.Fatalf("%+v, %v", c, err)
	}
	return c.Source
}

func update(t testing.TB, d *registry.Directory, sourceID, name string) *registry.Source {
	t.Helper()
	s, err := d.UpdateSource(t.Context(), customer, sourceID, rename(name))
	if err != nil || s.Name != name {
		t.Fatalf("%+v, %v", s, err)
	}
	return s
}

func remove(t testing.TB, d *registry.Directory, sourceID string) {
	t.Helper()
	if s, err := d.DeleteSource(t.Context(), customer, sourceID, allow); err != nil || s.SourceID != sourceID {
		t.Fatalf("%+v, %v", s, err)
	}
}

// TestDirectoryReadYourWrites follows each write with the reads of a store that is
// there and of one that isn't. The clock stands still: states of one instant are told
// apart by their order alone.
func TestDirectoryReadYourWrites(t *testing.T) {
	for _, managed := range []bool{false, true} {
		t.Run(fmt.Sprint("managed ", managed), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				v := view{d}
				made(t, f, customer, "first")
				v.is(t, "before", "a", "")
				step := func(what, want string, write func()) {
					t.Helper()
					write()
					f.is(failing, 0)
					v.is(t, what+", with the store away", "a", want)
					back(t, d, f)
					v.is(t, what, "a", want)
					v.is(t, "another", "first", "first")
				}
				step("made", "a", func() {
					if managed {
						adopted(t, f, customer, "a")
						v.is(t, "made elsewhere", "a", "a")
						return
					}
					create(t, d, "a")
				})
				step("renamed", "b", func() { update(t, d, "a", "b") })
				step("renamed twice", "d", func() {
					update(t, d, "a", "c")
					update(t, d, "a", "d")
				})
				step("deleted", "", func() { remove(t, d, "a") })
				step("made anew", "a", func() { create(t, d, "a") })
				step("deleted, made, deleted", "", func() {
					remove(t, d, "a")
					create(t, d, "a")
					remove(t, d, "a")
				})
			})
		})
	}
}

// TestDirectoryDeleteManaged: a deleted source is gone from all reads at once, also
// from those that never ask the store.
func TestDirectoryDeleteManaged(t *testing.T) {
	for _, after := range []mode{healthy, failing, hanging} {
		t.Run(fmt.Sprint("mode ", after), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				m := adopted(t, f, customer, "m")
				other := adopted(t, f, customer, "other")
				d.Put(m)
				if _, total, err := d.ManagedSources(t.Context(), customer, 0, 9); err != nil || total != 2 {
					t.Fatal(total, err)
				}
				remove(t, d, "m")
				f.is(after, 0)
				gone := func() {
					t.Helper()
					_, err := d.ManagedSource(t.Context(), customer, "m")
					notFound(t, err)
					_, err = d.ManagedSourceByID(t.Context(), customer, m.Connection.ID)
					notFound(t, err)
					_, err = d.Source(t.Context(), customer, "m")
					notFound(t, err)
					page, total, err := d.ManagedSources(t.Context(), customer, 0, 9)
					if err != nil || total != 1 || len(page) != 1 || page[0].Connection.ID != other.Connection.ID {
						t.Fatalf("%v of %d, %v", page, total, err)
					}
				}
				gone()
				d.Put(m) // late news of it
				gone()
				get(t, d, "other")
			})
		})
	}
}

// TestDirectorySourceIDChangesKind: the sourceId of a managed source goes to an AGENT
// one. Neither is taken for the other.
func TestDirectorySourceIDChangesKind(t *testing.T) {
	for _, elsewhere := range []bool{false, true} {
		bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
			d.Put(adopted(t, f, customer, "a"))
			view{d}.is(t, "managed", "a", "a")
			if elsewhere {
				if _, err := f.Store.Customer(customer).DeleteSource(t.Context(), "a", allow); err != nil {
					t.Fatal(err)
				}
				made(t, f, customer, "a")
				view{d}.is(t, "changed elsewhere", "a", "a")
			} else {
				remove(t, d, "a")
				create(t, d, "a")
			}
			for _, mode := range []mode{healthy, failing} {
				f.is(mode, 0)
				if s, err := d.Source(t.Context(), customer, "a"); err != nil || s.Agent == nil {
					t.Fatalf("%+v, %v", s, err)
				}
				view{d}.is(t, "an AGENT source", "a", "a")
				if m, err := d.ManagedSource(t.Context(), customer, "a"); err == nil {
					t.Fatalf("%+v", m)
				}
			}
		})
	}
}

func TestDirectoryChangeFaults(t *testing.T) {
	cases := []struct {
		is      error
		kind    fault.Kind
		message string
		field   string
	}{
		{registry.ErrNotFound, fault.NotFound, "There is no inventory source with this id.", ""},
		{registry.ErrSourceTaken, fault.Conflict, "There is a source with this sourceId already.", "sourceId"},
		{registry.ErrKeyReused, fault.Conflict, "This Idempotency-Key was used for another request already.", ""},
		{registry.ErrAnswerPending, fault.Conflict, "The first request with this Idempotency-Key is still being answered.", ""},
		{registry.ErrStale, fault.Conflict, "The source has been changed meanwhile.", ""},
		{registry.ErrSecret, fault.Internal, "The stored credentials can't be read.", ""},
		{registry.ErrInvalid, fault.Internal, "The registry refused a value.", ""},
		{errBroken, fault.Unavailable, "The registry can't be reached.", ""},
		{registry.ErrOutcomeUnknown, fault.Unavailable, "The registry did not answer: whether the change was made is not known.", ""},
	}
	for _, c := range cases {
		t.Run(c.is.Error(), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				writes := map[string]func() error{
					"CreateSource": func() error {
						_, err := d.CreateSource(t.Context(), customer, agent("a"), nil)
						return err
					},
					"KeepAnswer": func() error { return d.KeepAnswer(t.Context(), customer, "k", []byte("{}")) },
					"UpdateSource": func() error {
						_, err := d.UpdateSource(t.Context(), customer, "a", rename("b"))
						return err
					},
					"DeleteSource": func() error {
						_, err := d.DeleteSource(t.Context(), customer, "a", allow)
						return err
					},
					"EndConsent": func() error {
						_, err := d.EndConsent(t.Context(), customer, "a", registry.Consent{}, tokens)
						return err
					},
					"ReplaceCredential": func() error {
						_, err := d.ReplaceCredential(t.Context(), customer, "a", "id", nil)
						return err
					},
				}
				f.refuses(fmt.Errorf("in the store: %w", c.is))
				for name, write := range writes {
					var e *fault.Error
					if err := write(); !errors.As(err, &e) || !errors.Is(err, c.is) || e.Kind != c.kind || e.Message != c.message || e.Field != c.field {
						t.Errorf("%s: %#v", name, err)
					}
					soon := c.kind == fault.Unavailable || errors.Is(c.is, registry.ErrAnswerPending)
					if again := e.RetryAfter; soon != (again > 0) || again > 10*time.Second {
						t.Errorf("%s: again after %v", name, again)
					}
					// None of them is the store's absence: it answers all else.
					synctest.Wait()
					if !d.StoreAvailable() {
						t.Errorf("%s: the store is taken to be away", name)
					}
				}
			})
		})
	}
}
