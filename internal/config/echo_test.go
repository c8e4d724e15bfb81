package config_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	"esagate/internal/config"
	"esagate/internal/serviceaccount"
)

// printed gives a value as every verb and encoder shows it.
func printed(t *testing.T, value any) string {
	t.Helper()
	var out bytes.Buffer
	fmt.Fprintf(&out, "%[1]v %+[1]v %#[1]v %[1]s %[1]q %[1]x %[1]d\n", value)
	if err := json.NewEncoder(&out).Encode(value); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", value)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", value)
	return out.String()
}

// noEcho fails if a text holds the secret, in clear or in hexadecimal.
func noEcho(t testing.TB, text, secret string) {
	t.Helper()
	for _, form := range []string{secret, hex.EncodeToString([]byte(secret))} {
		if strings.Contains(strings.ToLower(text), strings.ToLower(form)) {
			t.Errorf("%q is in: %s", form, text)
		}
	}
}

// Every key gets a secret in every shape that it could be pasted in, through the
// file and through the environment; no fault and no warning may repeat it.
func TestNoFaultHoldsAValue(t *testing.T) {
	const secret = canary
	shapes := []string{
		secret, `"` + secret + `"`, "[" + secret + "]", "{a: " + secret + "}", "{" + secret + ": 1}",
		"!!int " + secret, "!!float '" + secret + "'", "!" + secret + " x", "*" + secret, "&" + secret + " 1", "@" + secret, "- " + secret,
		`"http://u:` + secret + `@h/"`, `"http://h/?k=` + secret + `"`, `"postgres://` + secret + `@h/d"`, `"postgres://u:` + secret + `@h:x/d"`,
		`"postgres://u:` + secret + `/x@h/d"`, `"postgres://h/d?` + secret + `=1"`, `"postgres://h/d?sslmode=` + secret + `"`, `"postgres://u:p#` + secret + `@h/d"`,
		`'{"primaryKeyId": "` + secret + `"}'`, `'{"key": [{"keyData": {"value": "` + secret + `"}}]}'`, "\"" + secret + "/8\"",
		`"` + secret + `\u0007"`,
		`"${` + secret + `"`, `"$${` + secret + `}"`, "${FROM_ENV}", "'{" + secret + "'", "|\n " + secret + "\n\t" + secret,
		"\"" + secret, secret + ": " + secret, `" ` + secret + ` "`, "0x7s3cret" + secret,
	}
	caught := 0
	check := func(text string, environ ...string) {
		t.Helper()
		c, faults := config.Load(write(t, text), append(environ, "FROM_ENV="+secret))
		noEcho(t, faults.Error(), secret)
		if c != nil {
			noEcho(t, fmt.Sprint(c.Warnings), secret)
			if c.Store.URL != config.NewSecret("sqlite://"+secret) {
				noEcho(t, c.Store.Describe(), secret)
			}
		}
		if len(faults) > 0 {
			caught++
		}
	}
	for _, key := range config.Schema() {
		for _, shape := range shapes {
			check(place(key.Path, shape))
			// Twice, unknown, and between sound neighbours that could be dragged in.
			check(place(key.Path, shape) + place(key.Path, shape))
			check(place(key.Path+"_", shape))
		}
		if key.Env != "" {
			for _, value := range []string{secret, "http://u:" + secret + "@h/", secret + "\xff", secret + "\n"} {
				check("", key.Env+"="+value)
			}
		}
	}
	if caught < 1000 {
		t.Errorf("only %d of the texts had a fault", caught)
	}
}

// place writes YAML that sets one path of the schema.
func place(path, value string) string {
	var b strings.Builder
	indent, first := "", ""
	for part := range strings.SplitSeq(path, ".") {
		name, isList := strings.CutSuffix(part, "[]")
		if name == "*" {
			name = "label"
		}
		b.WriteString(indent + first + name + ":")
		indent, first = indent+strings.Repeat(" ", 2+len(first)), ""
		if isList {
			first = "- "
		}
		b.WriteString("\n")
	}
	return strings.TrimSuffix(b.String(), "\n") + " " + value + "\n"
}

func TestASecretIsNotPrinted(t *testing.T) {
	c := config.Default()
	c.Upstream.APIKey = config.NewSecret(canary)
	c.Store.URL = config.NewSecret("postgres://u:" + canary + "@h/d")
	c.Store.EncryptionKey = config.NewSecret(canary)
	c.ServiceAccounts = []serviceaccount.Entry{{CustomerID: 1, Email: "ads@gate.example", KeyFile: "/run/" + canary + ".json"}}
	for _, value := range []any{c, c.Upstream.APIKey, c.ServiceAccounts} {
		noEcho(t, printed(t, value), canary)
	}
	if text := printed(t, c); !strings.Contains(text, `"APIKey":"[secret]"`) {
		t.Errorf("that there is a secret is not to be seen: %s", text)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "a", "server: {address: ':1'}", "- 1", "a: &x [*x]", "sources:\n- source_id: a\n  customer_id: 1\n", "---\n---\n",
		"upstream: {api_key: ${K}}", "auth: {keys: [{name: a, customer_id: 1, key: abc}]}", "<<: {a: 1}", "? [a]\n: b", "\x00", "a: \"\\x",
		"platform_tasks: [{id: a, enabled: yes}, null]", "#\n- C\nd\n", "snapshot: {fresh: -1s}", "telemetry: !!map {}",
	} {
		f.Add([]byte(seed))
	}
	// No name of a key or of a variable can hold it: those may be shown.
	const secret = "canary7!s3cret"
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := dir + "/config.yaml"
		for _, text := range [][]byte{data, bytes.ReplaceAll(data, []byte("1"), []byte(secret))} {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			c, faults := config.Load(path, []string{"K=" + secret})
			if (c == nil) != (len(faults) > 0) {
				t.Fatalf("a config and faults, or neither: %v", faults)
			}
			for _, fault := range faults {
				noEcho(t, fault.String(), secret)
			}
		}
	})
}
