package sqlstore

import (
	"bytes"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/vault"
	"esagate/registry"
)

// TestErasureIsNoticed: every statement that takes away something sealed is known as
// one.
func TestErasureIsNoticed(t *testing.T) {
	texts := []string{deleteCredential.text, deleteConsents.text, takeConsent.text, expiredConsents.remove.text, takeLaunch.text, expiredLaunches.remove.text, deleteSettings.text}
	for _, st := range deletions[:5] { // the rest of them hold nothing sealed
		texts = append(texts, st.text)
	}
	for _, table := range sealedTables {
		texts = append(texts, table.save().text)
	}
	for _, text := range texts {
		if !erasure.MatchString(text) {
			t.Errorf("not noticed: %s", text)
		}
	}
	for _, text := range []string{insertCredential.text, leaseCredential.text, selectCredential.text, updateConnection.text} {
		if erasure.MatchString(text) {
			t.Errorf("taken for an erasure: %s", text)
		}
	}
}

var scrubVault, _ = vault.New(vault.Generate())

// scrubbed opens a Store on a file, in the caller's bubble.
func scrubbed(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), "sqlite://"+path, WithVault(scrubVault))
	must(t)(err)
	return s
}

func randomToken() *registry.Credential {
	return &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: rand.Text()}}
}

// planted makes a source with credentials.
func planted(t *testing.T, s *Store) *registry.Source {
	t.Helper()
	made, err := s.Customer(8).CreateSource(t.Context(), registry.NewSource{SourceID: "agent", Name: "Agent", Credential: randomToken(), AgentID: rand.Text,
		Agent: registry.Agent{Status: registry.SourceActive, Type: "SALES", EndpointURL: "https://a.example", Protocol: "MCP", Authentication: registry.AuthAPIKey}}, nil)
	must(t)(err)
	return made.Source
}

// connected creates a managed source, and returns its esaId.
func connected(t *testing.T, s *Store) int64 {
	t.Helper()
	made, err := s.Customer(8).CreateManaged(t.Context(), registry.NewManaged{SourceID: "managed",
		Operation: registry.Operation{Kind: registry.OperationProvision, ID: "o"}}, nil)
	must(t)(err)
	return made.Source.Connection.ID
}

func sealedIn(t *testing.T, s *Store, text string) (sealed []byte) {
	t.Helper()
	must(t)(s.reading(0).queryRow(t.Context(), global(text)).Scan(&sealed))
	return sealed
}

// erase erases the credentials that were planted, and gives what was sealed.
func erase(t *testing.T, s *Store) (sealed []byte) {
	t.Helper()
	sealed = sealedIn(t, s, `SELECT sealed FROM credentials`)
	must(t)(s.Customer(8).UpdateSource(t.Context(), "agent", func(*registry.Source) (registry.SourceChange, error) {
		return registry.SourceChange{EraseCredential: true}, nil
	}))
	return sealed
}

// oldReader reads the database as it is now until it is closed.
func oldReader(t *testing.T, s *Store) *sql.Rows {
	t.Helper()
	rows, err := s.read.QueryContext(t.Context(), `SELECT name FROM sequences UNION ALL SELECT name FROM sequences`)
	if err != nil || !rows.Next() {
		t.Fatal(err)
	}
	return rows
}

// TestErasedIsOverwritten looks for what was sealed in the database's files, after
// each way to erase it, with the Store still open.
func TestErasedIsOverwritten(t *testing.T) { synctest.Test(t, erasedIsOverwritten) }

