package config_test

import (
	"fmt"
	"strings"
	"testing"

	"esagate/internal/config"
)

type values []string

// oneFault is a path and what can be wrong there: each value is one fault at the path, whose message
// begins with want. Where want is empty, each value is good.
type oneFault struct {
	path   string
	values values
	want   string
}

// holdFaults puts each value in the place of VALUE in a text of one line, or where the text is empty,
// at its path.
func holdFaults(t *testing.T, text string, cases []oneFault) {
	t.Helper()
	for _, c := range cases {
		for _, value := range c.values {
			file := strings.ReplaceAll(text, "VALUE", value)
			if text == "" {
				file = place(c.path, value)
			}
			_, faults := config.Load(write(t, file), append(least[:2:2], "EMPTY="))
			compareFault(t, file, faults, c.path+" (line ", c.want)
		}
	}
}

const notURL = "must be an http:// or https:// URL"

func TestFaultsOfServer(t *testing.T) {
	holdFaults(t, "", []oneFault{
		{"server.address", values{"localhost:0", `"[::1]:80"`, `":65535"`}, ""},
		{"server.address", values{`":65536"`, `":-1"`, `":http"`, "localhost", `"a b:1"`, `"http://h:1"`}, "must be host:port"},
		{"server.address", values{"8080"}, "must be text; put it in quotes"},
		{"server.address", values{""}, "has no value"},
		{"server.address", values{"[a]"}, "must be a single value"},
		{"server.public_url", values{"https://h.example:8443/"}, ""},
		{"server.public_url", values{"https://h.example/p"}, "must not hold a path"},
		{"server.public_url", values{"ftp://h.example", "h.example", "http:h.example", "http://", "http://:80"}, notURL},
		{"server.public_url", values{"http://h:0", `"http://h:"`}, "must have a port"},
		{"server.public_url", values{"http://u@h"}, "must not hold a user"},
		{"server.public_url", values{"http://h?"}, "must not hold a query"},
		{"server.public_url", values{`"http://h#"`}, "must not hold a fragment"},
		{"server.storefront_url", values{`""`, "https://shop.example/app/", "http://localhost:3000"}, ""},
		{"server.storefront_url", values{"javascript:alert(1)", "//shop.example", "shop.example", `"https://sh\\op.example"`, `"https:/\\shop.example"`}, notURL},
		{"server.storefront_url", values{"https://shop.example/?a=b"}, "must not hold a query"},
		{"server.storefront_url", values{"https://me:word@shop.example"}, "must not hold a user"},
		{"server.envelope", values{"yes", "1"}, "must be true or false"},
		{"server.allowed_origins", values{"[https://a.example]"}, ""},
		{"server.allowed_origins", values{"https://a.example"}, "must be a list"},
	})
	holdFaults(t, "server: {allowed_origins: [VALUE]}", []oneFault{
		{"server.allowed_origins[0]", values{"https://a.example/", "'*'", "'null'"}, "must be an origin"},
		{"server.allowed_origins[0]", values{"1"}, "must be text"},
	})
}

