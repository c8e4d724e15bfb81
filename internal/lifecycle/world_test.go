package lifecycle_test

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/internal/lifecycle"
	"esagate/internal/sqlitetest"
	"esagate/registry"
	"esagate/upstream/wire"
)

const (
	customer = 4711
	secret   = "CANARY-password"
)

// world is a registry on SQLite, a sales agent and gateways on both, on a fake clock.
type world struct {
	*testing.T
	agent    *agent
	database string
	accounts map[int64]*adserver.Account
	config   lifecycle.Config
	one      *replica
	replicas []*replica // all there ever were

	mu   sync.Mutex
	logs bytes.Buffer
}

// inWorld runs a test in a fresh world with one replica.
func inWorld(t *testing.T, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{T: t, agent: newAgent(), database: sqlitetest.File(t),
			accounts: map[int64]*adserver.Account{},
			config:   lifecycle.Config{ExternalSource: "shop", ContactEmail: "ops@shop.example", BaseURL: "https://agent.example/shop"}}
		w.one = w.start()
		body(w)
		for _, r := range w.replicas {
			r.stop()
		}
		w.agent.pending.Wait()
		w.agent.Close()
		if i := strings.Index(w.logs.String(), "CANARY"); i >= 0 {
			w.Errorf("a secret is logged: …%s", w.logs.String()[max(0, i-80):])
		}
	})
}

// Write collects log lines.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.logs.Write(p)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) pass(d time.Duration) {
	time.Sleep(d) // the fake clock's
	synctest.Wait()
}

// takes checks how long something takes.
func (w *world) takes(want time.Duration, do func()) {
	w.Helper()
	begun := time.Now()
	do()
	if took := time.Since(begun); took != want {
		w.Errorf("it took %s, want %s", took, want)
	}
}

// rounds lets time pass with the leader's rounds of Settle.
func (w *world) rounds(d time.Duration) {
	w.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		w.pass(min(5*time.Second, time.Until(end)))
		w.must(w.one.Settle(w.Context()))
	}
}

// parse reads a config as a caller sends it.
func (w *world) parse(body string) *adserver.Config {
	w.Helper()
	c, err := adserver.Parse([]byte(body))
	w.must(err)
	return c
}

func (w *world) parseConnect(body string) *adserver.Connect {
	w.Helper()
	c, err := adserver.ParseConnect([]byte(body))
	w.must(err)
	return c
}

const (
	freewheel    = `{"type":"freewheel","username":"meadow","password":"` + secret + `"}`
	freewheelNew = `{"type":"freewheel","username":"meadow-2","password":"` + secret + `"}`
	gam          = `{"type":"google_ad_manager","networkCode":"90817263"}`
	mock         = `{"type":"mock"}`
)

// connect connects an ad server that works, and gives its source.
func (w *world) connect(body string) *registry.Source {
	w.Helper()
	return w.connectOnce(body, nil).Source
}

// connectOnce is connect with an idempotency key.
func (w *world) connectOnce(body string, key *registry.IdempotencyRecord) lifecycle.Connected {
	w.Helper()
	made, err := w.one.Connect(w.Context(), customer, w.parseConnect(body), key)
	w.must(err)
	return made
}

// connected is connect, for what is to become active at once.
func (w *world) connected(body string) *registry.Source {
	w.Helper()
	m := w.connect(body)
	if c := *m.Connection; c.Provisioning != registry.StatusActive || c.TenantID == "" {
		w.Fatalf("not connected: %s, %q", c.Provisioning, c.LastError)
	}
	return m
}

// pending makes a source without a tenant.
func (w *world) pending(sourceID string) *registry.Source {
	w.Helper()
	m := w.given(customer, sourceID, "")
	w.one.directory.Put(m)
	return m
}

// given makes a source of the config, with a tenant or without.
func (w *world) given(customer int64, sourceID, tenantID string) *registry.Source {
	w.Helper()
	a, err := w.one.store.Adopt(w.Context(), registry.ConfigSource{CustomerID: customer, SourceID: sourceID, Name: "Meadow Weekly", TenantID: tenantID})
	w.must(err)
	return a.Managed
}

// existing makes a source without a tenant, for which upstream has one from before.
func (w *world) existing() (id int64) {
	w.Helper()
	id = w.pending("weekly").Connection.ID
	w.agent.add("tnt_before", fmt.Sprintf("%d-%d", customer, id), "shop", "freewheel")
	return id
}

// sources checks how many sources the customer has.
func (w *world) sources(want int) {
	w.Helper()
	if _, n, err := w.one.store.Customer(customer).Sources(w.Context(), 0, 1); err != nil || n != want {
		w.Errorf("%d sources (%v), want %d", n, err, want)
	}
}

