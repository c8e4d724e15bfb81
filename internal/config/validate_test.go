package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
)

// One value at a time, at its path: want is a piece of the only fault's message,
// "" for a value that is good.
func TestBounds(t *testing.T) {
	const (
		hostPort = "must be host:port"
		url      = "must be an http:// or https:// URL"
		duration = "must be a duration with a unit"
	)
	for _, c := range []struct{ path, value, want string }{
		{"server.address", "localhost:0", ""},
		{"server.address", `"[::1]:80"`, ""},
		{"server.address", `":65535"`, ""},
		{"server.address", `":65536"`, hostPort},
		{"server.address", `":-1"`, hostPort},
		{"server.address", `":http"`, hostPort},
		{"server.address", "localhost", hostPort},
		{"server.address", `"a b:1"`, hostPort},
		{"server.address", `"http://h:1"`, hostPort},
		{"server.address", "8080", "must be text; put it in quotes"},
		{"server.address", "", "has no value"},
		{"server.address", "[a]", "must be a single value"},
		{"server.public_url", "https://h.example:8443/", ""},
		{"server.public_url", "https://h.example/p", "must not hold a path"},
		{"server.public_url", "ftp://h.example", url},
		{"server.public_url", "h.example", url},
		{"server.public_url", "http:h.example", url},
		{"server.public_url", "http://", url},
		{"server.public_url", "http://:80", url},
		{"server.public_url", "http://h:0", "must have a port"},
		{"server.public_url", `"http://h:"`, "must have a port"},
		{"server.public_url", "http://u@h", "must not hold a user"},
		{"server.public_url", "http://h?", "must not hold a query"},
		{"server.public_url", `"http://h#"`, "must not hold a fragment"},
		{"server.envelope", "yes", "must be true or false"},
		{"server.envelope", "1", "must be true or false"},
		{"server.allowed_origins", "https://a.example", "must be a list"},
		{"server.allowed_origins", "[https://a.example]", ""},
		{"server.allowed_origins", "[https://a.example/]", "must be an origin"},
		{"server.allowed_origins", "['*']", "must be an origin"},
		{"server.allowed_origins", "['null']", "must be an origin"},
		{"server.allowed_origins", "[1]", "must be text"},
		{"upstream.base_url", "http://h/admin/", ""},
		{"upstream.base_url", "http://h/a?b=c", "must not hold a query"},
		{"upstream.base_url", "http://u:p@h/a", "must not hold a user"},
		{"upstream.base_url", `"http://h/a b"`, url},
		{"upstream.timeout", "0s", "must be from 1ms to 1h"},
		{"upstream.timeout", "-1s", "must be from 1ms to 1h"},
		{"upstream.timeout", "10s", ""},
		{"upstream.timeout", "10001ms", "must be at least upstream.timeout"},
		{"upstream.timeout", "1d", duration},
		{"upstream.timeout", "299ms", "must be at most upstream.timeout"},
		{"upstream.fetch_timeout", "2999ms", "must be at least upstream.timeout"},
		{"upstream.probe_timeout", "0", "must be from 1ms to 1h"},
		{"upstream.probe_timeout", "61m", "must be from 1ms to 1h"},
		{"upstream.attempts", "0", "must be from 1 to 10"},
		{"upstream.attempts", "10", ""},
		{"upstream.attempts", "3.0", "must be a whole number"},
		{"upstream.attempts", "'3'", "must be a whole number"},
		{"upstream.attempts", "0x3", "must be a whole number"},
		{"upstream.attempts", "03", "must be a whole number"},
		{"upstream.attempts", "99999999999999999999", "must be a whole number"},
		{"upstream.breaker.consecutive_failures", "0", "must be from 1 to 1000"},
		{"upstream.breaker.failure_ratio", "0", "must be above 0"},
		{"upstream.breaker.failure_ratio", "1", ""},
		{"upstream.breaker.failure_ratio", "1.01", "at most 1"},
		{"upstream.breaker.failure_ratio", ".nan", "must be a number"},
		{"upstream.breaker.failure_ratio", ".inf", "must be a number"},
		{"upstream.breaker.failure_ratio", "'0.5'", "must be a number"},
		{"upstream.breaker.minimum_requests", "0", "must be from 1 to 100000"},
		{"upstream.breaker.window", "0s", "must be from 1ms to 1h"},
		{"upstream.breaker.open_for", "2h", "must be from 1ms to 1h"},
		{"snapshot.fresh", "61s", "must be at least snapshot.fresh"},
		{"snapshot.fresh", "0s", "must be from 100ms to 168h"},
		{"snapshot.stale_while_revalidate", "5s", ""},
		{"snapshot.stale_while_revalidate", "15m1s", "must be at least snapshot.stale_while_revalidate"},
		{"snapshot.stale_if_error", "169h", "must be from 1ms to 168h"},
		{"snapshot.patience", "0", ""},
		{"snapshot.patience", "-1ms", "must be from 0s to 1h"},
		{"snapshot.patience", "3001ms", "must be at most upstream.timeout"},
		{"snapshot.redis_url", "redis://h", "is not supported yet; leave it empty"},
		{"telemetry.log_format", "xml", "must be json or text"},
		{"telemetry.log_level", "trace", "must be debug, info, warn or error"},
		{"telemetry.otlp_endpoint", "collector:4317", url},
		{"telemetry.trace_ratio", "0", ""},
		{"telemetry.trace_ratio", "1.5", "must be from 0 to 1"},
		{"telemetry.trace_ratio", "-0.1", "must be from 0 to 1"},
		{"webhooks.subscribe", "never", ""},
		{"webhooks.subscribe", "on", "must be auto, always or never"},
		{"webhooks.subscribe", "''", "must be auto, always or never"},
		{"webhooks.subscribe", "Always", "must be auto, always or never"},
		{"webhooks.subscribe", "always", "must not be always while server.public_url is not an https:// URL"},
		{"reconcile.interval", "0", ""},
		{"reconcile.interval", "0s", ""},
		{"reconcile.interval", "60s", ""},
		{"reconcile.interval", "59999ms", "must be 0 (off), or from 1m to 168h"},
		{"reconcile.interval", "-1m", "must be 0 (off), or from 1m to 168h"},
		{"reconcile.interval", "168h", ""},
		{"reconcile.interval", "168h1s", "must be 0 (off), or from 1m to 168h"},
		{"reconcile.interval", "off", duration},
		{"reconcile.concurrency", "1", ""},
		{"reconcile.concurrency", "0", "must be from 1 to 64"},
		{"reconcile.concurrency", "64", ""},
		{"reconcile.concurrency", "65", "must be from 1 to 64"},
	} {
		expectOne(t, c.path, c.value, place(c.path, c.value), c.want)
	}
}

