package config_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"esagate/internal/config"
	"esagate/internal/serviceaccount"
)

// keyJSON is a key file's text; nothing in it is a key.
func keyJSON(email string) string {
	return `{"type": "service_account", "client_email": "` + email + `", "private_key": "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"}`
}

// keyFiles makes a folder of files and gives its path.
func keyFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestServiceAccounts(t *testing.T) {
	dir := keyFiles(t, map[string]string{"a.json": keyJSON("a@Gate.example"), "b.json": keyJSON("b@gate.example"),
		"config.yaml": `
service_accounts:
  - {email: A@gate.example, key_file: a.json}
  - {customer_id: 12, email: b@gate.example, key_file: "${B}"}
`})
	want := []serviceaccount.Entry{
		{Email: "A@gate.example", KeyFile: filepath.Join(dir, "a.json")},
		{CustomerID: 12, Email: "b@gate.example", KeyFile: filepath.Join(dir, "b.json")},
	}
	environ := with("B=" + filepath.Join(dir, "b.json"))
	t.Chdir("/") // a relative path begins at the folder of the config
	c, faults := config.Load(filepath.Join(dir, "config.yaml"), environ)
	if len(faults) > 0 || !reflect.DeepEqual(c.ServiceAccounts, want) {
		t.Fatalf("%v, or other accounts", faults)
	}
	t.Chdir(dir)
	if _, faults := config.Load("config.yaml", environ); len(faults) > 0 {
		t.Errorf("named without a folder: %v", faults)
	}
}

func TestFaultsOfServiceAccounts(t *testing.T) {
	dir := keyFiles(t, map[string]string{
		"a.json": keyJSON("a@gate.example"),
		"b.json": keyJSON("b@gate.example"),
		"c.json": keyJSON(canary + "@gate.example"),
		"none":   `{"` + canary + `": 1}`,
		"text":   canary,
	})
	a, b := "email: a@gate.example, key_file: "+dir+"/a.json", "email: b@gate.example, key_file: "+dir+"/b.json"
	holdFaults(t, "service_accounts: [{VALUE}]", []oneFault{
		{"", values{a + "}, {customer_id: 1, " + b + "}, {customer_id: 2, " + a}, ""},
		{"service_accounts[1]", values{a + "}, {" + b}, "is for all customers, as service_accounts[0] is"},
		{"service_accounts[1].customer_id", values{"customer_id: 1, " + a + "}, {customer_id: 1, " + b},
			"is the same customer_id as that of service_accounts[0]"},
		{"service_accounts[0].customer_id", values{"customer_id: 0, " + a}, "must be from 1 to"},
		{"service_accounts[0].customer_id", values{"customer_id: , " + a}, "has no value"},
		// A customer that can't be read is not all customers.
		{"service_accounts[1].customer_id", values{a + "}, {customer_id: x, " + b}, "must be a whole number"},
		{"service_accounts[0].email", values{"key_file: " + dir + "/a.json"}, "is required"},
		{"service_accounts[0].email", values{"email: " + canary + ", key_file: " + dir + "/a.json"}, "must be an e-mail address"},
		{"service_accounts[0].key", values{a + ", key: " + canary}, "unknown key"},
	})
	const at = "service_accounts[0].key_file"
	holdFaults(t, "service_accounts: [{email: a@gate.example, key_file: VALUE}]", []oneFault{
		{at, values{dir + "/c.json"}, "the file has another client_email than the entry's email"},
		{at, values{dir + "/text"}, "the file is not a JSON object"},
		{at, values{canary + "/a.json"}, "the file does not exist"},
		{at, values{"'" + strings.ReplaceAll(keyJSON(canary+"@gate.example"), `"`, "") + "'"}, "the file does not exist"},
		{at, values{"."}, "the file is not a regular file"},
		{at, values{"''"}, "is required"},
		{at, values{`"a.json\u0000"`}, "must not hold control characters"},
	})
	got := faultsOf(t, "service_accounts: [{email: "+canary+", key_file: "+dir+"/none}]")
	expectFaults(t, got, "[0].email (line 1): must be an e-mail address",
		"[0].key_file (line 1): the file has no client_email", "[0].key_file (line 1): the file has no private_key")
	noEcho(t, strings.Join(got, "\n"), canary)
}
