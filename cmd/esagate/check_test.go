package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// checked runs esagate check over a folder of files, one of them config.yaml.
func checked(t *testing.T, files map[string]string) (out string, code int) {
	t.Helper()
	folder := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(binary, "check", "--config", filepath.Join(folder, "config.yaml"))
	cmd.Env = []string{"AGENT_KEY=" + agentKey, "REGISTRY_KEY=" + encryptionKey}
	printed, _ := cmd.CombinedOutput()
	return strings.ReplaceAll(string(printed), folder, "FOLDER"), cmd.ProcessState.ExitCode()
}

// What the life of a connection needs of a config is checked with everything else;
// key files are read and nothing of them is shown.
func TestCheckOfWhatConnectingNeeds(t *testing.T) {
	const (
		head = "upstream: {api_key: \"${AGENT_KEY}\"}\nstore: {encryption_key: \"${REGISTRY_KEY}\"}\n" +
			"auth: {keys: [{name: web, customer_id: 1, key: CANARY-0123456789}]}\n"
		desk   = "provisioning: {contact_email: desk@gate.example}\n"
		anyone = "service_accounts: [{email: ads@gate.example, key_file: CANARY.json}]\n"
		key    = `{"type": "service_account", "client_email": "Ads@gate.example", "private_key": "-----BEGIN PRIVATE KEY-----\nQ0FOQVJZ\n-----END PRIVATE KEY-----\n"}`
	)
	for _, c := range []struct {
		name, config, key string
		want              []string // what the lines begin with, beside the one that names the config
		good              bool
	}{
		{"nothing said", head, "", []string{"warning: provisioning.contact_email: is empty"}, true},
		{"all of it", head + desk + anyone + "webhooks: {subscribe: always}\nserver: {public_url: https://gate.example}\nreconcile: {interval: 0}\n", key, nil, true},
		{"a key file that is not there", head + desk + anyone, "", []string{"service_accounts[0].key_file (line 5): the file does not exist"}, false},
		{"a key file that is none", head + desk + anyone, "CANARY", []string{"service_accounts[0].key_file (line 5): the file is not a JSON object"}, false},
		{"another account's key file", head + desk + anyone, strings.Replace(key, "Ads@", "CANARY@", 1),
			[]string{"service_accounts[0].key_file (line 5): the file has another client_email"}, false},
		{"everything wrong", head + strings.Replace(desk, "desk@", "CANARY ", 1) + strings.Replace(anyone, "ads@gate", "CANARY", 1) +
			"webhooks: {subscribe: CANARY}\nreconcile: {interval: 30s, concurrency: 0}\n", `{"type": "CANARY"}`, []string{
			"provisioning.contact_email (line 4): must be an e-mail address",
			"reconcile.concurrency (line 7): must be from 1 to 64",
			"reconcile.interval (line 7): must be 0 (off), or from 1m to 168h",
			"service_accounts[0].email (line 5): must be an e-mail address",
			"service_accounts[0].key_file (line 5): the file has a type that is not service_account",
			"service_accounts[0].key_file (line 5): the file has no client_email",
			"service_accounts[0].key_file (line 5): the file has no private_key",
			"webhooks.subscribe (line 6): must be auto, always or never",
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"config.yaml": c.config}
			if c.key != "" {
				files["CANARY.json"] = c.key
			}
			out, code := checked(t, files)
			lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(out), "\n"), func(line string) bool {
				return strings.HasPrefix(line, "esagate: FOLDER/config.yaml can't be used") || line == "FOLDER/config.yaml: good"
			})
			if good := strings.HasSuffix(out, "FOLDER/config.yaml: good\n"); good != c.good || (code == 0) != c.good || !good && code != 2 {
				t.Errorf("exit %d:\n%s", code, out)
			}
			if len(lines) != len(c.want) {
				t.Fatalf("%d lines, want %d:\n%s", len(lines), len(c.want), out)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("line %d: got %q, want %q", i, lines[i], want)
				}
			}
			for _, secret := range []string{"Q0FOQVJZ", "gate.example", "CANARY."} {
				if strings.Contains(out, secret) {
					t.Errorf("%s is printed:\n%s", secret, out)
				}
			}
		})
	}
}