func expectOne(t *testing.T, path, value, text, want string) {
	t.Helper()
	_, faults := config.Load(write(t, text), least)
	switch {
	case want == "" && len(faults) > 0:
		t.Errorf("%s: %s is good, but: %v", path, value, faults)
	case want != "" && (len(faults) != 1 || !strings.Contains(faults[0].Message, want) || faults[0].Line == 0 && !strings.Contains(want, "must be at")):
		t.Errorf("%s: %s: got %v, want one fault: %s", path, value, faults, want)
	}
}

func TestTheAPIKeyFitsAHeader(t *testing.T) {
	for value, want := range map[string]string{
		"ok-key~!":                "",
		"no key":                  "must be visible ASCII",
		"clé":                     "must be visible ASCII",
		"":                        "is required",
		" key":                    "must be visible ASCII",
		"key\n":                   "must not hold control characters",
		"k\x00y":                  "must not hold control characters",
		"k\xffy":                  "must be UTF-8 text",
		strings.Repeat("k", 4097): "must be at most 4096 characters",
	} {
		_, faults := config.Load(write(t, "upstream: {api_key: ${K}}\nstore: {encryption_key: "+storeKey+"}"), []string{"K=" + value})
		compareFault(t, value, faults, "", want)
	}
}

func TestAuthKeys(t *testing.T) {
	const (
		hash  = "9b74c9897bac770ffc029102a200c5de9b74c9897bac770ffc029102a200c5de"
		empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	)
	entry := func(rest string) string { return "{name: n, customer_id: 1, " + rest + "}" }
	for _, c := range []struct{ keys, want string }{
		{entry(`sha256: "` + hash + `"`), ""},
		{entry(`key: abc, sha256: "` + hash + `"`), "auth.keys[0] (line 1): must have one of key and sha256"},
		{entry(`access: write`), "auth.keys[0] (line 1): must have one of key and sha256"},
		{entry(`key: ""`), "auth.keys[0].key (line 1): must not be empty"},
		{entry(`key: ${EMPTY}`), "auth.keys[0].key (line 1): must not be empty"},
		{entry(`key: a b`), "auth.keys[0].key (line 1): must be visible ASCII"},
		{entry(`key: clé`), "auth.keys[0].key (line 1): must be visible ASCII"},
		{entry(`key: ` + strings.Repeat("k", 1025)), "auth.keys[0].key (line 1): must be at most 1024"},
		{entry(`sha256: "` + hash[:63] + `"`), "auth.keys[0].sha256 (line 1): must be 64 hexadecimal digits"},
		{entry(`sha256: "` + hash[:63] + `g"`), "auth.keys[0].sha256 (line 1): must be 64 hexadecimal digits"},
		{entry(`sha256: "` + empty + `"`), "auth.keys[0].sha256 (line 1): is the hash of an empty key"},
		{entry(`access: Write, key: abc`), "auth.keys[0].access (line 1): must be read or write"},
		{"{name: n, customer_id: -1, key: abc}", "auth.keys[0].customer_id (line 1): must be from 1"},
		{"{name: n, customer_id: 9007199254740992, key: abc}", "auth.keys[0].customer_id (line 1): must be from 1"},
		{"{name: n, customer_id: '1', key: abc}", "auth.keys[0].customer_id (line 1): must be a whole number"},
		{"{name: -n, customer_id: 1, key: abc}", "auth.keys[0].name (line 1): must be 1 to 64 of"},
		{entry("key: abc") + ", {name: m, customer_id: 2, sha256: BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD}",
			"auth.keys[1] (line 1): is the same key as auth.keys[0]"},
		{entry("key: abc") + ", {name: n, customer_id: 2, key: def}", "auth.keys[1].name (line 1): is the same name as auth.keys[0]"},
	} {
		expectFault(t, "auth: {keys: ["+c.keys+"]}", c.want, "EMPTY=")
	}
}
