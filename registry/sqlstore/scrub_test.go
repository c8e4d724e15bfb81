package sqlstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"esagate/internal/vault"
	"esagate/registry"
)

// TestErasureIsNoticed: every statement that takes away something sealed is known as
// one.
func TestErasureIsNoticed(t *testing.T) {
	texts := []string{deleteCredential.text, deleteConsents.text, takeConsent.text, expiredConsents.remove.text}
	for _, table := range sealedTables {
		texts = append(texts, table.save.text)
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

// TestErasedIsOverwritten looks for what was sealed in the database's files, after
// each way to erase it, with the Store still open.
func TestErasedIsOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	v, err := vault.New("ZXJhc2VkLWlzLW92ZXJ3cml0dGVuLTMyLWJ5dGVzLi4=")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite://"+path, WithVault(v))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	c := s.Customer(8)
	token := func() *registry.Credential {
		return &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: rand.Text()}}
	}
	sealedIn := func(text string) (sealed []byte) {
		t.Helper()
		if err := s.reading(0).globalRow(t.Context(), sqlText(text)).Scan(&sealed); err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	var state [32]byte
	steps := []struct {
		name, holds string // the query for what is about to be erased
		erase       func(ctx context.Context, id string) error
	}{
		{"replace", `SELECT sealed FROM credentials`, func(ctx context.Context, id string) error {
			_, err := c.ReplaceCredential(ctx, "agent", id, token())
			return err
		}},
		{"erase", `SELECT sealed FROM credentials`, func(ctx context.Context, id string) error {
			_, err := c.ReplaceCredential(ctx, "agent", id, nil)
			return err
		}},
		{"take a consent", `SELECT sealed FROM consents`, func(ctx context.Context, _ string) error {
			_, err := s.TakeConsent(ctx, state)
			return err
		}},
		{"update", `SELECT sealed FROM credentials`, func(ctx context.Context, _ string) error {
			_, err := c.UpdateSource(ctx, "agent", func(*registry.InventorySource) (registry.SourceChange, error) {
				return registry.SourceChange{EraseCredential: true}, nil
			})
			return err
		}},
		{"delete", `SELECT sealed FROM credentials`, func(ctx context.Context, _ string) error {
			_, err := c.DeleteSource(ctx, "agent", func(*registry.InventorySource) error { return nil })
			return err
		}},
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			made, err := c.CreateSource(t.Context(), registry.NewSource{SourceID: "agent", Name: "Agent", Credential: token(), AgentID: rand.Text,
				Agent: registry.Agent{Status: registry.SourceActive, Type: "SALES", EndpointURL: "https://a.example", Protocol: "MCP", Authentication: registry.AuthAPIKey}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.BeginConsent(t.Context(), "agent", state, registry.Consent{AuthVersion: 1, Verifier: rand.Text(), ExpiresAt: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
			sealed := sealedIn(step.holds)
			if holds(t, path, sealed) == "" {
				t.Fatal("it is nowhere to begin with")
			}
			if err := step.erase(t.Context(), made.Source.Source.Agent.CredentialID); err != nil {
				t.Fatal(err)
			}
			if file := holds(t, path, sealed); file != "" {
				t.Errorf("%s still holds it", file)
			}
			if _, err := c.DeleteSource(t.Context(), "agent", func(*registry.InventorySource) error { return nil }); err != nil && step.name != "delete" {
				t.Fatal(err)
			}
		})
	}
}

// holds gives the first file of a database that holds some bytes.
func holds(t *testing.T, path string, text []byte) string {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, text) {
			return name
		}
	}
	return ""
}
