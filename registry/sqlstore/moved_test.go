package sqlstore_test

import (
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/registry"
	"esagate/registry/registrytest"
)

// secretRead reads something sealed in movedWorld.
type secretRead func(t *testing.T, s registry.Store) error

// secretReads are all of them, one after the other, and what they end with there.
var secretReads = []struct {
	name string
	read secretRead
	ends error
}{
	{"one", credentialOf(31, "one"), nil},
	{"two", credentialOf(31, "two"), nil},
	{"three", credentialOf(32, "three"), registry.ErrNotFound},
	{"k", keyUsed(31, "one", "k"), nil},
	{"k2", keyUsed(31, "one", "k2"), registry.ErrSourceTaken},
	{"their k", keyUsed(32, "three", "k"), registry.ErrSourceTaken},
	{"state 1", stateTaken(1), nil},
	{"state 2", stateTaken(2), registry.ErrNotFound},
	{"launch 1", launchTaken(1), nil},
	{"launch 2", launchTaken(2), registry.ErrNotFound},
	{"radio", secretOf("radio"), nil},
	{"video", secretOf("video"), nil},
	{"settings", settingsOf("radio"), nil},
}

func credentialOf(customer int64, id string) secretRead {
	return func(t *testing.T, s registry.Store) error {
		_, _, err := s.Customer(customer).Credential(t.Context(), id)
		return err
	}
}

// keyUsed creates what is there already, which is an error unless it is a replay.
func keyUsed(customer int64, id, key string) secretRead {
	return func(t *testing.T, s registry.Store) error {
		again := agentSource(id)
		again.AgentID = rand.Text
		_, err := s.Customer(customer).CreateSource(t.Context(), again, &registry.IdempotencyRecord{Key: key})
		return err
	}
}

func stateTaken(state byte) secretRead {
	return func(t *testing.T, s registry.Store) error {
		_, err := s.TakeConsent(t.Context(), [32]byte{state})
		return err
	}
}

func launchTaken(token byte) secretRead {
	return func(t *testing.T, s registry.Store) error {
		_, err := s.TakeLaunch(t.Context(), [32]byte{token})
		return err
	}
}

func secretOf(tenant string) secretRead {
	return func(t *testing.T, s registry.Store) error {
		_, err := s.WebhookTarget(t.Context(), tenant)
		return err
	}
}

func settingsOf(sourceID string) secretRead {
	return func(t *testing.T, s registry.Store) error {
		src, err := s.Customer(31).Source(t.Context(), sourceID)
		if err != nil {
			return nil // moved to another customer
		}
		_, err = s.Customer(31).Settings(t.Context(), src.Connection.ID)
		return err
	}
}

// movedWorld has the sources 1 and 2 of customer 31, and 3 of customer 32, with
// credentials of the first two, and an idempotency key and a consent of the first. Two
// connections, radio and video, have a subscription and settings each, and there is a launch into radio.
func movedWorld(t *testing.T, s registry.Store) {
	t.Helper()
	made := &registry.IdempotencyRecord{Key: "k", Answer: func(*registry.Source) []byte { return []byte("answer") }}
	one, err := s.Customer(31).CreateSource(t.Context(), agentSource("one"), made)
	must(t)(err)
	bare := agentSource("three")
	bare.Credential = nil
	must(t)(s.Customer(31).CreateSource(t.Context(), agentSource("two"), nil))
	must(t)(s.Customer(32).CreateSource(t.Context(), bare, nil))
	must(t)(s.Customer(31).BeginConsent(t.Context(), "one", [32]byte{1},
		registry.Consent{SourceRow: one.Source.ID, AuthVersion: 1, Verifier: "v", ExpiresAt: time.Now().Add(time.Hour)}))
	for _, id := range []string{"radio", "video"} {
		must(t)(s.Customer(31).KeepSettings(t.Context(), subscribed(t, s, id, "secret"), []byte(id)))
	}
	radio, err := s.Customer(31).Source(t.Context(), "radio")
	must(t)(err)
	must(t)(s.Customer(31).KeepLaunch(t.Context(), "radio", [32]byte{1}, registry.Launch{SourceRow: radio.ID, ExpiresAt: time.Now().Add(time.Hour)}))
}

