package sqlstore_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/sqlstore"
)

// rewritePage is how many rows are rewritten in one go.
const rewritePage = 100

// stepped gives the key that a step leads to.
func stepped(t *testing.T, key string, step vault.Step) string {
	t.Helper()
	v, err := vault.New(key)
	must(t)(err)
	next, err := v.Rotated(step)
	must(t)(err)
	return string(next)
}

// plantSecrets makes n rows of every kind that is sealed.
func plantSecrets(t *testing.T, s registry.Store, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("s%d", i)
		c := s.Customer(31 + int64(i%3))
		answered := &registry.IdempotencyRecord{Key: id, Answer: func(*registry.Source) []byte { return []byte("answer " + id) }}
		made, err := c.CreateSource(t.Context(), agentSource(id), answered)
		must(t)(err)
		must(t)(c.BeginConsent(t.Context(), id, [32]byte{byte(i), byte(i >> 8), 1}, registry.Consent{
			SourceRow: made.Source.ID, AuthVersion: 1, Verifier: id, ExpiresAt: time.Now().Add(time.Hour)}))
		esaID := subscribed(t, s, "m"+id, "secret of "+id)
		must(t)(s.Customer(31).KeepSettings(t.Context(), esaID, []byte("settings of "+id)))
		managed, err := s.Customer(31).ManagedSourceByID(t.Context(), esaID)
		must(t)(err)
		must(t)(s.Customer(31).KeepLaunch(t.Context(), "m"+id, [32]byte{byte(i), byte(i >> 8), 1}, registry.Launch{
			SourceRow: managed.ID, Session: id, ExpiresAt: time.Now().Add(time.Hour)}))
	}
}

// readSecrets reads them all back; except is a source whose credentials can't be.
func readSecrets(t *testing.T, s registry.Store, n int, except string) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("s%d", i)
		c := s.Customer(31 + int64(i%3))
		switch cred, _, err := c.Credential(t.Context(), id); {
		case id == except && errors.Is(err, registry.ErrSecret):
		case err != nil || !reflect.DeepEqual(cred, agentSource(id).Credential):
			t.Fatalf("%s: credentials: %v", id, err)
		}
		if got, err := c.CreateSource(t.Context(), agentSource(id), &registry.IdempotencyRecord{Key: id}); err != nil || string(got.Answer) != "answer "+id {
			t.Fatalf("%s: %q, %v", id, got.Answer, err)
		}
		if got, err := s.TakeConsent(t.Context(), [32]byte{byte(i), byte(i >> 8), 1}); err != nil || got.Consent.Verifier != id {
			t.Fatalf("%s: consent: %v", id, err)
		}
		if got, err := s.TakeLaunch(t.Context(), [32]byte{byte(i), byte(i >> 8), 1}); err != nil || got.Launch.Session != id {
			t.Fatalf("%s: launch: %v", id, err)
		}
		target, err := s.WebhookTarget(t.Context(), "m"+id)
		if err != nil || target.Secret != "secret of "+id {
			t.Fatalf("%s: subscription: %v", id, err)
		}
		if got, err := s.Customer(31).Settings(t.Context(), target.ESAID); err != nil || string(got) != "settings of "+id {
			t.Fatalf("%s: settings: %q, %v", id, got, err)
		}
	}
}

// TestRewriteSecrets takes a store with more than one page of everything through a
// change of its key.
func TestRewriteSecrets(t *testing.T) {
	for name, database := range sqlstore.WithPooler {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := database(t)
			const n = rewritePage
			first := vault.Generate()
			open(t, url).Close() // one without a key leaves no mark
			s := open(t, url, withKey(t, first))
			plantSecrets(t, s, n+1)
			// An answer that is still to come is nothing to rewrite.
			must(t)(s.Customer(31).CreateSource(t.Context(), agentSource("pending"), &registry.IdempotencyRecord{Key: "pending"}))
			const all = 7*(n+1) + 1 + 1 + 1 // what is pending has two, and the note of the key is one
			rewrite := func(s *sqlstore.Store, want int) {
				t.Helper()
				if got, err := s.RewriteSecrets(t.Context()); err != nil || got != want {
					t.Fatalf("%d rewritten, %v, want %d", got, err, want)
				}
			}
			rewrite(s, 0)
			s.Close()

			both := stepped(t, first, vault.Rotate)
			s = open(t, url, withKey(t, both))
			rewrite(s, all)
			rewrite(s, 0)
			s.Close()

			if s, err := sqlstore.Open(t.Context(), url, withKey(t, first)); !errors.Is(err, sqlstore.ErrEncryptionKey) {
				t.Fatalf("with the old key alone: %v, %v", s, err)
			}
			s = open(t, url, withKey(t, stepped(t, both, vault.Drop)))
			rewrite(s, 0)
			readSecrets(t, s, n+1, "")
		})
	}
}

