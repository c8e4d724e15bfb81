package config_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"esagate/internal/config"
)

func TestTheEnvironmentWins(t *testing.T) {
	c := load(t, `
server: {address: "127.0.0.1:1", envelope: false, allowed_origins: [http://old.example]}
upstream:
  api_key: ${NOT_SET_BUT_NOT_LOOKED_AT}
  timeout: [of, another, shape]
  breaker: {open_for: 1s, window: 7s}
`,
		"ESAGATE_SERVER_ADDRESS=[::1]:2", "ESAGATE_SERVER_ENVELOPE=true",
		"ESAGATE_SERVER_ALLOWED_ORIGINS= http://a.example, https://b.example:8443,",
		"ESAGATE_UPSTREAM_API_KEY=${LITERAL}$${", "ESAGATE_UPSTREAM_TIMEOUT=2s", "ESAGATE_UPSTREAM_ATTEMPTS=4", "ESAGATE_UPSTREAM_ATTEMPTS=5",
		"ESAGATE_UPSTREAM_BREAKER_OPEN_FOR=9s", "ESAGATE_SNAPSHOT_PATIENCE=1s", "ESAGATE_TELEMETRY_TRACE_RATIO=.5",
		"ESAGATE_STORE_URL=postgres://u:$$p@localhost/d", "ESAGATE_OUTBOUND_ALLOW=10.1.0.0/16, ::1,",
		"ESAGATE_AUTH_OIDC_ISSUER=https://login.example", "ESAGATE_AUTH_OIDC_AUDIENCE=gate",
		"ESAGATE_AUTH_OIDC_CLIENT_ID=ops", "ESAGATE_AUTH_OIDC_CLIENT_SECRET=$${s", "ESAGATE_AUTH_OIDC_SCOPES=gate, mail",
		"ESAGATE_PROVISIONING_EXTERNAL_ORG_ID={source_id}/{customer_id}", "ESAGATE_WEBHOOKS_SUBSCRIBE=never", "ESAGATE_RECONCILE_INTERVAL=0",
		"ESAGATE_SERVICE_ACCOUNTS=of no key",
		"ESAGATE_ENCRYPTION_KEY=of no key", "ESAGATE_SERVER=of no key", "ESAGATE_AUTH_KEYS=of no key", "ESAGATE_AUTH_OIDC=of no key", "no equals sign",
	)
	want := *load(t, "", "ESAGATE_UPSTREAM_API_KEY=${LITERAL}$${", "ESAGATE_STORE_URL=postgres://u:$$p@localhost/d")
	want.Server.Address, want.Server.Envelope = "[::1]:2", true
	want.Server.AllowedOrigins = []string{"http://a.example", "https://b.example:8443"}
	want.Upstream.Timeout, want.Upstream.Attempts = 2*time.Second, 5
	want.Upstream.Breaker.OpenFor, want.Upstream.Breaker.Window = 9*time.Second, 7*time.Second
	want.Snapshot.Patience, want.Telemetry.TraceRatio = time.Second, 0.5
	want.Outbound.Allow = []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}
	want.Auth.OIDC = &config.OIDC{Issuer: "https://login.example", Audience: "gate", CustomerClaim: "customer_id", AccessClaim: "access",
		ClientID: "ops", ClientSecret: config.NewSecret("$${s"), Scopes: []string{"gate", "mail"}, AudienceParameter: "none"}
	want.Provisioning.ExternalOrgID, want.Webhooks.Subscribe, want.Reconcile.Interval = "{source_id}/{customer_id}", "never", 0
	compare(t, "variables", *c, want)
	if got := c.Upstream.APIKey.Reveal() + c.Store.URL.Reveal(); got != "${LITERAL}$${postgres://u:$$p@localhost/d" {
		t.Errorf("taken as %q", got)
	}
}

func TestAnEmptyVariableCountsAsSet(t *testing.T) {
	c := load(t, "server: {allowed_origins: [http://a.example]}\ntelemetry: {otlp_endpoint: http://c.example}",
		"ESAGATE_SERVER_ALLOWED_ORIGINS=", "ESAGATE_TELEMETRY_OTLP_ENDPOINT=", "OTEL_EXPORTER_OTLP_ENDPOINT=http://d.example")
	if len(c.Server.AllowedOrigins) != 0 || c.Telemetry.OTLPEndpoint != "" {
		t.Errorf("got %+v %+v", c.Server, c.Telemetry)
	}
	expectFaults(t, faultsOf(t, "", "ESAGATE_UPSTREAM_ATTEMPTS=", "ESAGATE_UPSTREAM_API_KEY="),
		"upstream.api_key: is required (set by ESAGATE_UPSTREAM_API_KEY)",
		"upstream.attempts: must be a whole number (set by ESAGATE_UPSTREAM_ATTEMPTS)")
}

