package config_test

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/internal/config"
	"esagate/internal/serviceaccount"
	"esagate/registry"
)

// storeKey is 32 bytes, the numbers from 7 to 38.
const storeKey = "BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY="

// least is an environment with which an empty file is valid, and gives no warning but
// that no caller is let in.
var least = []string{"ESAGATE_UPSTREAM_API_KEY=upstream-key", "ESAGATE_STORE_ENCRYPTION_KEY=" + storeKey,
	"ESAGATE_PROVISIONING_CONTACT_EMAIL=desk@gate.example"}

// with gives least and more.
func with(environ ...string) []string { return append(slices.Clip(least), environ...) }

func write(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, text string, environ ...string) *config.Config {
	t.Helper()
	c, faults := config.Load(write(t, text), with(environ...))
	if len(faults) > 0 {
		t.Fatalf("faults:\n%v", faults)
	}
	return c
}

// faultsOf expects faults, and gives each as "path (line n): message".
func faultsOf(t testing.TB, text string, environ ...string) []string {
	t.Helper()
	c, faults := config.Load(write(t, text), with(environ...))
	if len(faults) == 0 || c != nil {
		t.Fatalf("no faults, or a config beside them: %v", faults)
	}
	return strings.Split(faults.Error(), "\n")
}

// canary is in texts that no fault may repeat.
const canary = "canary7s3cret"

// compareFault expects no faults where message is empty, or else one that begins with start and whose
// message begins so.
func compareFault(t testing.TB, what string, faults config.Faults, start, message string) {
	t.Helper()
	if message == "" && len(faults) > 0 || message != "" && (len(faults) != 1 ||
		!strings.HasPrefix(faults[0].String(), start) || !strings.HasPrefix(faults[0].Message, message)) {
		t.Errorf("%s:\ngot  %v\nwant %s %s", what, faults, start, message)
	}
	noEcho(t, faults.Error(), canary)
}

func expectFaults(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d faults, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("fault %d: got %q, want it to hold %q", i, got[i], want[i])
		}
	}
}

// compare holds every section of a config against another one's.
func compare(t *testing.T, what string, got, want config.Config) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i, f := range reflect.VisibleFields(g.Type()) {
		if f.IsExported() && f.Name != "Warnings" && !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: %s: got %+v, want %+v", what, f.Name, g.Field(i), w.Field(i))
		}
	}
}

// What the file in the root shows as defaults are the defaults.
func TestTheRootFileLoads(t *testing.T) {
	c, faults := config.Load("../../config.yaml", []string{
		"SALES_AGENT_API_KEY=an-upstream-key", "ESAGATE_STOREFRONT_KEY=a-storefront-key-of-some-length",
		"ESAGATE_ENCRYPTION_KEY=" + storeKey,
	})
	if len(faults) > 0 || len(c.Warnings) > 0 {
		t.Fatal(faults, c.Warnings)
	}
	want := config.Default()
	want.Store.EncryptionKey = config.NewSecret(storeKey)
	want.Upstream.APIKey = config.NewSecret("an-upstream-key")
	if want.Provisioning.ContactEmail = c.Provisioning.ContactEmail; c.Provisioning.ContactEmail == "" {
		t.Error("there is no contact")
	}
	if len(c.Auth.Keys) != 1 || len(c.Sources) != 1 || len(c.PlatformTasks) != 1 {
		t.Errorf("keys, sources, tasks: %+v", c)
	}
	want.Server, want.Auth, want.Sources, want.PlatformTasks = c.Server, c.Auth, c.Sources, c.PlatformTasks
	want.ServiceAccounts = []serviceaccount.Entry{}
	compare(t, "config.yaml", *c, want)
}

func TestTheRootFileNeedsItsVariables(t *testing.T) {
	_, faults := config.Load("../../config.yaml", nil)
	expectFaults(t, strings.Split(faults.Error(), "\n"),
		"the environment variable ESAGATE_STOREFRONT_KEY is not set",
		"the environment variable ESAGATE_ENCRYPTION_KEY is not set",
		"the environment variable SALES_AGENT_API_KEY is not set")
}