func TestFaultsOfUpstreamAndSnapshot(t *testing.T) {
	const hour = "must be from 1ms to 1h"
	holdFaults(t, "", []oneFault{
		{"upstream.base_url", values{"http://h/admin/"}, ""},
		{"upstream.base_url", values{`"http://h/a b"`}, notURL},
		{"upstream.timeout", values{"10s"}, ""},
		{"upstream.timeout", values{"0s", "-1s"}, hour},
		{"upstream.timeout", values{"1d"}, "must be a duration with a unit"},
		{"upstream.fetch_timeout", values{"2999ms"}, "must be at least upstream.timeout"},
		{"upstream.probe_timeout", values{"0", "61m"}, hour},
		{"upstream.attempts", values{"10"}, ""},
		{"upstream.attempts", values{"0", "11"}, "must be from 1 to 10"},
		{"upstream.attempts", values{"3.0", "'3'", "0x3", "03", "99999999999999999999"}, "must be a whole number"},
		{"upstream.breaker.consecutive_failures", values{"0"}, "must be from 1 to 1000"},
		{"upstream.breaker.failure_ratio", values{"1"}, ""},
		{"upstream.breaker.failure_ratio", values{"0", "1.01"}, "must be above 0 and at most 1"},
		{"upstream.breaker.failure_ratio", values{".nan", ".inf", "'0.5'"}, "must be a number"},
		{"upstream.breaker.minimum_requests", values{"0"}, "must be from 1 to 100000"},
		{"upstream.breaker.window", values{"0s"}, hour},
		{"upstream.breaker.open_for", values{"2h"}, hour},
		{"snapshot.fresh", values{"0s"}, "must be from 100ms to 168h"},
		{"snapshot.stale_while_revalidate", values{"5s"}, ""},
		{"snapshot.stale_while_revalidate", values{"4s"}, "must be at least snapshot.fresh"},
		{"snapshot.stale_if_error", values{"169h"}, "must be from 1ms to 168h"},
		{"snapshot.stale_if_error", values{"59s"}, "must be at least snapshot.stale_while_revalidate"},
		{"snapshot.patience", values{"0"}, ""},
		{"snapshot.patience", values{"-1ms"}, "must be from 0s to 1h"},
		{"snapshot.patience", values{"3001ms"}, "must be at most upstream.timeout"},
		{"snapshot.memory", values{"0", "16MiB", "2GiB", "1.5 GB", "600000000"}, ""},
		{"snapshot.memory", values{"15MiB", "17TiB", "99999999999999999999", "-1", "512"}, "must be"},
		{"snapshot.memory", values{"15MiB"}, "must be 0 (found by itself), or from 16MiB to 16TiB"},
		{"snapshot.memory", values{"much", "5 potatoes", "1.5"}, "must be"},
		{"snapshot.redis_url", values{"redis://h", "rediss://u:p@h:6380/1", "redis://h?addr=i:6379", "redis://h:26379?master_name=m&addr=i:26379"}, ""},
		{"snapshot.redis_url", values{"h:6379", "http://h", "redis://h?no=1"}, "must be redis://<host>:<port>, or rediss:// for TLS; " +
			"with ?master_name=<name>&addr=<host>:<port> for Sentinels and ?addr=<host>:<port> for a cluster"},
	})
	// What is wrong with two values together stands at one of them.
	expectFaults(t, faultsOf(t, "upstream: {timeout: 299ms}"), "snapshot.patience: must be at most upstream.timeout")
}

func TestFaultsOfLimits(t *testing.T) {
	holdFaults(t, "", []oneFault{
		{"limits.reads.rate", values{"0", "0.02", "100000"}, ""},
		{"limits.reads.rate", values{"0.019", "-1", "100001"}, "must be 0 (off), or from 0.02 to 100000"},
		{"limits.writes.rate", values{"10/s", "'10'"}, "must be a number"},
		{"limits.writes.burst", values{"1", "1000000"}, ""},
		{"limits.wrong_keys.burst", values{"0", "1000001"}, "must be from 1 to 1000000"},
		{"limits.wrong_keys.burst", values{"2.5"}, "must be a whole number"},
		{"limits.wrong_keys", values{"5"}, "must be a mapping"},
		{"server.trusted_proxies", values{"[10.0.0.0/8, 192.0.2.1, 'fd00::/8']"}, ""},
		{"server.trusted_proxies", values{"10.0.0.0/8"}, "must be a list"},
	})
	holdFaults(t, "server: {trusted_proxies: ['VALUE']}", []oneFault{
		{"server.trusted_proxies[0]", values{"10.4.0.1/16"}, "names an address inside of the prefix"},
		{"server.trusted_proxies[0]", values{"proxy.example", "10.4.0.1:80", ""}, "must be an IP address or a prefix"},
	})
}