func TestFaultsOfTheEnvironmentNameTheVariable(t *testing.T) {
	expectFaults(t, faultsOf(t, "server:\n  address: x\nupstream: {timeout: 5s}",
		"ESAGATE_SERVER_ADDRESS=nonsense", "ESAGATE_UPSTREAM_FETCH_TIMEOUT=4s", "ESAGATE_SERVER_ALLOWED_ORIGINS=http://ok.example,*",
		"ESAGATE_UPSTREAM_API_KEY="+strings.Repeat("k", 4097), "ESAGATE_UPSTREAM_BASE_URL=http://h/\xff"),
		"server.address: must be host:port, such as 127.0.0.1:8080 or :8080 for every interface (set by ESAGATE_SERVER_ADDRESS)",
		"server.allowed_origins[1]: must be an origin: scheme://host or scheme://host:port, nothing after it (set by ESAGATE_SERVER_ALLOWED_ORIGINS)",
		"upstream.api_key: must be at most 4096 characters (set by ESAGATE_UPSTREAM_API_KEY)",
		"upstream.base_url: must be UTF-8 text (set by ESAGATE_UPSTREAM_BASE_URL)",
		"upstream.fetch_timeout: must be at least upstream.timeout (set by ESAGATE_UPSTREAM_FETCH_TIMEOUT)")
}

// A variable does not hide that the section around its key is no mapping.
func TestAVariableHidesNoWrongSection(t *testing.T) {
	expectFaults(t, faultsOf(t, "server: 5\nupstream: {breaker: [1]}",
		"ESAGATE_SERVER_ADDRESS=:1", "ESAGATE_UPSTREAM_BREAKER_WINDOW=1s"),
		"server (line 1): must be a mapping",
		"upstream.breaker (line 2): must be a mapping")
	if c := load(t, "server:\n", "ESAGATE_SERVER_ADDRESS=:1"); c.Server.Address != ":1" {
		t.Errorf("beside an empty section: %q", c.Server.Address)
	}
}

func TestOpenTelemetrysOwnVariableIsTheDefault(t *testing.T) {
	const standard = "OTEL_EXPORTER_OTLP_ENDPOINT="
	for _, c := range []struct {
		name, file string
		environ    []string
		want       string
	}{
		{"alone", "", []string{standard + "http://d.example"}, "http://d.example"},
		{"empty is unset", "", []string{standard}, ""},
		{"below the file", "telemetry: {otlp_endpoint: http://f.example}", []string{standard + "http://d.example"}, "http://f.example"},
		{"below an empty text in the file", `telemetry: {otlp_endpoint: ""}`, []string{standard + "http://d.example"}, ""},
		{"below ours", "", []string{standard + "http://d.example", "ESAGATE_TELEMETRY_OTLP_ENDPOINT=http://e.example"}, "http://e.example"},
	} {
		if got := load(t, c.file, c.environ...).Telemetry.OTLPEndpoint; got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	expectFaults(t, faultsOf(t, "", standard+"collector:4318"),
		"telemetry.otlp_endpoint: must be an http:// or https:// URL (set by OTEL_EXPORTER_OTLP_ENDPOINT)")
}

func TestReferences(t *testing.T) {
	environ := []string{"A=one", "B=two", "LINES=x\n  y: z # no comment", "TWICE=${A}", "NUMBER=4", "TRUE=true"}
	for _, c := range []struct{ text, want string }{
		{`${A}`, "one"},
		{`"${A} and ${B}${A}"`, "one and twoone"},
		{`'$${A} $$${A} $A $'`, "${A} $${A} $A $"},
		{`"${LINES}"`, "x\n  y: z # no comment"},
		{`${LINES}`, "x\n  y: z # no comment"},
		{`${TWICE}`, "${A}"},
		{"|-\n      first ${A}\n      ${B}", "first one\ntwo"},
		{`"\u0024{A}"`, "one"},
		{"\"\uE000\uE001 ${A}\"", "\uE000\uE001 one"},
	} {
		got := load(t, "platform_tasks:\n  - id: a\n    description: "+c.text+"\n", environ...)
		if text := *got.PlatformTasks[0].Description; text != c.want {
			t.Errorf("%s: got %q, want %q", c.text, text, c.want)
		}
	}
	c := load(t, "upstream: {attempts: ${NUMBER}, timeout: ${NUMBER}s}\nserver: {envelope: ${TRUE}, address: ':${NUMBER}'}\ntelemetry: {trace_ratio: 0.${NUMBER}}\nstore: {url: sqlite://$${A}}", environ...)
	if c.Upstream.Attempts != 4 || c.Upstream.Timeout != 4*time.Second || !c.Server.Envelope || c.Server.Address != ":4" || c.Telemetry.TraceRatio != 0.4 || c.Store.URL.Reveal() != "sqlite://${A}" {
		t.Errorf("typed values: %+v", c)
	}
	expectFaults(t, faultsOf(t, `
server: {address: "${GONE} ${AWAY}", public_url: "${A"}
upstream: {base_url: "${not-a-name}", attempts: ${A}}
store: {url: "sqlite://${sk_live_4f9a8b7c6d5e4f3a2b1c}"}
`, environ...),
		"server.address (line 2): the environment variable AWAY is not set",
		"server.address (line 2): the environment variable GONE is not set",
		"server.public_url (line 2): holds a ${ that begins no reference",
		"store.url (line 4): the environment variable ? is not set",
		"upstream.attempts (line 3): must be a whole number",
		"upstream.base_url (line 3): holds a ${ that begins no reference")
}