// Lists in flow style, as in the example that people copy: a reference's brace
// must not end the mapping around it.
func TestEveryKey(t *testing.T) {
	c, faults := config.Load(write(t, `
server: {address: ":9000", admin_address: "127.0.0.1:9090", max_connections: 512, max_connections_per_address: 256, public_url: "https://gate.example.org/", console_url: "https://console.gate.example.org/", storefront_url: "https://shop.example.org/app/", envelope: true, allowed_origins: ["HTTPS://App.Example.org:443", "http://localhost:3000"], trusted_proxies: [10.44.0.0/16, "fd00:44::7"]}
limits: {reads: {rate: 0, burst: 1}, writes: {rate: 0.5, burst: 2}, wrong_keys: {rate: 100000, burst: 1000000}}
upstream:
  base_url: ${HOST}/admin/
  api_key: '${KEY}'
  admin_url: ${HOST}/console/
  agent_url: ${HOST}/
  identity_key: i${KEY}
  timeout: ${SECONDS}s
  fetch_timeout: 1m30s
  probe_timeout: 90s
  attempts: ${ATTEMPTS}
  concurrency: 16
  breaker: {consecutive_failures: 7, failure_ratio: 0.25, minimum_requests: 40, window: 1m, open_for: 10s}
snapshot: {fresh: 1s, stale_while_revalidate: 2s, stale_if_error: 3s, patience: 0, memory: 1.5GiB, redis_url: ""}
store: {url: "postgres://gate:${DB_PASSWORD}@db.example.org:6432/gate?sslmode=verify-full", encryption_key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=, audit_retention: 48h}
outbound: {allow: [10.44.0.0/16, "fd00:44::7"]}
telemetry: {log_format: text, log_level: debug, otlp_endpoint: http://collector:4318, trace_ratio: 1}
provisioning: {external_source: shopfront, external_org_id: "c{customer_id}.{source_id}", contact_email: desk@gate.example.org, public_agent_url: https://agents.example.org/x}
sandbox: {operator: "Gate Desk", brand_domain: gate.example.org}
agents: {proxy: on, first_byte: 5s, idle: 1m, streams: 8, allow: ["tools/*", "message/send"], deny: ["tools/call:delete_*"]}
webhooks: {subscribe: always}
reconcile: {interval: 90s, concurrency: 64}
auth:
  oidc: {issuer: https://login.example.org/gate/, audience: gate, customer_claim: https://example.org/customer, access_claim: gate_access,
    client_id: ops, client_secret: "${KEY}", scopes: [gate, mail], audience_parameter: audience}
  keys:
    - {name: web, customer_id: 12, access: write, key: ${WEB_KEY}, role: member, email: desk@gate.example.org, principal_id: buyer_7}
    - {name: eyes, customer_id: 9007199254740991, sha256: "`+fmt.Sprintf("%X", sha256.Sum256([]byte("other")))+`"}
    - {name: desk, scope: operator, access: write, key: desk-key-0123456789}
sources:
  - {source_id: "küste \U0001F30A", customer_id: 12, esa_id: "9007199254740991", name: Küste, tenant_id: t-1,
     ad_server: {type: adswizz, agency_id: 4, environment: AUDIOSERVE, base_url: "https://a.example/v8", forecasting_base_url: "https://a.example/v3",
       default_currency: ZAR, cpm_limit: 12.5, default_advertiser_id: "77"}, labels: {Tier.one: "2", b: ${EMPTY}}}
  - {source_id: plain, customer_id: 12, esa_id: 3}
platform_tasks:
  - {id: a, name: A, severity: info, description: D, configure_path: /x, enabled: false, complete_when: 'snapshot != null', decides: platform}
  - {id: b}
`), []string{"HOST=https://agent.example.org", "KEY=k${HOST}", "SECONDS=4", "ATTEMPTS=2", "WEB_KEY=web-key-0123456789", "EMPTY=", "DB_PASSWORD=p%40ss"})
	if len(faults) > 0 {
		t.Fatal(faults)
	}

	agency, limit, enabled := int64(4), 12.5, false
	text := func(s string) *string { return &s }
	compare(t, "every key", *c, config.Config{
		Server: config.Server{Address: ":9000", AdminAddress: "127.0.0.1:9090", MaxConnections: 512, MaxConnectionsPerAddress: 256, PublicURL: "https://gate.example.org", ConsoleURL: "https://console.gate.example.org", StorefrontURL: "https://shop.example.org/app", Envelope: true,
			AllowedOrigins: []string{"https://app.example.org", "http://localhost:3000"}, TrustedProxies: []string{"10.44.0.0/16", "fd00:44::7"}},
		Limits: config.Limits{Reads: config.Limit{Burst: 1}, Writes: config.Limit{Rate: 0.5, Burst: 2},
			WrongKeys: config.Limit{Rate: 100_000, Burst: 1_000_000}},
		Upstream: config.Upstream{BaseURL: "https://agent.example.org/admin", APIKey: config.NewSecret("k${HOST}"),
			AdminURL: "https://agent.example.org/console", AgentURL: "https://agent.example.org", IdentityKey: config.NewSecret("ik${HOST}"),
			Timeout: 4 * time.Second, FetchTimeout: 90 * time.Second, ProbeTimeout: 90 * time.Second, Attempts: 2, Concurrency: 16,
			Breaker: config.Breaker{ConsecutiveFailures: 7, FailureRatio: 0.25, MinimumRequests: 40, Window: time.Minute,
				OpenFor: 10 * time.Second}},
		Snapshot: config.Snapshot{Fresh: time.Second, StaleWhileRevalidate: 2 * time.Second, StaleIfError: 3 * time.Second, Memory: 3 << 29},
		Store: config.Store{URL: config.NewSecret("postgres://gate:p%40ss@db.example.org:6432/gate?sslmode=verify-full"),
			EncryptionKey: config.NewSecret("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="), AuditRetention: 48 * time.Hour},
		Telemetry: config.Telemetry{LogFormat: "text", LogLevel: "debug", OTLPEndpoint: "http://collector:4318", TraceRatio: 1},
		Provisioning: config.Provisioning{ExternalSource: "shopfront", ExternalOrgID: "c{customer_id}.{source_id}",
			ContactEmail: "desk@gate.example.org", PublicAgentURL: "https://agents.example.org/x"},
		Sandbox: config.Sandbox{Operator: "Gate Desk", BrandDomain: "gate.example.org"},
		Agents: config.Agents{Proxy: "on", FirstByte: 5 * time.Second, Idle: time.Minute, Streams: 8,
			Allow: []string{"tools/*", "message/send"}, Deny: []string{"tools/call:delete_*"}},
		Webhooks:  config.Webhooks{Subscribe: "always"},
		Reconcile: config.Reconcile{Interval: 90 * time.Second, Concurrency: 64},
		Auth: config.Auth{Keys: []config.Key{
			{Name: "web", CustomerID: 12, Write: true, Identity: registry.Identity{Role: "member", Email: "desk@gate.example.org", PrincipalID: "buyer_7"}, SHA256: sha256.Sum256([]byte("web-key-0123456789"))},
			{Name: "eyes", CustomerID: 1<<53 - 1, SHA256: sha256.Sum256([]byte("other"))},
			{Name: "desk", Operator: true, Write: true, SHA256: sha256.Sum256([]byte("desk-key-0123456789"))},
		}, OIDC: &config.OIDC{Issuer: "https://login.example.org/gate/", Audience: "gate",
			CustomerClaim: "https://example.org/customer", AccessClaim: "gate_access",
			ClientID: "ops", ClientSecret: config.NewSecret("k${HOST}"), Scopes: []string{"gate", "mail"}, AudienceParameter: "audience"}},
		Outbound: config.Outbound{Allow: []netip.Prefix{netip.MustParsePrefix("10.44.0.0/16"),
			netip.MustParsePrefix("fd00:44::7/128")}},
		ServiceAccounts: []serviceaccount.Entry{},
		Sources: []registry.ConfigSource{
			{SourceID: "küste \U0001F30A", CustomerID: 12, ESAID: 1<<53 - 1, Name: "Küste", TenantID: "t-1",
				AdServer: &registry.AdServer{Type: "adswizz", AgencyID: &agency, Environment: "AUDIOSERVE", BaseURL: "https://a.example/v8",
					ForecastingBaseURL: "https://a.example/v3", DefaultCurrency: "ZAR", CPMLimit: &limit, DefaultAdvertiserID: "77"},
				Labels: map[string]string{"Tier.one": "2", "b": ""}},
			{SourceID: "plain", CustomerID: 12, ESAID: 3, Name: "plain"},
		},
		PlatformTasks: []config.PlatformTask{{ID: "a", Name: text("A"), Severity: text("info"), Description: text("D"),
			ConfigurePath: text("/x"), Enabled: &enabled, CompleteWhen: text("snapshot != null"), Decides: text("platform")}, {ID: "b"}},
	})
}