func TestFaultsOfBackgroundWork(t *testing.T) {
	holdFaults(t, "", []oneFault{
		{"telemetry.log_format", values{"xml"}, "must be json or text"},
		{"telemetry.log_level", values{"trace"}, "must be debug, info, warn or error"},
		{"telemetry.otlp_endpoint", values{"collector:4317"}, notURL},
		{"telemetry.trace_ratio", values{"0"}, ""},
		{"telemetry.trace_ratio", values{"1.5", "-0.1"}, "must be from 0 to 1"},
		{"webhooks.subscribe", values{"on", "''", "Always"}, "must be auto, always or never"},
		{"webhooks.subscribe", values{"always"}, "must not be always while server.public_url is not an https:// URL"},
		{"reconcile.interval", values{"0", "0s", "60s", "168h"}, ""},
		{"reconcile.interval", values{"59999ms", "-1m", "168h1s"}, "must be 0 (off), or from 1m to 168h"},
		{"reconcile.interval", values{"off"}, "must be a duration with a unit"},
		{"reconcile.concurrency", values{"1", "64"}, ""},
		{"reconcile.concurrency", values{"0", "65"}, "must be from 1 to 64"},
	})
	holdFaults(t, "{webhooks: {subscribe: always}, server: {public_url: 'VALUE'}}", []oneFault{
		{"", values{"HTTPS://gate.example/"}, ""},
		{"server.public_url", values{"gate.example"}, notURL}, // and is not blamed twice
	})
}

func TestFaultsOfProvisioning(t *testing.T) {
	x := strings.Repeat
	holdFaults(t, "", []oneFault{
		{"provisioning.external_source", values{"a", x("a", 64)}, ""},
		{"provisioning.external_source", values{x("a", 65)}, "must be at most 64"},
		{"provisioning.external_source", values{"''"}, "must not be empty"},
		{"provisioning.external_source", values{"two words", "küste"}, "must be visible ASCII"},
		{"provisioning.external_org_id", values{"'{esa_id}'", "org-{customer_id}-{source_id}", "fixed"}, ""},
		{"provisioning.external_org_id", values{"'{customer_id}{source_id}'"}, "must have a character between"},
		{"provisioning.external_org_id", values{"''"}, "must not be empty"},
		{"provisioning.external_org_id", values{"{esa_id}"}, "must be a single value"}, // YAML's own braces
		{"provisioning.external_org_id", values{"'{esa_id'", "'{esa_id}}'", "'{ESA_ID}'", "'{tenant_id}-{esa_id}'",
			"'{esa{esa_id}_id}'", "'{}'"}, "may hold {customer_id}, {esa_id} and {source_id}, and no other braces"},
		{"provisioning.external_org_id", values{"'a {esa_id}'", "'a:{esa_id}'", "'ü{esa_id}'", `"{esa_id}\r\n"`, `"{esa_id}\t"`,
			"'a%20{esa_id}'", "'[{esa_id}]'", "'<{esa_id}>'", "'a|{esa_id}'", "'a^{esa_id}'"},
			"must be ASCII letters and digits"},
		{"provisioning.external_org_id", values{"'A.b_c~1!$&+=;,()*@/-{esa_id}'"}, ""},
		{"provisioning.external_org_id", values{x("x", 75) + "{esa_id}", x("x", 57) + "-{esa_id}-{customer_id}", x("x", 91),
			x("x", 90) + "{source_id}"}, ""},
		{"provisioning.external_org_id", values{
			x("x", 76) + "{esa_id}", x("x", 58) + "-{esa_id}-{customer_id}", x("x", 91) + "{source_id}"},
			"must be at most 91 characters, with the longest ids in it"},
		{"provisioning.external_org_id", values{x("x", 92)}, "must be at most 91 characters"},
		{"provisioning.contact_email", values{"desk@gate.example", "a+b@x-1.xn--p1ai.example"}, ""},
		{"provisioning.contact_email", values{"desk", "'Desk <desk@gate.example>'", "desk@gate"}, "must be an e-mail address"},
		{"provisioning.public_agent_url", values{"https://agents.gate.example:8443/x/", "''"}, ""},
		{"provisioning.public_agent_url", values{"http://agents.gate.example", "HTTPS://agents.gate.example"},
			"must begin with https://"},
		{"provisioning.public_agent_url", values{"agents.gate.example", "wss://agents.gate.example"}, notURL},
		{"provisioning.public_agent_url", values{"https://h.example/" + x("x", 482)}, ""},
		{"provisioning.public_agent_url", values{"https://h.example/" + x("x", 483)}, "must be at most 500"},
	})
}

