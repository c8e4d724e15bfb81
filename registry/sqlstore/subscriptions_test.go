package sqlstore_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esagate/internal/pgtest"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
)

// subscribed makes a connection of customer 31 with a subscription, whose tenant has
// its sourceId.
func subscribed(t *testing.T, s registry.Store, sourceID, secret string) int64 {
	t.Helper()
	made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 31, SourceID: sourceID, Name: sourceID, TenantID: sourceID})
	if err != nil {
		t.Fatal(err)
	}
	id := made.Managed.Connection.ID
	change(t, s, id, func(next *registry.Subscription) { next.WebhookID, next.Secret = "hook of "+sourceID, secret })
	return id
}

func change(t *testing.T, s registry.Store, esaID int64, f func(*registry.Subscription)) {
	t.Helper()
	if _, err := s.Customer(31).ChangeSubscription(t.Context(), esaID, func(was *registry.Subscription) (*registry.Subscription, error) {
		var next registry.Subscription
		if was != nil {
			next = *was
		}
		f(&next)
		return &next, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// secretIs reads a secret in both ways; with an error wanted, both give that.
func secretIs(t *testing.T, s registry.Store, esaID int64, tenant, secret string, want error) {
	t.Helper()
	got, err := s.Customer(31).Subscription(t.Context(), esaID)
	target, terr := s.WebhookTarget(t.Context(), tenant)
	if want != nil {
		if !errors.Is(err, want) || !errors.Is(terr, want) {
			t.Fatalf("%s: %v, %v, want %v", tenant, err, terr, want)
		}
		return
	}
	if err != nil || terr != nil || got.Secret != secret || target.Secret != secret {
		t.Fatalf("%s: %v, %v, or another secret", tenant, err, terr)
	}
}

// TestSubscriptionSecretIsSealed looks for it where somebody might who has the disk.
func TestSubscriptionSecretIsSealed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	plant := func(url string) registry.Store {
		s := open(t, url, withKey(t, registrytest.Key))
		id := subscribed(t, s, "radio", canary)
		change(t, s, id, func(next *registry.Subscription) { next.Secret += " again" })
		if _, _, err := s.Customer(31).RecordEvent(t.Context(), id, registry.Event{ID: "e", Announces: true}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := plant("sqlite://" + path)
	for _, name := range []string{"", "-wal", "-shm"} {
		text, err := os.ReadFile(path + name)
		if err != nil || bytes.Contains(text, []byte(canary)) {
			t.Errorf("registry.db%s: %v, or the secret is readable", name, err)
		}
	}
	s.Close()

	url := pgtest.Database(t)
	defer plant(url).Close()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, table := range tablesOf(t, db) {
		var text sql.NullString
		if err := db.QueryRowContext(t.Context(), `SELECT string_agg(row_to_json(t)::text, ' ') FROM `+table+` t`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text.String, canary) || strings.Contains(text.String, hex.EncodeToString([]byte(canary))) || table == "subscriptions" && !text.Valid {
			t.Errorf("%s: the secret is readable, or nowhere", table)
		}
	}
}

// TestRewriteSubscriptions takes more than a page of secrets through a change of key.
func TestRewriteSubscriptions(t *testing.T) {
	for name, url := range databases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const n = rewritePage + 1
			first := vault.Generate()
			s := open(t, url, withKey(t, first))
			ids := make([]int64, n)
			for i := range n {
				ids[i] = subscribed(t, s, fmt.Sprint("s", i), fmt.Sprint("secret ", i))
			}
			s.Close()
			both := stepped(t, first, vault.Rotate)
			s = open(t, url, withKey(t, both))
			for _, want := range []int{n + 1, 0} { // and the note of the key
				if got, err := s.RewriteSecrets(t.Context()); err != nil || got != want {
					t.Fatalf("%d rewritten, %v, want %d", got, err, want)
				}
			}
			s.Close()
			s = open(t, url, withKey(t, stepped(t, both, vault.Drop)))
			defer s.Close()
			for i, id := range ids {
				secretIs(t, s, id, fmt.Sprint("s", i), fmt.Sprint("secret ", i), nil)
			}
		})
	}
}

// TestMovedSubscriptions puts sealed secrets where they don't belong, as somebody might
// who can write to the database: no delivery is believed for it.
func TestMovedSubscriptions(t *testing.T) {
	const other = `(SELECT c.id FROM connections c WHERE c.tenant_id = 'two')`
	for name, statement := range map[string]string{
		"another connection's": `UPDATE subscriptions SET sealed = (SELECT sealed FROM subscriptions WHERE connection = ` + other + `) WHERE connection <> ` + other,
		"to another customer":  `UPDATE sources SET customer_id = 32; UPDATE connections SET customer_id = 32; UPDATE subscriptions SET customer_id = 32`,
		"changed":              `UPDATE subscriptions SET sealed = CAST(sealed AS BLOB) || x'00'`,
		"cut to nothing":       `UPDATE subscriptions SET sealed = x''`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "registry.db")
			s := open(t, "sqlite://"+path, withKey(t, registrytest.Key))
			subscribed(t, s, "one", "secret")
			subscribed(t, s, "two", "secret")
			s.Close()
			alter(t, path, statement)
			s = open(t, "sqlite://"+path, withKey(t, registrytest.Key))
			defer s.Close()
			if got, err := s.WebhookTarget(t.Context(), "one"); !errors.Is(err, registry.ErrSecret) {
				t.Fatalf("%v, %t, want ErrSecret", err, got != nil)
			}
		})
	}
}

