package config_test

import (
	"slices"
	"strings"
	"testing"

	"esagate/internal/config"
)

func TestEveryFaultAtOnce(t *testing.T) {
	_, faults := config.Load(write(t, `# line 1
server:
  address: nowhere
  adress: 127.0.0.1:1
  address: 127.0.0.1:2
upstream:
  timeout: 5
  breaker: {window: soon, failure_ratio: 1.5}
snapshot: [1]
store: {url: "postgres://db?sslmode=off", encryption_key: short}
auth:
  keys:
    - {name: a, customer_id: 1, key: ${GONE}}
    - {customer_id: 0, access: admin}
    -
  oidc: {audience: gate, scope: x}
sources:
  - source_id: ..
    ad_server: {type: google_ad_manager, password: x, network_id: "1"}
platform_tasks:
  - name: no id
outbound: {allow: [nowhere]}
service_accounts: [{customer_id: 1}]
launch: {}
`), least[:1]) // the variable would win over the file's encryption key
	expectFaults(t, strings.Split(faults.Error(), "\n"),
		"auth.keys[0].key (line 13): the environment variable GONE is not set",
		"auth.keys[1] (line 14): must have one of key and sha256, not both",
		"auth.keys[1].access (line 14): must be read or write",
		"auth.keys[1].customer_id (line 14): must be from 1 to 9007199254740991",
		"auth.keys[1].name (line 14): is required",
		"auth.keys[2] (line 15): has no value",
		"auth.oidc.issuer (line 16): is required",
		"auth.oidc.scope (line 16): unknown key",
		"launch (line 24): unknown key",
		"outbound.allow[0] (line 22): must be an IP address",
		"platform_tasks[0].id (line 21): is required",
		"server.address (line 3): must be host:port",
		"server.address (line 5): is set twice, first on line 3",
		"server.adress (line 4): unknown key",
		"service_accounts[0].email (line 23): is required",
		"service_accounts[0].key_file (line 23): is required",
		"snapshot (line 9): must be a mapping",
		"sources[0].ad_server.network_id (line 19): is not a key of type google_ad_manager",
		"sources[0].ad_server.password (line 19): unknown key",
		"sources[0].customer_id (line 18): is required",
		"sources[0].source_id (line 18): must not be . or ..",
		"store.encryption_key (line 10): must be 32 bytes in base64",
		"store.url (line 10): must name a database",
		"upstream.breaker.failure_ratio (line 8): must be above 0 and at most 1",
		"upstream.breaker.window (line 8): must be a duration with a unit",
		"upstream.timeout (line 7): must be a duration with a unit",
	)
}

func TestFilesThatCanNotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir + "/none.yaml": "config file: does not exist",
		"":                 "config file: does not exist",
		dir:                "config file: is a directory",
	} {
		if _, faults := config.Load(path, least); faults.Error() != want {
			t.Errorf("%s: got %q, want %q", path, faults, want)
		}
	}
}

func TestTextThatIsNoConfig(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a list", "- server", "config file (line 1): must be a mapping"},
		{"a text", "server", "config file (line 1): must be a mapping"},
		{"too large", "# " + strings.Repeat("x", 64<<20), "config file: is larger than 64 MiB"},
		{"not UTF-8", "server: {address: '\xff'}", "config file: is not UTF-8"},
		{"UTF-16", "\xff\xfes\x00:\x00", "config file: is not UTF-8"},
		{"two documents", "server: {}\n---\nserver: {}", "config file: holds more than one document"},
		{"broken second document", "server: {}\n---\nserver: {", "config file"},
		{"a tab", "server:\n\taddress: x", "config file (line 2): is not valid YAML around here: a tab"},
		{"two values", "server:\n  address: a: b", "config file (line 2): is not valid YAML around here: a second"},
		{"unclosed", "a: 1\nserver: {address: x\nb: 1", "config file (line 2): is not valid YAML around here: a bracket"},
		{"an open quote", "server: {address: \"x\n", "config file (line 2): is not valid YAML around here"},
		{"unknown anchor", "server: *there", "config file: is not valid YAML: a value that begins with *"},
		{"control character", "server: \x01", "config file: is not valid YAML: it holds a control character"},
		{"deep flow", strings.Repeat("[", 20000), "config file"},
		{"deep mapping", "server: " + strings.Repeat("{a: ", 12) + strings.Repeat("}", 12), "server.a.a.a.a.a.a.a.a (line 1): is nested too deeply"},
		{"alias", "a: &x {b: 1}\nserver: *x", "server (line 2): is a YAML alias"},
		{"alias of itself", "server: &x [*x]", "server[0] (line 1): is a YAML alias"},
		{"alias as a key", "a: &x b\n*x : 1", "? (line 2): a key must be plain text"},
		{"merge key", "server: {<<: {address: ':1'}}", "server.? (line 1): a key must be plain text"},
		{"number as a key", "server:\n  1: x", "server.? (line 2): a key must be plain text"},
		{"mapping as a key", "? {a: 1}\n: b", "? (line 1): a key must be plain text"},
		{"reference as a key", "server: {${A}: 1}", "server.? (line 1): unknown key"},
		{"secret as a key", "auth: {keys: {sk_live_4f9a8b7c6d5e4f3a2b1c: }}", "auth.keys (line 1): must be a list"},
		{"secret as an unknown key", "auth: {sk_live_4f9a8b7c6d5e4f3a2b1c: 1}", "auth.? (line 1): unknown key"},
		{"tag on a mapping", "server: !x {address: ':1'}", "server (line 1): has a YAML tag"},
		{"tag on a value", "server: {address: !x ':1'}", "server.address (line 1): must be text"},
		{"a dot is no path", "server.address: ':1'", "server.address (line 1): unknown key"},
		{"later keys", "launch: {ttl: 30s}", "launch (line 1): unknown key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := faultsOf(t, c.text); !strings.HasPrefix(strings.Join(got, "\n"), c.want) && !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, c.want) }) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// An anchor bomb is refused where it begins, not after it has gone off.
func TestAliasesDoNotMultiply(t *testing.T) {
	text := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'k'; c++ {
		text += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ",") + "]\n"
	}
	if got := faultsOf(t, text); len(got) != 9*9+10 {
		t.Errorf("got %d faults, want one an alias and one a key", len(got))
	}
}