func TestFaultsOfRulesForAgents(t *testing.T) {
	holdFaults(t, "agents: {deny: ['VALUE']}", []oneFault{
		{"", values{"tools/call", "tools/*", "SendMessage", "$/x", "tools/call:create_media_buy", "tools/call:delete_*", "prompts/get:x",
			"resources/read:ui://products/*"}, ""},
		// Each of these would refuse nothing, or less than it says.
		{"agents.deny[0]", values{"message/send:x", "SendMessage:x", "Send*", "tools/list:x", "tools/*:x", "tools/call:", "tools/call:*", "*", ""},
			"must be a method such as"},
	})
}

func TestFaultsOfSandbox(t *testing.T) {
	holdFaults(t, "sandbox: {VALUE}", []oneFault{
		{"", values{"operator: '', brand_domain: ''", "operator: Küstenblick, brand_domain: xn--kste-0ra.example", "operator: " + strings.Repeat("é", 255) + ", brand_domain: a"}, ""},
		{"sandbox.brand_domain", values{"operator: desk", "operator: desk, brand_domain: ''"}, "is required beside sandbox.operator"},
		{"sandbox.operator", values{"brand_domain: gate.example"}, "is required beside sandbox.brand_domain"},
		{"sandbox.operator", values{"operator: ' desk', brand_domain: gate.example"}, "must not begin or end"},
		{"sandbox.operator", values{"brand_domain: gate.example, operator: " + strings.Repeat("é", 256)}, "must be at most 255"},
		{"sandbox.brand_domain", values{"operator: desk, brand_domain: https://gate.example", "operator: desk, brand_domain: gate.example/x",
			"operator: desk, brand_domain: 10.0.0.1", "operator: desk, brand_domain: gate.example.", "operator: desk, brand_domain: a..b",
			"operator: desk, brand_domain: " + strings.Repeat("a.", 130) + "b"}, "must be the name of a host"},
	})
}

