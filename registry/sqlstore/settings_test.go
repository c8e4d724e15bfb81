package sqlstore

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/pgtest"
	"esagate/internal/vault"
	"esagate/registry"
)

// connected gives managed sources of customer 8.
func connected(t *testing.T, s *Store, n int) (esaIDs []int64) {
	t.Helper()
	for i := range n {
		made, err := s.Customer(8).CreateManaged(t.Context(), registry.NewManaged{SourceID: fmt.Sprint("m", i),
			Operation: registry.Operation{Kind: registry.OperationProvision, ID: "o"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		esaIDs = append(esaIDs, made.Source.Connection.ID)
	}
	return esaIDs
}

// TestSettingsAreErased looks for settings that were forgotten, or went with their
// source, in the database's files.
func TestSettingsAreErased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "registry.db")
		s := scrubbed(t, path)
		defer s.Close()
		c, id := s.Customer(8), connected(t, s, 1)[0]
		for name, erase := range map[string]func() error{
			"forget":  func() error { return c.KeepSettings(t.Context(), id, nil) },
			"replace": func() error { return c.KeepSettings(t.Context(), id, []byte("others")) },
		} {
			if err := c.KeepSettings(t.Context(), id, []byte(rand.Text())); err != nil {
				t.Fatal(err)
			}
			erased(t, s, path, name, erase)
		}
		if err := c.KeepSettings(t.Context(), id, []byte(rand.Text())); err != nil {
			t.Fatal(err)
		}
		erased(t, s, path, "delete", func() error {
			_, err := c.DeleteSource(t.Context(), "m0", func(*registry.Source) error { return nil })
			return err
		})
	})
}

func erased(t *testing.T, s *Store, path, name string, erase func() error) {
	t.Helper()
	sealed := sealedIn(t, s, `SELECT sealed FROM kept_settings`)
	if holds(t, path, sealed) == "" {
		t.Fatal("it is nowhere to begin with")
	}
	if err := erase(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(scrubPause)
	synctest.Wait()
	if file := holds(t, path, sealed); file != "" {
		t.Errorf("%s: %s still holds it", name, file)
	}
}

// TestSettingsOfAnotherKey takes settings through a change of the key, and looks at what
// was moved to another row and at a Store without a key.
func TestSettingsOfAnotherKey(t *testing.T) {
	first, err := vault.New(vault.Generate())
	if err != nil {
		t.Fatal(err)
	}
	keys, err := first.Rotated(vault.Rotate)
	if err != nil {
		t.Fatal(err)
	}
	both, err := vault.New(string(keys))
	if err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{"sqlite": "sqlite://" + filepath.Join(t.TempDir(), "registry.db"), "postgres": pgtest.Database(t)} {
		t.Run(name, func(t *testing.T) {
			opened := func(opts ...Option) *Store {
				t.Helper()
				s, err := Open(t.Context(), url, opts...)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { s.Close() })
				return s
			}
			const n = rewriteRows + 1
			s := opened(WithVault(first))
			ids := connected(t, s, n)
			for _, id := range ids {
				if err := s.Customer(8).KeepSettings(t.Context(), id, []byte(fmt.Sprint("of ", id))); err != nil {
					t.Fatal(err)
				}
			}
			s = opened(WithVault(both))
			for _, want := range []int{n + 1, 0} { // with the note of the key
				if got, err := s.RewriteSecrets(t.Context()); err != nil || got != want {
					t.Fatalf("%d rewritten, %v, want %d", got, err, want)
				}
			}
			for _, id := range ids {
				if got, err := s.Customer(8).Settings(t.Context(), id); err != nil || string(got) != fmt.Sprint("of ", id) {
					t.Fatalf("%q, %v", got, err)
				}
			}
			if err := s.writing(t.Context(), 8, func(in scope) error {
				_, err := in.globalExec(t.Context(), sqlText(`UPDATE kept_settings SET sealed = (SELECT sealed FROM kept_settings WHERE connection = $1) WHERE connection = $2`), ids[0], ids[1])
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if got, err := s.Customer(8).Settings(t.Context(), ids[1]); !errors.Is(err, registry.ErrSecret) {
				t.Fatalf("of another connection: %q, %v, want ErrSecret", got, err)
			}
			s = opened() // none can be read or kept, and all can be forgotten
			if got, err := s.Customer(8).Settings(t.Context(), ids[0]); !errors.Is(err, registry.ErrSecret) {
				t.Fatalf("without a key: %q, %v, want ErrSecret", got, err)
			}
			if err := s.Customer(8).KeepSettings(t.Context(), ids[0], []byte("x")); !errors.Is(err, registry.ErrSecret) {
				t.Fatalf("without a key: %v, want ErrSecret", err)
			}
			for _, id := range ids[:2] {
				if err := s.Customer(8).KeepSettings(t.Context(), id, nil); err != nil {
					t.Fatal(err)
				}
				if got, err := s.Customer(8).Settings(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
					t.Fatalf("forgotten: %q, %v, want ErrNotFound", got, err)
				}
			}
		})
	}
}
