package sqlstore_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/registrytest"
	"esagate/registry/sqlstore"
)

const canary = "CANARY-7f3a-must-never-be-read.."

func withKey(t *testing.T, key string) sqlstore.Option {
	t.Helper()
	v, err := vault.New(key)
	must(t)(err)
	return sqlstore.WithVault(v)
}

// agentSource is a source with a canary in its credentials.
func agentSource(id string) registry.NewSource {
	return registry.NewSource{SourceID: id, Name: id, Agent: registry.Agent{Status: registry.SourceActive, Authentication: registry.AuthBasic},
		AgentID:    func() string { return "agent-" + id },
		Credential: &registry.Credential{Basic: &registry.BasicCredential{Username: "user", Password: canary}}}
}

// plantCanaries puts one wherever a Store keeps something secret.
func plantCanaries(t *testing.T, s registry.Store) {
	t.Helper()
	c, ctx := s.Customer(31), t.Context()
	create := func(id string, once registry.IdempotencyRecord) *registry.Source {
		once.Fingerprint = [32]byte([]byte(canary)) // which would be known again
		made, err := c.CreateSource(ctx, agentSource(id), &once)
		must(t)(err)
		return made.Source
	}
	update := func(id string, change registry.SourceChange) {
		must(t)(c.UpdateSource(ctx, id, func(*registry.Source) (registry.SourceChange, error) { return change, nil }))
	}
	create("kept", registry.IdempotencyRecord{Key: "k", Answer: func(*registry.Source) []byte { return []byte(canary) }})
	create("replaced", registry.IdempotencyRecord{Key: "replaced"})
	update("replaced", registry.SourceChange{Credential: &registry.Credential{JWT: &registry.JWTCredential{PrivateKey: canary}}})
	create("erased", registry.IdempotencyRecord{Key: "erased"})
	update("erased", registry.SourceChange{EraseCredential: true})
	must(t)(c.KeepAnswer(ctx, "erased", []byte(canary)))

	client := registry.OAuthClient{ClientSecret: canary}
	consent := registry.Consent{SourceRow: create("consented", registry.IdempotencyRecord{Key: "consented"}).ID, AuthVersion: 1,
		Verifier: canary, Client: client, ExpiresAt: time.Now().Add(time.Hour)}
	must(t)(c.BeginConsent(ctx, "consented", [32]byte{1}, consent))
	must(t)(c.EndConsent(ctx, "consented", consent, registry.OAuthCredential{AccessToken: canary, RefreshToken: canary, Client: client}))

	id := subscribed(t, s, "radio", canary)
	change(t, s, id, func(next *registry.Subscription) { next.Secret += " again" })
	must(t)(c.RecordEvent(ctx, id, registry.Event{ID: "e", Announces: true}))
	must(t)(c.KeepSettings(ctx, id, []byte(canary)))
}

func TestCanaryInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path, withKey(t, registrytest.Key))
	plantCanaries(t, s)
	look := func(when string, names ...string) {
		for _, name := range names {
			text, err := os.ReadFile(path + name)
			if err != nil || when == "open" && len(text) == 0 && name == "" {
				t.Fatalf("%s: %v, %d bytes", name, err, len(text))
			}
			if bytes.Contains(text, []byte(canary)) {
				t.Errorf("%s, registry.db%s: the canary is readable", when, name)
			}
		}
	}
	look("open", "", "-wal", "-shm")
	s.Close()
	look("closed", "")
}

// texts returns the answer to a query of one text a row.
func texts(t *testing.T, db *sql.DB, query string) (all []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	must(t)(err)
	defer rows.Close()
	for rows.Next() {
		var text string
		must(t)(rows.Scan(&text))
		all = append(all, text)
	}
	must(t)(rows.Err())
	return all
}

// TestCanaryInTables reads every column of every table.
func TestCanaryInTables(t *testing.T) {
	url := pgtest.Database(t)
	s := open(t, url, withKey(t, registrytest.Key))
	plantCanaries(t, s)
	db, err := sql.Open("pgx", url)
	must(t)(err)
	defer db.Close()
	seen := map[string]int{}
	for _, table := range texts(t, db, `SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()`) {
		for _, text := range texts(t, db, `SELECT row_to_json(t)::text FROM `+table+` t`) {
			seen[table]++
			if strings.Contains(text, canary) || strings.Contains(text, hex.EncodeToString([]byte(canary))) {
				t.Errorf("%s: the canary is readable", table)
			}
		}
	}
	for _, table := range []string{"credentials", "idempotency", "kept_settings", "subscriptions", "sources"} {
		if seen[table] == 0 {
			t.Errorf("no rows of %s were read", table)
		}
	}
}

// TestManyKeysAtOnce opens a new database with two keys, several times at once: one
// key wins, and all who have it get in.
func TestManyKeysAtOnce(t *testing.T) {
	for name, database := range sqlstore.Databases {
		t.Run(name, func(t *testing.T) {
			url := database(t)
			keys := []sqlstore.Option{withKey(t, vault.Generate()), withKey(t, vault.Generate())}
			const n = 8
			errs := make([]error, n)
			var wg sync.WaitGroup
			for i := range n {
				wg.Go(func() {
					s, err := sqlstore.Open(t.Context(), url, keys[i%2])
					if errs[i] = err; err == nil {
						errs[i] = s.Close()
					}
				})
			}
			wg.Wait()
			opened := [2]int{}
			for i, err := range errs {
				switch {
				case err == nil:
					opened[i%2]++
				case !errors.Is(err, sqlstore.ErrEncryptionKey), err.Error() != sqlstore.ErrEncryptionKey.Error():
					t.Fatal(err)
				}
			}
			if opened != [2]int{n / 2, 0} && opened != [2]int{0, n / 2} {
				t.Fatalf("opened %v times", opened)
			}
		})
	}
}