// TestSubscriptionOfALostSecret: it is told of, keeps nothing else back, and is of use
// again with another one.
func TestSubscriptionOfALostSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path, withKey(t, registrytest.Key))
	id := subscribed(t, s, "radio", "lost")
	s.Close()
	alter(t, path, `UPDATE subscriptions SET sealed = x'0102030405'`)
	s = open(t, "sqlite://"+path, withKey(t, registrytest.Key))
	defer s.Close()
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	change(t, s, id, func(next *registry.Subscription) {
		if next.Secret != "" || next.WebhookID != "hook of radio" {
			t.Error("decided on another than stands")
		}
		next.Dead = true
	})
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	if _, _, err := s.Customer(31).RecordEvent(t.Context(), id, registry.Event{ID: "e"}); err != nil {
		t.Fatal(err)
	}
	if news, err := s.Customer(31).DeliveryCounts(t.Context(), id); err != nil || news != (registry.DeliveryCounts{Delivered: 1}) {
		t.Fatalf("%+v, %v", news, err)
	}
	if _, err := s.RewriteSecrets(t.Context()); !errors.Is(err, registry.ErrSecret) {
		t.Fatalf("%v, want ErrSecret", err)
	}
	change(t, s, id, func(next *registry.Subscription) { next.Secret = "found" })
	secretIs(t, s, id, "radio", "found", nil)
	if n, err := s.RewriteSecrets(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d rewritten, %v", n, err)
	}
}

// TestSubscriptionWithoutAKey: nothing secret is kept or read, and all else works.
func TestSubscriptionWithoutAKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path, withKey(t, registrytest.Key))
	id := subscribed(t, s, "radio", canary)
	s.Close()
	s, err := sqlstore.Open(t.Context(), "sqlite://"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	if _, err := s.Customer(31).ChangeSubscription(t.Context(), id, func(*registry.Subscription) (*registry.Subscription, error) {
		return &registry.Subscription{Secret: canary}, nil
	}); !errors.Is(err, registry.ErrSecret) || strings.Contains(err.Error(), canary) {
		t.Fatalf("%v, want ErrSecret", err)
	}
	if _, _, err := s.Customer(31).RecordEvent(t.Context(), id, registry.Event{ID: "e", Announces: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Customer(31).BeginAudit(t.Context(), registry.AuditEntry{}); err != nil {
		t.Fatal(err)
	}
}