func erasedIsOverwritten(t *testing.T) {
	const credentials, consents = `SELECT sealed FROM credentials`, `SELECT sealed FROM consents`
	const settings, subscriptions = `SELECT sealed FROM kept_settings`, `SELECT sealed FROM subscriptions`
	path := filepath.Join(t.TempDir(), "registry.db")
	s := scrubbed(t, path)
	defer s.Close()
	c, ctx := s.Customer(8), t.Context()
	var state [32]byte
	update := func(change registry.SourceChange) error {
		_, err := c.UpdateSource(ctx, "agent", func(*registry.Source) (registry.SourceChange, error) { return change, nil })
		return err
	}
	remove := func(sourceID string) error {
		_, err := c.DeleteSource(ctx, sourceID, func(*registry.Source) error { return nil })
		return err
	}
	subscribe := func(esaID int64) error {
		_, err := c.ChangeSubscription(ctx, esaID, func(*registry.Subscription) (*registry.Subscription, error) {
			return &registry.Subscription{Secret: rand.Text()}, nil
		})
		return err
	}
	for _, step := range []struct {
		name, holds string // the query for what is about to be erased
		erase       func(credential string, esaID int64) error
	}{
		{"replace credentials", credentials, func(id string, _ int64) error {
			_, err := c.ReplaceCredential(ctx, "agent", id, randomToken())
			return err
		}},
		{"erase credentials", credentials, func(id string, _ int64) error { _, err := c.ReplaceCredential(ctx, "agent", id, nil); return err }},
		{"erase them by an update", credentials, func(string, int64) error { return update(registry.SourceChange{EraseCredential: true}) }},
		{"delete the AGENT source", credentials, func(string, int64) error { return remove("agent") }},
		{"take a consent", consents, func(string, int64) error { _, err := s.TakeConsent(ctx, state); return err }},
		{"make a consent void", consents, func(string, int64) error { return update(registry.SourceChange{NewConsent: true}) }},
		{"remove settings", settings, func(_ string, esaID int64) error { return c.KeepSettings(ctx, esaID, nil) }},
		{"replace settings", settings, func(_ string, esaID int64) error { return c.KeepSettings(ctx, esaID, []byte("others")) }},
		{"delete a source with settings", settings, func(string, int64) error { return remove("managed") }},
		{"replace a secret", subscriptions, func(_ string, esaID int64) error { return subscribe(esaID) }},
		{"delete a source with a secret", subscriptions, func(string, int64) error { return remove("managed") }},
	} {
		src, esaID := planted(t, s), connected(t, s)
		must(t)(errors.Join(subscribe(esaID), c.KeepSettings(ctx, esaID, []byte(rand.Text())),
			c.BeginConsent(ctx, "agent", state, registry.Consent{SourceRow: src.ID, AuthVersion: 1, Verifier: rand.Text(), ExpiresAt: time.Now().Add(time.Hour)})))
		time.Sleep(2 * scrubPauseMax) // what was noticed before has been scrubbed
		synctest.Wait()
		sealed := sealedIn(t, s, step.holds)
		if holds(t, path, sealed) == "" {
			t.Fatal("it is nowhere to begin with")
		}
		if err := step.erase(src.Agent.CredentialID, esaID); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		time.Sleep(scrubPause)
		synctest.Wait()
		if file := holds(t, path, sealed); file != "" {
			t.Errorf("%s: %s still holds it", step.name, file)
		}
		for _, id := range []string{"agent", "managed"} {
			if err := remove(id); err != nil && !errors.Is(err, registry.ErrNotFound) {
				t.Fatal(err)
			}
		}
	}
}

// TestErasedUnderReaders: while an older state is being read, no write waits for the log
// to be emptied, and it is emptied afterwards.
func TestErasedUnderReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "registry.db")
		s := scrubbed(t, path)
		defer s.Close()
		planted(t, s)
		reader := oldReader(t, s)
		sealed := erase(t, s)
		time.Sleep(3 * time.Second) // several attempts
		synctest.Wait()
		if holds(t, path, sealed) == "" {
			t.Fatal("the reader was not in the way")
		}
		reader.Close()
		time.Sleep(scrubPauseMax)
		synctest.Wait()
		if file := holds(t, path, sealed); file != "" {
			t.Errorf("%s still holds it", file)
		}
	})
}

// TestErasedBeforeTheEnd: what could not be done before is done when the Store closes,
// with the file open elsewhere, and when the next one opens, after one that was killed.
func TestErasedBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "registry.db")
		s, other := scrubbed(t, path), scrubbed(t, path)
		planted(t, s)
		reader := oldReader(t, other)
		sealed := erase(t, s)
		time.Sleep(time.Second)
		synctest.Wait()
		if holds(t, path, sealed) == "" {
			t.Fatal("the reader was not in the way")
		}
		reader.Close()
		must(t)(s.Close())
		if file := holds(t, path, sealed); file != "" {
			t.Errorf("closed, %s still holds it", file)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}

		must(t)(other.Customer(8).UpdateSource(t.Context(), "agent", func(*registry.Source) (registry.SourceChange, error) {
			return registry.SourceChange{Credential: randomToken()}, nil
		}))
		other.scrubber.stop() // as if it were killed
		sealed = erase(t, other)
		if holds(t, path, sealed) == "" {
			t.Fatal("somebody else has done it")
		}
		next := scrubbed(t, path)
		synctest.Wait()
		if file := holds(t, path, sealed); file != "" {
			t.Errorf("opened again, %s still holds it", file)
		}
		next.Close()
		other.Close()
	})
}

// holds gives the first file of a database that holds some bytes.
func holds(t *testing.T, path string, text []byte) string {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(name)
		must(t)(err)
		if bytes.Contains(content, text) {
			return name
		}
	}
	return ""
}
