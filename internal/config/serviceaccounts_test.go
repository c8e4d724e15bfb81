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

// folder makes a folder with a config and other files, and gives the config's path.
func folder(t *testing.T, text string, files map[string]string) string {
	t.Helper()
	path := write(t, text)
	for name, content := range files {
		name = filepath.Join(filepath.Dir(path), name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestServiceAccounts(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "b.json")
	if err := os.WriteFile(elsewhere, []byte(keyJSON("b@gate.example")), 0o600); err != nil {
		t.Fatal(err)
	}
	path := folder(t, `
service_accounts:
  - {email: A@gate.example, key_file: keys/a.json}
  - {customer_id: 12, email: b@gate.example, key_file: "${B}"}
`, map[string]string{"keys/a.json": keyJSON("a@Gate.example")})
	c, faults := config.Load(path, with("B="+elsewhere))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := []serviceaccount.Entry{
		{Email: "A@gate.example", KeyFile: filepath.Join(filepath.Dir(path), "keys/a.json")},
		{CustomerID: 12, Email: "b@gate.example", KeyFile: elsewhere},
	}
	if !reflect.DeepEqual(c.ServiceAccounts, want) {
		for i, got := range c.ServiceAccounts {
			t.Errorf("%d: %d %q %q", i, got.CustomerID, got.Email, got.KeyFile)
		}
	}
}

func TestRelativeKeyFilesBeginAtTheConfig(t *testing.T) {
	path := folder(t, "service_accounts: [{email: a@gate.example, key_file: a.json}]", map[string]string{"a.json": keyJSON("a@gate.example")})
	t.Chdir(filepath.Dir(path))
	if _, faults := config.Load("config.yaml", least); len(faults) > 0 {
		t.Errorf("named without a folder: %v", faults)
	}
	t.Chdir("/")
	if _, faults := config.Load(path, least); len(faults) > 0 {
		t.Errorf("from elsewhere: %v", faults)
	}
}

func TestServiceAccountFaults(t *testing.T) {
	const canary = "canary7s3cret"
	files := map[string]string{
		"a.json": keyJSON("a@gate.example"),
		"b.json": keyJSON("b@gate.example"),
		"c.json": keyJSON(canary + "@gate.example"),
		"none":   `{"` + canary + `": 1}`,
		"text":   canary,
	}
	a, b := "email: a@gate.example, key_file: a.json", "email: b@gate.example, key_file: b.json"
	for _, c := range []struct {
		entries string
		want    []string
	}{
		{"{" + a + "}, {customer_id: 1, " + b + "}, {customer_id: 2, " + a + "}", nil},
		{"{" + a + "}, {" + b + "}", []string{"[1] (line 1): is for all customers, as service_accounts[0] is"}},
		{"{customer_id: 1, " + a + "}, {customer_id: 1, " + b + "}", []string{"[1].customer_id (line 1): is the same customer_id as that of service_accounts[0]"}},
		{"{customer_id: 0, " + a + "}", []string{"[0].customer_id (line 1): must be from 1 to"}},
		{"{customer_id: , " + a + "}", []string{"[0].customer_id (line 1): has no value"}},
		// A customer that can't be read is not all customers.
		{"{" + a + "}, {customer_id: x, " + b + "}", []string{"[1].customer_id (line 1): must be a whole number"}},
		{"{}", []string{"[0].email (line 1): is required", "[0].key_file (line 1): is required"}},
		{"{email: " + canary + ", key_file: a.json}", []string{"[0].email (line 1): must be an e-mail address"}},
		{"{email: " + canary + ", key_file: none}", []string{"[0].email (line 1): must be an e-mail address",
			"[0].key_file (line 1): the file has no client_email", "[0].key_file (line 1): the file has no private_key"}},
		{"{email: a@gate.example, key_file: c.json}", []string{"[0].key_file (line 1): the file has another client_email than the entry's email"}},
		{"{email: a@gate.example, key_file: text}", []string{"[0].key_file (line 1): the file is not a JSON object"}},
		{"{email: a@gate.example, key_file: " + canary + "/a.json}", []string{"[0].key_file (line 1): the file does not exist"}},
		{"{email: a@gate.example, key_file: .}", []string{"[0].key_file (line 1): the file is not a regular file"}},
		{"{email: a@gate.example, key_file: ''}", []string{"[0].key_file (line 1): is required"}},
		{`{email: a@gate.example, key_file: "a.json\u0000"}`, []string{"[0].key_file (line 1): must not hold control characters"}},
		{"{email: a@gate.example, key_file: [a.json]}", []string{"[0].key_file (line 1): must be a single value"}},
		{"{email: a@gate.example, key_file: a.json, key: " + canary + "}", []string{"[0].key (line 1): unknown key"}},
		{"{email: a@gate.example, key_file: '" + strings.ReplaceAll(keyJSON(canary+"@gate.example"), `"`, "") + "'}",
			[]string{"[0].key_file (line 1): the file does not exist"}}, // the key itself in place of its path
		{canary, []string{"[0] (line 1): must be a mapping"}},
	} {
		_, faults := config.Load(folder(t, "service_accounts: ["+c.entries+"]", files), least)
		if len(c.want) == 0 {
			if len(faults) > 0 {
				t.Errorf("%s is good, but: %v", c.entries, faults)
			}
			continue
		}
		for i := range c.want {
			c.want[i] = "service_accounts" + c.want[i]
		}
		expectFaults(t, strings.Split(faults.Error(), "\n"), c.want...)
		noEcho(t, faults.Error(), canary)
		noEcho(t, faults.Error(), "gate.example")
	}
}