// stored gives a connection as it is on disk.
func (w *world) stored(id int64) registry.Connection {
	w.Helper()
	m, err := w.one.store.Customer(customer).ManagedSourceByID(w.Context(), id)
	w.must(err)
	return *m.Connection
}

// is holds a connection against a status and a lastErrorCode, and that nothing is left
// under way.
func (w *world) is(c registry.Connection, status registry.ProvisioningStatus, code string) {
	w.Helper()
	if c.Provisioning != status || c.LastErrorCode != code || (code == "") != (c.LastError == "") {
		w.Errorf("%s, %q (%s); want %s, %q", c.Provisioning, c.LastErrorCode, c.LastError, status, code)
	}
	if c.Operation != nil {
		w.Errorf("an operation is left: %+v", c.Operation)
	}
	if (c.TenantID != "") != (status == registry.StatusActive || status == registry.StatusDeactivated) {
		w.Errorf("%s with the tenant %q", c.Provisioning, c.TenantID)
	}
}

// fails holds an error against a kind.
func (w *world) fails(err error, kind fault.Kind) *fault.Error {
	w.Helper()
	if err == nil || fault.As(err).Kind != kind {
		w.Fatalf("error %v, want kind %d", err, kind)
	}
	if shown := fault.As(err); strings.Contains(fmt.Sprint(shown.Message, shown.Issues), "CANARY") {
		w.Errorf("a client is shown a secret: %v", shown)
	}
	return fault.As(err)
}

// once gives an idempotency key.
func once(key string) *registry.IdempotencyRecord {
	return &registry.IdempotencyRecord{Key: key, Fingerprint: [32]byte{1}}
}

// inWorlds runs a test for each case, in a fresh world.
func inWorlds[T any](t *testing.T, cases map[string]T, body func(w *world, x T)) {
	t.Helper()
	for name, x := range cases {
		t.Run(name, func(t *testing.T) { inWorld(t, func(w *world) { body(w, x) }) })
	}
}

// restart ends the replica in good order and starts it again, crash without waiting.
func (w *world) restart() {
	w.one.stop()
	w.one = w.start()
}

func (w *world) crash() {
	w.one.crash()
	w.one = w.start()
}

// calls checks how many calls of an operation upstream got.
func (w *world) calls(op string, want int) {
	w.Helper()
	if n := len(w.agent.made(op)); n != want {
		w.Errorf("%d calls of %s, want %d", n, op, want)
	}
}

// provisionedTwice checks that upstream was asked twice, and not within two minutes.
func (w *world) provisionedTwice() {
	w.Helper()
	w.calls("provision", 2)
	if calls := w.agent.made("provision"); calls[1].at.Sub(calls[0].at) < 2*time.Minute {
		w.Errorf("the second time at %s, after %s", calls[1].at, calls[0].at)
	}
}

// tenants checks how many tenants upstream has.
func (w *world) tenants(want int) {
	w.Helper()
	if n := len(w.agent.TenantIDs()); n != want {
		w.Errorf("%d tenants, want %d", n, want)
	}
}

// noSettingsStored checks that no settings wait to be restored.
func (w *world) noSettingsStored(id int64) {
	w.Helper()
	if _, err := w.one.directory.Settings(w.Context(), customer, id); !fault.Is(err, fault.NotFound) {
		w.Errorf("settings are still stored: %v", err)
	}
}

// save saves a config, and gives the source as it then is.
func (w *world) save(id int64, config string) *registry.Source {
	w.Helper()
	m, err := w.one.Save(w.Context(), customer, id, w.parse(config))
	w.must(err)
	return m
}

// do asks the first replica for a change.
func (w *world) do(change string, id int64) error { return w.one.do(w.Context(), change, id) }

func (w *world) saveFails(id int64, config string, kind fault.Kind) *fault.Error {
	w.Helper()
	_, err := w.one.Save(w.Context(), customer, id, w.parse(config))
	return w.fails(err, kind)
}

func (w *world) connectFails(config string, key *registry.IdempotencyRecord, kind fault.Kind) *fault.Error {
	w.Helper()
	_, err := w.one.Connect(w.Context(), customer, w.parseConnect(config), key)
	return w.fails(err, kind)
}

// test tests a connection, and gives the result and the source after it.
func (w *world) test(id int64) (*wire.TestResult, *registry.Source) {
	w.Helper()
	result, m, err := w.one.Test(w.Context(), customer, id)
	w.must(err)
	return result, m
}

func (w *world) deactivate(id int64) *registry.Source {
	w.Helper()
	m, err := w.one.Deactivate(w.Context(), customer, id)
	w.must(err)
	return m
}

func (w *world) reactivate(id int64) *registry.Source {
	w.Helper()
	m, err := w.one.Reactivate(w.Context(), customer, id)
	w.must(err)
	return m
}