func TestAnEmptyFileIsTheDefaults(t *testing.T) {
	want := config.Default()
	want.Upstream.APIKey, want.Store.EncryptionKey = config.NewSecret("upstream-key"), config.NewSecret(storeKey)
	want.Provisioning.ContactEmail = "desk@gate.example"
	want.Auth.Keys, want.ServiceAccounts, want.Sources = []config.Key{}, []serviceaccount.Entry{}, []registry.ConfigSource{}
	for _, text := range []string{"", "# nothing\n", "---\n", "{}", "server:\nsources:\nauth: {keys: }\n", "auth:\n  oidc:\n"} {
		compare(t, text, *load(t, text), want)
	}
}

func TestFaultAtKnowsTheLine(t *testing.T) {
	check := func(c *config.Config) []config.Fault {
		return []config.Fault{c.FaultAt("platform_tasks[0].complete_when", "no")}
	}
	_, faults := config.Load(write(t, "platform_tasks:\n  - id: a\n    complete_when: '1 +'\n"), least, check)
	expectFaults(t, strings.Split(faults.Error(), "\n"), "platform_tasks[0].complete_when (line 3): no")
}

func TestOIDCNeedsBothOrNone(t *testing.T) {
	expectFaults(t, faultsOf(t, "auth: {oidc: {}}"), "auth.oidc.audience (line 1): is required", "auth.oidc.issuer (line 1): is required")
	expectFaults(t, faultsOf(t, "auth:\n  oidc:\n", "ESAGATE_AUTH_OIDC_ISSUER="),
		"auth.oidc.audience (line 2): is required", "auth.oidc.issuer: is required (set by ESAGATE_AUTH_OIDC_ISSUER)")
}