// TestRewriteWhatCannotBeOpened: one bad row is told of, and keeps no other back.
func TestRewriteWhatCannotBeOpened(t *testing.T) {
	url := newFile(t)
	first := vault.Generate()
	s := open(t, url, withKey(t, first))
	const n = rewritePage + 1
	plantSecrets(t, s, n)
	s.Close()
	alter(t, url, `UPDATE credentials SET sealed = x'0102030405' WHERE source = (SELECT id FROM sources WHERE source_id = 's3')`)

	both := stepped(t, first, vault.Rotate)
	s = open(t, url, withKey(t, both))
	for _, want := range []int{7*n - 1 + 1, 0} {
		if got, err := s.RewriteSecrets(t.Context()); !errors.Is(err, registry.ErrSecret) || got != want {
			t.Fatalf("%d rewritten, %v, want %d and ErrSecret", got, err, want)
		}
	}
	s.Close()
	s = open(t, url, withKey(t, stepped(t, both, vault.Drop)))
	readSecrets(t, s, n, "s3")
	// It can be replaced and erased like any other.
	src, err := s.Customer(31).Source(t.Context(), "s3")
	must(t)(err)
	must(t)(s.Customer(31).ReplaceCredential(t.Context(), "s3", src.Agent.CredentialID, nil))
	if got, err := s.RewriteSecrets(t.Context()); err != nil || got != 0 {
		t.Fatalf("%d rewritten, %v", got, err)
	}
}

// TestRewriteWhileOthersWrite rewrites while every sealed row comes and goes.
func TestRewriteWhileOthersWrite(t *testing.T) {
	for name, database := range sqlstore.Databases {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			first := vault.Generate()
			s := open(t, url, withKey(t, first))
			plantSecrets(t, s, 40)
			s.Close()
			s = open(t, url, withKey(t, stepped(t, first, vault.Rotate)))
			done := make(chan error, 1)
			go func() {
				_, err := s.RewriteSecrets(t.Context())
				done <- err
			}()
			for i := range 40 {
				id := fmt.Sprintf("s%d", i)
				c := s.Customer(31 + int64(i%3))
				if _, err := c.UpdateSource(t.Context(), id, func(*registry.Source) (registry.SourceChange, error) {
					return registry.SourceChange{Credential: agentSource(id).Credential}, nil
				}); err != nil {
					t.Error(err)
				}
				if i%4 == 0 {
					if _, err := c.DeleteSource(t.Context(), id, func(*registry.Source) error { return nil }); err != nil {
						t.Error(err)
					}
				}
			}
			must(t)(<-done)
			for i := range 40 {
				if i%4 == 0 {
					continue
				}
				id := fmt.Sprintf("s%d", i)
				if cred, _, err := s.Customer(31+int64(i%3)).Credential(t.Context(), id); err != nil || !reflect.DeepEqual(cred, agentSource(id).Credential) {
					t.Fatalf("%s: %v", id, err)
				}
			}
			if n, err := s.RewriteSecrets(t.Context()); err != nil || n != 0 {
				t.Fatalf("%d were left, %v", n, err)
			}
		})
	}
}

// TestRewriteBehind has a row go back to the older key as soon as it is rewritten, as a
// process does that writes under that key: some times, and for ever.
func TestRewriteBehind(t *testing.T) {
	for name, test := range map[string]struct {
		times, rewritten int
		done             bool
	}{
		"twice":    {2, 3, true},
		"for ever": {1000, 5, false},
	} {
		t.Run(name, func(t *testing.T) {
			url := newFile(t)
			first := vault.Generate()
			s := open(t, url, withKey(t, first))
			must(t)(s.Customer(31).CreateSource(t.Context(), agentSource("s0"), nil))
			s.Close()
			s = open(t, url, withKey(t, stepped(t, first, vault.Rotate)))
			for _, statement := range []string{
				`CREATE TABLE times (n BIGINT)`,
				`CREATE TRIGGER back AFTER UPDATE OF sealed ON credentials WHEN (SELECT COUNT(*) FROM times) < ` + fmt.Sprint(test.times) + `
					BEGIN UPDATE credentials SET sealed = OLD.sealed WHERE id = OLD.id; INSERT INTO times (n) VALUES (1); END`,
			} {
				alter(t, url, statement)
			}
			n, err := s.RewriteSecrets(t.Context())
			if n != test.rewritten+1 || (err == nil) != test.done { // and the note of the key
				t.Fatalf("%d rewritten, %v, want %d", n, err, test.rewritten+1)
			}
			if err != nil && !strings.Contains(err.Error(), "older key") {
				t.Errorf("%v", err)
			}
		})
	}
}