func TestFaultsOfKeys(t *testing.T) {
	const hash = "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de"
	holdFaults(t, "auth: {keys: [{name: n, customer_id: 1, VALUE}]}", []oneFault{
		{"", values{"sha256: " + hash}, ""},
		{"auth.keys[0]", values{"key: abc, sha256: " + hash, "access: write"}, "must have one of key and sha256"},
		{"auth.keys[0].key", values{`key: ""`, "key: ${EMPTY}"}, "must not be empty"},
		{"auth.keys[0].key", values{"key: a b", "key: clé"}, "must be visible ASCII"},
		{"auth.keys[0].key", values{"key: " + strings.Repeat("k", 1025)}, "must be at most 1024"},
		{"auth.keys[0].sha256", values{"sha256: " + hash[:63], "sha256: " + hash[:63] + "g"}, "must be 64 hexadecimal digits"},
		{"auth.keys[0].sha256", values{"sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
			"is the hash of an empty key"},
		{"auth.keys[0].access", values{"key: abc, access: Write"}, "must be read or write"},
		{"", values{"access: write, role: admin, key: abc", "access: write, role: viewer, key: abc", "role: viewer, key: abc", "role: '', email: '', principal_id: '', key: abc",
			"email: a.b+c@gate.example, principal_id: _buyer.7-x, key: abc"}, ""},
		{"auth.keys[0].role", values{"access: write, role: Admin, key: abc", "access: write, role: super_admin, key: abc"}, "must be admin, member or viewer"},
		{"auth.keys[0].role", values{"role: admin, key: abc", "access: read, role: member, key: abc"}, "must be viewer, or left out, without write access"},
		{"auth.keys[0].email", values{"email: desk, key: abc", "email: 'küste@gate.example', key: abc", "email: '<desk@gate.example>', key: abc", "email: 'a b@gate.example', key: abc",
			"email: desk@gate, key: abc", "email: " + strings.Repeat("d", 242) + "@gate.example, key: abc", `email: "desk@gate.example\r\nX-Identity-Role: admin", key: abc`},
			"must be an e-mail address of ASCII characters"},
		{"auth.keys[0].principal_id", values{"principal_id: a b, key: abc", "principal_id: -x, key: abc", "principal_id: " + strings.Repeat("p", 129) + ", key: abc"}, "must be 1 to 128 of"},
		{"auth.keys[1].name", values{"key: abc}, {name: n, customer_id: 2, key: def"}, "is the same name as auth.keys[0]"},
		{"auth.keys[1]", values{"key: abc}, {name: m, customer_id: 2, " +
			"sha256: BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"}, "is the same key as auth.keys[0]"},
	})
	holdFaults(t, "auth: {keys: [{key: abc, VALUE}]}", []oneFault{
		{"auth.keys[0].customer_id", values{"name: n, customer_id: -1", "name: n, customer_id: 9007199254740992"},
			"must be from 1 to 9007199254740991"},
		{"auth.keys[0].customer_id", values{"name: n, customer_id: '1'"}, "must be a whole number"},
		{"auth.keys[0].customer_id", values{"name: n, customer_id: 0", "name: n, scope: customer, customer_id: 0", "name: n, scope: operator, customer_id: 0"},
			"must be from 1 to"},
		{"auth.keys[0].customer_id", values{"name: n", "name: n, scope: customer"}, "is required, unless scope is operator"},
		{"auth.keys[0].customer_id", values{"name: n, scope: operator, customer_id: 1"}, "must be left out where scope is operator"},
		{"auth.keys[0].scope", values{"name: n, scope: Operator", "name: n, scope: admin, customer_id: 1", `name: n, scope: ""`}, "must be customer or operator"},
		{"auth.keys[0]", values{"name: n, scope: operator", "name: n, scope: operator, access: write", "name: n, scope: customer, customer_id: 1"}, ""},
		{"auth.keys[0].name", values{"customer_id: 1, name: -n"}, "must be 1 to 64 of"},
	})
}

func TestFaultsOfOIDC(t *testing.T) {
	holdFaults(t, "auth: {oidc: {VALUE}}", []oneFault{
		{"auth.oidc.issuer", values{"audience: gate", "audience: gate, issuer: ''"}, "is required"},
		{"auth.oidc.audience", values{"issuer: https://h", "issuer: https://h, audience: ''"}, "is required"},
		{"auth.oidc.audience", values{"issuer: https://h, audience: [gate]"}, "must be a single value"},
		{"auth.oidc.audience", values{"issuer: https://h, audience: ' gate'"}, "must not begin or end"},
		{"auth.oidc.audience", values{"issuer: https://h, audience: ${GONE}"}, "the environment variable GONE is not set"},
	})
	holdFaults(t, "auth: {oidc: {audience: gate, issuer: 'VALUE'}}", []oneFault{
		{"", values{"https://login.example/realms/gate", "https://login.example/", "http://localhost:8081/realms/gate",
			"http://127.0.0.9", "http://[::1]:8081"}, ""},
		{"auth.oidc.issuer", values{"http://login.example", "http://localhost.example", "http://10.0.0.1"},
			"must be an https:// URL; http:// is for loopback hosts alone"},
		{"auth.oidc.issuer", values{"login.example"}, notURL},
		{"auth.oidc.issuer", values{"https://login.example?tenant=1"}, "must not hold a query"},
	})
	holdFaults(t, "auth: {oidc: {issuer: https://login.example, audience: gate, VALUE}}", []oneFault{
		{"", values{"customer_claim: org, access_claim: https://a.example/b", "customer_claim: " + strings.Repeat("é", 255)}, ""},
		{"auth.oidc.customer_claim", values{"customer_claim: ''"}, "must not be empty"},
		{"auth.oidc.customer_claim", values{"customer_claim: " + strings.Repeat("é", 256)}, "must be at most 255"},
		{"auth.oidc.customer_claim", values{`customer_claim: "a\u0007"`}, "must not hold control"},
		{"auth.oidc.customer_claim", values{`customer_claim: "a\u200bb"`}, "must hold printable characters only"},
		{"auth.oidc.access_claim", values{"access_claim: customer_id"}, "is the same claim as auth.oidc.customer_claim"},
		{"", values{"client_id: ops", "client_id: ''", "client_id: ops, client_secret: s, scopes: ['https://a.example/api:read', b]",
			"client_id: ops, audience_parameter: audience"}, ""},
		{"auth.oidc.client_id", values{"client_id: a b", "client_id: " + strings.Repeat("a", 256)}, "must be"},
		{"auth.oidc.client_secret", values{"client_id: ops, client_secret: a b"}, "must be visible ASCII"},
		{"auth.oidc.client_secret", values{"client_secret: s"}, "is of no use without auth.oidc.client_id"},
		{"auth.oidc.scopes", values{"scopes: [a]"}, "is of no use without"},
		{"auth.oidc.scopes", values{"client_id: ops, scopes: a"}, "must be a list"},
		{"auth.oidc.scopes[1]", values{"client_id: ops, scopes: [a, 'b c']", `client_id: ops, scopes: [a, 'b"']`, "client_id: ops, scopes: [a, '']"},
			"must be one scope"},
		{"auth.oidc.audience_parameter", values{"client_id: ops, audience_parameter: aud"}, "must be none, audience or resource"},
		{"auth.oidc.audience_parameter", values{"audience_parameter: audience"}, "is of no use without"},
		{"auth.oidc.audience_parameter", values{"client_id: ops, audience_parameter: resource"}, "must not be resource unless"},
	})
	holdFaults(t, "auth: {oidc: {issuer: https://login.example, audience: 'urn:gate', client_id: ops, audience_parameter: VALUE}}", []oneFault{
		{"", values{"resource", "none"}, ""},
	})
	holdFaults(t, "{auth: {oidc: {issuer: https://login.example, audience: gate, client_id: ops}}, server: {public_url: 'VALUE'}}", []oneFault{
		{"", values{"https://gate.example", "http://localhost:8080", "http://127.0.0.1"}, ""},
		{"auth.oidc.client_id", values{"http://gate.example", "http://10.0.0.1:8080"}, "needs an https:// URL as server.public_url"},
	})
}

func TestFaultsOfOutbound(t *testing.T) {
	holdFaults(t, "outbound: {allow: ['VALUE']}", []oneFault{
		{"outbound.allow[0]", values{"10.4.0.1/16"}, "names an address inside of the prefix"},
		{"outbound.allow[0]", values{"::ffff:10.4.0.1", "::ffff:10.4.0.0/112"}, "must write an IPv4 address in its own form"},
		{"outbound.allow[0]", values{"fe80::1%eth0", "10.4.0.0/33", "10.4.0.0/016", "10.4.0", "agent.example", "10.4.0.1:80", ""},
			"must be an IP address or a prefix"},
	})
}

func TestFaultsOfSources(t *testing.T) {
	holdFaults(t, "sources: [{customer_id: 1, source_id: VALUE}]", []oneFault{
		{"", values{`"..."`, strings.Repeat("é", 255), "a}, {customer_id: 2, source_id: a"}, ""},
		{"sources[0].source_id", values{strings.Repeat("é", 256)}, "must be at most 255"},
		{"sources[0].source_id", values{`""`}, "is required"},
		{"sources[0].source_id", values{`"."`, "a/b", `" a"`}, "must not be . or .., hold any of"},
		{"sources[0].source_id", values{`"a\u0085b"`}, "must not hold control"},
		{"sources[0].source_id", values{"12"}, "must be text"},
		{"sources[2].source_id", values{"a}, {customer_id: 1, source_id: b}, {customer_id: 1, source_id: a"},
			"is the same source_id of the same customer_id as sources[0]"},
	})
	holdFaults(t, "sources: [{source_id: a, customer_id: 1, VALUE}, {source_id: b, customer_id: 2, VALUE}]", []oneFault{
		{"sources[1].esa_id", values{"esa_id: 5", "esa_id: '5'"}, "is the same esa_id as sources[0]"},
		{"sources[1].tenant_id", values{"tenant_id: t"}, "is the same tenant as sources[0]"},
	})
	labels := func(n int) string {
		text := ""
		for i := range n {
			text += fmt.Sprintf("l%d: v, ", i)
		}
		return "labels: {" + text + "}"
	}
	holdFaults(t, "sources: [{source_id: a, customer_id: 1, VALUE}]", []oneFault{
		{"", values{labels(64)}, ""},
		{"sources[0].labels", values{labels(65)}, "must have at most 64 entries"},
		{"sources[0].esa_id", values{"esa_id: 0", "esa_id: '-5'", "esa_id: 9007199254740992"}, "must be from 1"},
		{"sources[0].esa_id", values{"esa_id: '007'", "esa_id: 1e3"}, "must be a whole number"},
		{"sources[0].name", values{"name: ''"}, "must not be empty"},
		{"sources[0].tenant_id", values{"tenant_id: ''"}, "must not be empty"},
		{"sources[0].tenant_id", values{"tenant_id: a/b", "tenant_id: ..", "tenant_id: a b", "tenant_id: '-'"}, "must be 1 to 128 of A-Z a-z 0-9 . _ -"},
		{"", values{"service_account_email: a@b.example"}, ""},
		{"sources[0].service_account_email", values{"service_account_email: a@b"}, "must be an e-mail"},
		{"sources[0].labels.a", values{"labels: {a: 1}"}, "must be text"},
		{"sources[0].labels.a", values{`labels: {a: "x\ny"}`}, "must not hold control"},
		{"sources[0].labels.a", values{"labels: {a: " + strings.Repeat("x", 257) + "}"}, "must be at most 256"},
		{"sources[0].labels.?", values{"labels: {" + strings.Repeat("x", 129) + ": y}"}, "the name of a label"},
		{"sources[0].labels", values{"labels: [a]"}, "must be a mapping"},
	})
}

func TestFaultsOfAdServers(t *testing.T) {
	const at = "sources[0].ad_server."
	holdFaults(t, "sources: [{source_id: a, customer_id: 1, ad_server: {VALUE}}]", []oneFault{
		{"", values{"type: mock", "type: another_one", "type: broadstreet, network_id: '77'",
			"type: freewheel, client_id: c, username: u, environment: sandbox, default_advertiser_id: '9', execution_currency: EUR",
			"type: springserve, email: o@p.example, environment: production, default_demand_partner_id: 8, rate_currency: USD"}, ""},
		{at + "network_code", values{"type: another_one, network_code: '1'"}, "is not a key of this type"},
		{at + "type", values{"type: Google"}, "must be a word"},
		{at + "type", values{"network_code: '1'"}, "is required"},
		{at + "network_code", values{"type: mock, network_code: '1'"}, "is not a key of type mock"},
		{at + "network_code", values{"type: google_ad_manager, network_code: 1"}, "must be text"},
		{at + "network_code", values{"type: google_ad_manager, network_code: 12a"}, "must be 1 to 32 digits"},
		{at + "environment", values{"type: freewheel, environment: test"}, "must be production, staging or sandbox"},
		{at + "execution_currency", values{"type: freewheel, execution_currency: eur"}, "must be three capital letters"},
		{at + "api_token", values{"type: freewheel, api_token: x"}, "unknown key"},
		{at + "default_demand_partner_id", values{"type: springserve, default_demand_partner_id: 0"}, "must be from 1"},
		{at + "cpm_limit", values{"type: adswizz, cpm_limit: 0"}, "must be above 0"},
		{at + "base_url", values{"type: adswizz, base_url: 'https://h?k=v'"}, "must not hold a query"},
	})
	// A wrong type hides no other fault.
	expectFaults(t, faultsOf(t, "sources: [{source_id: a, customer_id: 1, ad_server: {type: Bad, email: x, base_url: 'ftp://h'}}]"),
		"sources[0].ad_server.base_url (line 1): "+notURL,
		"sources[0].ad_server.email (line 1): must be an e-mail address",
		"sources[0].ad_server.type (line 1): must be a word")
}

func TestFaultsOfPlatformTasks(t *testing.T) {
	holdFaults(t, "platform_tasks: [{VALUE}]", []oneFault{
		{"", values{`id: a, description: "two\nlines"`}, ""},
		{"platform_tasks[0].id", values{"name: a"}, "is required"},
		{"platform_tasks[0].name", values{"id: a, name: ''"}, "must not be empty"},
		{"platform_tasks[0].severity", values{"id: a, severity: critical"}, "must be blocker, warning or info"},
		{"platform_tasks[0].enabled", values{"id: a, enabled: 'no'"}, "must be true or false"},
		{"platform_tasks[0].decides", values{"id: a, decides: publisher"}, "must be both or platform"},
		{"platform_tasks[0].complete_when", values{"id: a, complete_when: ''"}, "must not be empty"},
		{"platform_tasks[0].complete_when", values{"id: a, complete_when: true"}, "must be text"},
	})
}
