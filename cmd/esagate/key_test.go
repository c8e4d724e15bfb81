package main_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// command runs the binary to its end and gives both outputs and the exit code.
func command(t *testing.T, env []string, args ...string) (out, errs string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	return stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()
}

// good runs the binary and wants success.
func good(t *testing.T, env []string, args ...string) (out, errs string) {
	t.Helper()
	out, errs, code := command(t, env, args...)
	if code != 0 {
		t.Fatalf("esagate %q: %d\n%s%s", args, code, out, errs)
	}
	return out, errs
}

// eventually waits for what another process has done to be seen.
func eventually(t *testing.T, what string, seen func() bool) {
	t.Helper()
	give := time.After(patience)
	for tick := time.NewTicker(20 * time.Millisecond); !seen(); {
		select {
		case <-tick.C:
		case <-give:
			t.Fatal("not in time: " + what)
		}
	}
}

const sources = "/api/v2/storefront/inventory-sources"

const agentBody = `{"name":"Harbour Direct","type":"SALES","endpointUrl":"https://agent.harbour.example/mcp","protocol":"MCP",` +
	`"authenticationType":"API_KEY","auth":{"type":"bearer","token":"tok-CANARY-77"}}`

func TestKeysAreMadeAndRevokedWhileItRuns(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env, "serve", "--config", config)
	key, told := good(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "console", "--read-only")
	key = strings.TrimSpace(key)
	if !regexp.MustCompile(`^esagate_[A-Za-z0-9_-]{43}$`).MatchString(key) || strings.Contains(told, key) {
		t.Fatalf("%q %q", key, told)
	}
	if code, body := p.send("GET", sources, key, ""); code != 200 || !strings.Contains(body, "meadow") {
		t.Errorf("a key just made: %d %s", code, body)
	}
	if code, _ := p.send("POST", sources, key, agentBody); code != 403 {
		t.Errorf("a read-only key: %d", code)
	}
	if _, errs, code := command(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "console"); code != 1 || !strings.Contains(errs, "name") {
		t.Errorf("the same name: %d %s", code, errs)
	}
	for _, args := range [][]string{{"--customer", "0", "--name", "x"}, {"--customer", "1", "--name", ""}, {"--customer", "1", "--name", " x"}, {"--customer", "x", "--name", "x"},
		{"--customer", "9007199254740992", "--name", "x"}, {"--customer", "1", "--name", "a\u009bb"}, {"--customer", "1", "--name", "a\u202eb"},
		{"--customer", "1", "--name", "Sales agent"}} {
		if _, _, code := command(t, env, append([]string{"key", "new", "--config", config}, args...)...); code != 2 {
			t.Errorf("a key new %q ends with %d", args, code)
		}
	}
	list, _ := good(t, env, "key", "list", "--config", config)
	id := regexp.MustCompile(`(?m)^(\d+)\s+4711\s+console\s+read\s`).FindStringSubmatch(list)
	if id == nil || strings.Contains(list, key) {
		t.Fatalf("list:\n%s", list)
	}
	good(t, env, "key", "revoke", "--config", config, id[1])
	eventually(t, "the key is refused", func() bool { code, _ := p.send("GET", sources, key, ""); return code == 401 })
	if _, errs, code := command(t, env, "key", "revoke", "--config", config, "987654"); code == 0 || !strings.Contains(errs, "no key") {
		t.Errorf("revoke an unknown key: %d %s", code, errs)
	}
	p.stop()
	if list, _ := good(t, env, "key", "list", "--config", config); !regexp.MustCompile(`console\s+read\s+\S+\s+\d{4}-\d\d-\d\d \d\d:00\s+\d{4}-`).MatchString(list) {
		t.Errorf("use or revocation is not in the list:\n%s", list)
	}
	if strings.Contains(p.errs.String(), key) {
		t.Error("the key stands in the log")
	}
}

// TestKeysSayWhoTheirOwnersAre: who the sales agent takes their owners for, in the bounds of the config.
func TestKeysSayWhoTheirOwnersAre(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	make := []string{"key", "new", "--config", config, "--customer", "4711", "--name"}
	good(t, env, append(make, "desk", "--role", "member", "--email", "desk@gate.example", "--principal-id", "buyer_7")...)
	good(t, env, append(make, "wall", "--read-only", "--role", "viewer")...)
	good(t, env, append(make, "plain", "--role", "", "--email", "", "--principal-id", "")...)
	list, _ := good(t, env, "key", "list", "--config", config)
	for _, line := range []string{`desk\s+read and write\s.*-\s+member\s+desk@gate\.example\s+buyer_7`, `wall\s+read\s.*-\s+viewer\s+-\s+-`, `plain\s+read and write\s.*-\s+-\s+-\s+-`} {
		if !regexp.MustCompile(`(?m)^\d+\s+4711\s+` + line + `$`).MatchString(list) {
			t.Errorf("no line of %s:\n%s", line, list)
		}
	}
	for _, args := range [][]string{{"--role", "owner"}, {"--read-only", "--role", "admin"}, {"--email", "desk"}, {"--email", "küste@gate.example"},
		{"--email", "desk@gate.example\nX-Identity-Role: admin"}, {"--principal-id", "a b"}, {"--principal-id", "../x"}} {
		out, errs, code := command(t, env, append(append(make, "bad"), args...)...)
		if flag := args[len(args)-2]; code != 2 || out != "" || !strings.Contains(errs, flag+" must be ") || strings.Contains(errs, args[len(args)-1]) && flag != "--role" {
			t.Errorf("%q: %d %s%s", args, code, out, errs)
		}
	}
}