// TestMovedSecrets puts sealed values where they don't belong, as an attacker might who
// can write to the database and has no key.
func TestMovedSecrets(t *testing.T) {
	type ends map[string]error // where they differ
	shut, none := registry.ErrSecret, registry.ErrNotFound
	const video = `(SELECT c.id FROM connections c WHERE c.tenant_id = 'video')`
	tests := []struct {
		name, statement string
		ends            ends
	}{
		{"nothing", `SELECT 1`, nil},
		{"to another source", `UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE source = 2) WHERE source = 1`, ends{"one": shut}},
		{"with its id", `DELETE FROM credentials WHERE source = 2; UPDATE credentials SET source = 2`, ends{"one": none, "two": shut}},
		{"to another customer", `UPDATE credentials SET customer_id = 32, source = 3 WHERE source = 2`, ends{"two": none, "three": shut}},
		{"under another id", `UPDATE credentials SET id = 'x' WHERE source = 1`, ends{"one": shut}},
		{"from another table", `UPDATE credentials SET sealed = (SELECT sealed FROM idempotency) WHERE source = 1`, ends{"one": shut}},
		{"changed", `UPDATE credentials SET sealed = CAST(sealed AS BLOB) || x'00'`, ends{"one": shut, "two": shut}},
		{"cut to nothing", `UPDATE credentials SET sealed = x''`, ends{"one": shut, "two": shut}},
		{"a fingerprint of another key", `UPDATE idempotency SET name = 'k2', sealed = NULL`, ends{"k": registry.ErrSourceTaken, "k2": shut}},
		{"an answer as a fingerprint", `UPDATE idempotency SET fingerprint = sealed`, ends{"k": shut}},
		{"an answer of another key", `UPDATE idempotency SET name = 'k2', fingerprint = zeroblob(32)`, ends{"k": registry.ErrSourceTaken, "k2": shut}},
		{"an answer of another customer", `UPDATE idempotency SET customer_id = 32, fingerprint = zeroblob(32)`, ends{"k": registry.ErrSourceTaken, "their k": shut}},
		{"a consent of another source", `UPDATE consents SET source = 2`, ends{"state 1": shut}},
		{"a consent of another customer", `UPDATE consents SET customer_id = 32, source = 3`, ends{"state 1": shut}},
		{"a consent of another state", `UPDATE consents SET state_hash = x'0200000000000000000000000000000000000000000000000000000000000000'`,
			ends{"state 1": none, "state 2": shut}},
		{"a launch into another source", `UPDATE launches SET source = 2`, ends{"launch 1": shut}},
		{"a launch of another customer", `UPDATE launches SET customer_id = 32, source = 3`, ends{"launch 1": shut}},
		{"a launch of another token", `UPDATE launches SET token_hash = x'0200000000000000000000000000000000000000000000000000000000000000'`,
			ends{"launch 1": none, "launch 2": shut}},
		{"a launch that goes on", `UPDATE launches SET expires_at = '9999-01-01T00:00:00.000000Z', sealed = (SELECT sealed FROM consents)`, ends{"launch 1": shut}},
		{"a subscription of another connection", `UPDATE subscriptions SET sealed = (SELECT sealed FROM subscriptions WHERE connection = ` + video + `) WHERE connection <> ` + video,
			ends{"radio": shut}},
		{"a subscription of another customer", `DELETE FROM launches; UPDATE sources SET customer_id = 32 WHERE source_id = 'radio'; UPDATE connections SET customer_id = 32 WHERE tenant_id = 'radio';
			UPDATE subscriptions SET customer_id = 32 WHERE connection <> ` + video, ends{"radio": shut, "launch 1": none}},
		{"a changed subscription", `UPDATE subscriptions SET sealed = CAST(sealed AS BLOB) || x'00'`, ends{"radio": shut, "video": shut}},
		{"an empty subscription", `UPDATE subscriptions SET sealed = x''`, ends{"radio": shut, "video": shut}},
		{"settings of another connection", `UPDATE kept_settings SET sealed = (SELECT sealed FROM kept_settings WHERE connection = ` + video + `) WHERE connection <> ` + video,
			ends{"settings": shut}},
	}
	key, path := withKey(t, registrytest.Key), filepath.Join(t.TempDir(), "registry.db")
	s := open(t, "sqlite://"+path, key)
	movedWorld(t, s)
	must(t)(s.Close())
	file, err := os.ReadFile(path)
	must(t)(err)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := newFile(t)
			must(t)(os.WriteFile(strings.TrimPrefix(url, "sqlite://"), file, 0o600))
			alter(t, url, test.statement)

			s := open(t, url, key)
			want := ends{}
			for _, r := range secretReads {
				want[r.name] = r.ends
			}
			maps.Copy(want, test.ends)
			for _, r := range secretReads {
				if err := r.read(t, s); !errors.Is(err, want[r.name]) {
					t.Errorf("%s: %v, want %v", r.name, err, want[r.name])
				}
			}
		})
	}
}
