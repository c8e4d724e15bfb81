package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// looks asks a demo how its sources stand, as people do in a terminal.
func (p *process) looks(t *testing.T, key string) {
	t.Helper()
	env := []string{"ESAGATE_URL=" + p.base, "ESAGATE_KEY=" + key}
	var out string
	var code int
	eventually(t, "the wall shows every source", func() bool {
		out, _, code = command(t, env, "status")
		return !strings.Contains(out, "unknown")
	})
	if code != 1 || !strings.Contains(out, "\ndown ") || strings.Contains(out, "\x1b") || !strings.Contains(out, "harbour-news") {
		t.Errorf("status: %d\n%s", code, out)
	}
	keyFile := filepath.Join(t.TempDir(), "key")
	must(t, os.WriteFile(keyFile, []byte(key+"\n"), 0o600))
	for _, c := range []struct {
		line, out, errs string
		code            int
	}{
		{"status --state live,pending --color always", "\x1b[32mlive\x1b[0m", "", 0},
		{"status --state down", "granite-video", "", 1},
		{"status harbour-news", "state     live", "", 0},
		{"status granite-video --json", `{"sourceId":"granite-video"`, "", 1},
		{"status --json --state live", `{"headline":`, "", 0},
		{"status harbour-new", "", "there is no source harbour-new: did you mean harbour-news?", 2},
		{"status --state gone", "", "--state must be of down, blocked", 2},
		{"status --customer 0", "", "--customer must be a positive number", 2},
		{"status --colour", "", `did you mean "--color"?`, 2},
		{"status --key wrong-CANARY", "", "the gateway does not know this key", 2},
		{"status --key-file " + keyFile + " --state live", "harbour-news", "", 0},
		{"status --key-file " + keyFile + "s", "", "there is no file " + keyFile + "s: did you mean " + keyFile + "?", 2},
		{"status --url http://127.0.0.1:1", "", "nobody listens at 127.0.0.1:1", 2},
		{"health --url " + p.base, "", "", 0},
		{"health --live --address " + strings.TrimPrefix(p.base, "http://"), "", "", 0},
	} {
		out, errs, code := command(t, env, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs, c.errs) || c.errs == "" && errs != "" ||
			c.code == 2 && out != "" || strings.Contains(out+errs, "CANARY") || strings.Contains(errs, key) {
			t.Errorf("esagate %s: %d\n-- out: %s\n-- err: %s", c.line, code, out, errs)
		}
	}
}

// TestDemosKeyIsNoOther: who tries the demo's key on a gateway is told what it is.
func TestDemosKeyIsNoOther(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env, "serve", "--config", config)
	if _, errs, code := command(t, []string{"ESAGATE_KEY=esagate-demo-key"}, "status", "--url", p.base); code != 2 || !strings.Contains(errs, "only esagate demo knows") {
		t.Errorf("%d %s", code, errs)
	}
	// The listener's own variable is what a health check in the same container asks by.
	address := strings.TrimPrefix(p.base, "http://")
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	for _, listens := range []string{address, "0.0.0.0:" + port, ":" + port} {
		good(t, []string{"ESAGATE_SERVER_ADDRESS=" + listens}, "health")
	}
	taken := append(env, "ESAGATE_SERVER_ADDRESS="+address)
	if _, errs, code := command(t, taken, "serve", "--config", config); code != 1 || !strings.Contains(errs, address+" is taken by another process") {
		t.Errorf("a second gateway: %d %s", code, errs)
	}
	p.stop()
	if out, errs, code := command(t, nil, "health", "--url", p.base); code != 1 || out != "" || !strings.Contains(errs, "no answer from") {
		t.Errorf("the health of none: %d %s %s", code, out, errs)
	}
	for _, args := range []string{"--address 8080", "--url 127.0.0.1", "--url http://u:p@a"} {
		if _, _, code := command(t, nil, append([]string{"health"}, strings.Fields(args)...)...); code != 2 {
			t.Errorf("health %s: %d", args, code)
		}
	}
}

// TestHints: what is missing is named, with what it was perhaps meant to be.
func TestHints(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	folder := filepath.Dir(config)
	for _, c := range []struct {
		old, new string
		file     string
		want     string
	}{
		{"", "", folder + "/config.yml", "there is no file " + folder + "/config.yml: did you mean " + folder + "/config.yaml?"},
		{"", "", folder + "/none/config.yaml", "there is no file " + folder + "/none/config.yaml\n"},
		{"server: {address:", "server: {adress:", config, config + ":2:10: server.adress: unknown key: did you mean address?"},
		{"auth: {keys:", "auth: {\n  keys: 1, kyes:", config, ":6:3: auth.keys: must be a list"},
		{"127.0.0.1:0", "nothing", config, config + ":2:10: server.address: must be host:port"},
	} {
		text, err := os.ReadFile(config)
		must(t, err)
		if c.old != "" {
			edit(t, config, c.old, c.new)
		}
		_, errs, code := command(t, env, "check", "--config", c.file)
		if code != 2 || !strings.Contains(errs, c.want) {
			t.Errorf("%d %s\nwant %s", code, errs, c.want)
		}
		must(t, os.WriteFile(config, text, 0o600))
	}
	edit(t, config, "sqlite://"+folder, "sqlite://"+folder+"/none")
	for _, name := range []string{"serve", "migrate"} {
		if _, errs, code := command(t, env, name, "--config", config); code != 1 || !strings.Contains(errs, "there is no folder "+folder+"/none for the database esagate.db") {
			t.Errorf("%s: %d %s", name, code, errs)
		}
	}
}