func TestKeysOfOperators(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env, "serve", "--config", config)
	make := func(args ...string) string {
		t.Helper()
		key, told := good(t, env, append([]string{"key", "new", "--config", config, "--operator"}, args...)...)
		if !strings.Contains(told, "an operator") {
			t.Errorf("said: %s", told)
		}
		return strings.TrimSpace(key)
	}
	desk, wall := make("--name", "desk"), make("--name", "wall", "--read-only")
	if code, body := p.send("GET", sources, wall, "", "Esagate-Customer", "4711"); code != 200 || !strings.Contains(body, "meadow") {
		t.Errorf("an operator for a customer: %d %s", code, body)
	}
	for _, c := range []struct {
		key     string
		headers []string
		want    int
	}{{desk, []string{"Esagate-Customer", "4711"}, 201}, {desk, nil, 400}, {wall, []string{"Esagate-Customer", "4711"}, 403}} {
		if code, body := p.send("POST", sources, c.key, agentBody, c.headers...); code != c.want {
			t.Errorf("%q: %d %s", c.headers, code, body)
		}
	}
	for _, args := range [][]string{{"--operator", "--customer", "4711"}, {"--operator", "--customer", "0"}, {"--operator=false"}, {"--operator=false", "--customer", "0"}, {}} {
		if out, _, code := command(t, env, append([]string{"key", "new", "--config", config, "--name", "x"}, args...)...); code == 0 || out != "" {
			t.Errorf("%q made a key", args)
		}
	}
	if _, errs, code := command(t, env, "key", "new", "--config", config, "--operator", "--name", "wall"); code == 0 || !strings.Contains(errs, "a key of an operator of that name") {
		t.Errorf("the same name: %d %s", code, errs)
	}
	good(t, env, "key", "new", "--config", config, "--customer", "4711", "--name", "wall")
	list, _ := good(t, env, "key", "list", "--config", config)
	id := regexp.MustCompile(`(?m)^(\d+)\s+operator\s+wall\s+read\s`).FindStringSubmatch(list)
	if id == nil || !regexp.MustCompile(`(?m)^\d+\s+operator\s+desk\s+read and write\s`).MatchString(list) || strings.Count(list, "operator") != 2 {
		t.Fatalf("list:\n%s", list)
	}
	if told, _ := good(t, env, "key", "revoke", "--config", config, id[1]); !strings.Contains(told, "of an operator is revoked") {
		t.Errorf("said: %s", told)
	}
	eventually(t, "the key is refused", func() bool {
		code, _ := p.send("GET", sources, wall, "", "Esagate-Customer", "4711")
		return code == 401
	})
	p.stop()
}

func TestTheEncryptionKeyIsRotated(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env, "serve", "--config", config)
	if code, body := p.send("POST", sources, clearKey, agentBody); code != 201 {
		t.Fatalf("%d %s", code, body)
	}
	p.stop()
	under := func(key string) []string { return append([]string{"ENCRYPTION_KEY=" + key}, env[1:]...) }

	// Another key, or none, is told before any request.
	const other = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
	for key, want := range map[string]string{other: "encryption_key", "": "encryption_key", "short": "encryption_key"} {
		_, errs, code := command(t, under(key), "serve", "--config", config)
		if code == 0 || !strings.Contains(errs, want) || strings.Contains(errs, other) {
			t.Errorf("with key %q: %d %s", key, code, errs)
		}
	}
	rotated, told := good(t, env, "key", "rotate", "--config", config)
	rotated = strings.TrimSpace(rotated)
	if !strings.Contains(told, "--rewrite") {
		t.Errorf("what next is not said: %s", told)
	}
	p = start(t, under(rotated), "serve", "--config", config)
	if code, body := p.send("PUT", sources+"/harbour-direct", clearKey, `{"status":"ACTIVE"}`); code != 200 || !strings.Contains(body, `"authConfigured":true`) {
		t.Errorf("an old row under the new keyset: %d %s", code, body)
	}
	if _, told := good(t, under(rotated), "key", "rotate", "--rewrite", "--config", config); !regexp.MustCompile(`^[1-9]`).MatchString(told) {
		t.Errorf("rewrite: %s", told)
	}
	last, _ := good(t, under(rotated), "key", "rotate", "--drop", "--config", config)
	p.stop()
	if _, _, code := command(t, env, "key", "list", "--config", config); code == 0 {
		t.Error("the dropped key still opens the store")
	}
	p = start(t, under(strings.TrimSpace(last)), "serve", "--config", config)
	if code, _ := p.send("GET", sources+"/harbour-direct", clearKey, ""); code != 200 {
		t.Errorf("after the rotation: %d", code)
	}
	p.stop()
	if strings.Contains(p.errs.String(), "CANARY") {
		t.Error("a secret stands in the log")
	}
}

func TestMigrate(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	first, _ := good(t, env, "migrate", "--config", config)
	again, _ := good(t, env, "migrate", "--config", config)
	if !strings.Contains(first, "from version 0") || !strings.Contains(again, "up to date") {
		t.Errorf("%s%s", first, again)
	}
}