// TestWithoutAKey: everything but secrets works, and what doesn't says why.
func TestWithoutAKey(t *testing.T) {
	s := open(t, "sqlite://:memory:")
	c, bare := s.Customer(31), agentSource("bare")
	bare.Credential = nil
	must(t)(c.CreateSource(t.Context(), bare, &registry.IdempotencyRecord{Key: "k"}))
	_, create := c.CreateSource(t.Context(), agentSource("secret"), nil)
	_, answer := c.CreateSource(t.Context(), agentSource("answer"), &registry.IdempotencyRecord{Key: "k2", Answer: func(*registry.Source) []byte { return []byte("a") }})
	_, update := c.UpdateSource(t.Context(), "bare", func(*registry.Source) (registry.SourceChange, error) {
		return registry.SourceChange{Credential: agentSource("").Credential}, nil
	})
	_, rewrite := s.RewriteSecrets(t.Context())
	made, err := s.Adopt(t.Context(), entry())
	must(t)(err)
	id := made.Managed.Connection.ID
	_, subscribe := c.ChangeSubscription(t.Context(), id, func(*registry.Subscription) (*registry.Subscription, error) {
		return &registry.Subscription{Secret: canary}, nil
	})
	for name, err := range map[string]error{
		"create": create, "answer": answer, "update": update, "rewrite": rewrite, "subscribe": subscribe,
		"settings": c.KeepSettings(t.Context(), id, []byte(canary)),
		"begin":    c.BeginConsent(t.Context(), "bare", [32]byte{1}, registry.Consent{SourceRow: 1, AuthVersion: 1, ExpiresAt: time.Now().Add(time.Hour)}),
		"finish":   c.KeepAnswer(t.Context(), "k", []byte("a")),
	} {
		if !errors.Is(err, registry.ErrSecret) || !strings.Contains(err.Error(), "there is no store.encryption_key") || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := c.RecordEvent(t.Context(), id, registry.Event{ID: "e", Announces: true}); err != nil {
		t.Error(err)
	}
	if _, err := c.BeginAudit(t.Context(), registry.AuditEntry{}); err != nil {
		t.Error(err)
	}
	if _, n, err := c.Sources(t.Context(), 0, 1); err != nil || n != 2 {
		t.Errorf("%d sources, %v", n, err)
	}
}

// TestReadWithoutAKey: a Store without a key reads nothing that another has sealed, and can
// remove it.
func TestReadWithoutAKey(t *testing.T) {
	url := newFile(t)
	s := open(t, url, withKey(t, registrytest.Key))
	movedWorld(t, s)
	s.Close()
	s = open(t, url)
	for name, read := range map[string]secretRead{
		"credentials": credentialOf(31, "one"), "answer": keyUsed(31, "one", "k"), "consent": stateTaken(1),
		"secret": secretOf("radio"), "settings": settingsOf("radio"),
	} {
		if err := read(t, s); !errors.Is(err, registry.ErrSecret) {
			t.Errorf("%s: %v, want ErrSecret", name, err)
		}
	}
	src, err := s.Customer(31).Source(t.Context(), "radio")
	must(t)(err)
	must(t)(s.Customer(31).KeepSettings(t.Context(), src.Connection.ID, nil))
	if err := settingsOf("radio")(t, s); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("settings that were removed: %v, want ErrNotFound", err)
	}
}

// subscribed makes a connection of customer 31 with a subscription, whose tenant has
// its sourceId.
func subscribed(t *testing.T, s registry.Store, sourceID, secret string) int64 {
	t.Helper()
	made, err := s.Adopt(t.Context(), registry.ConfigSource{CustomerID: 31, SourceID: sourceID, Name: sourceID, TenantID: sourceID})
	must(t)(err)
	id := made.Managed.Connection.ID
	change(t, s, id, func(next *registry.Subscription) { next.WebhookID, next.Secret = "hook of "+sourceID, secret })
	return id
}

func change(t *testing.T, s registry.Store, esaID int64, f func(*registry.Subscription)) {
	t.Helper()
	must(t)(s.Customer(31).ChangeSubscription(t.Context(), esaID, func(was *registry.Subscription) (*registry.Subscription, error) {
		var next registry.Subscription
		if was != nil {
			next = *was
		}
		f(&next)
		return &next, nil
	}))
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

// TestSubscriptionOfALostSecret: it is told of, keeps nothing else back, and is of use
// again with another one.
func TestSubscriptionOfALostSecret(t *testing.T) {
	url := newFile(t)
	s := open(t, url, withKey(t, registrytest.Key))
	id := subscribed(t, s, "radio", "lost")
	s.Close()
	alter(t, url, `UPDATE subscriptions SET sealed = x'0102030405'`)
	s = open(t, url, withKey(t, registrytest.Key))
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	change(t, s, id, func(next *registry.Subscription) {
		if next.Secret != "" || next.WebhookID != "hook of radio" {
			t.Error("decided on another than stands")
		}
		next.Dead = true
	})
	secretIs(t, s, id, "radio", "", registry.ErrSecret)
	must(t)(s.Customer(31).RecordEvent(t.Context(), id, registry.Event{ID: "e"}))
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
