package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"esagate/upstream/upstreamtest"
)

// replace renames a changed config into the place of the old one, as editors and Kubernetes do.
func replace(t *testing.T, config string, oldnew ...string) {
	t.Helper()
	text, err := os.ReadFile(config)
	must(t, err)
	changed := strings.NewReplacer(oldnew...).Replace(string(text))
	if changed == string(text) {
		t.Fatalf("nothing to replace by %q", oldnew)
	}
	next := filepath.Join(t.TempDir(), "next.yaml")
	must(t, os.WriteFile(next, []byte(changed), 0o600))
	must(t, os.Rename(next, config))
}

// reload sends SIGHUP and gives what the log has said when a line with end came.
func (p *process) reload(end string) string {
	p.t.Helper()
	before := len(p.errs.String())
	p.signal(syscall.SIGHUP)
	eventually(p.t, "the log says "+end, func() bool { return strings.Contains(p.errs.String()[before:], end) })
	return p.errs.String()[before:]
}

const (
	reloaded    = "the config was reloaded"
	notReloaded = "the config was not reloaded"
	anotherKey  = "another-key-CANARY-1234567890"
)

func TestReload(t *testing.T) {
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	edit(t, config, "\nserver: {", "\ntelemetry: {log_level: warn}\nserver: {",
		"keys: [", `keys: [{name: guest, customer_id: 4711, key: guest-key-CANARY-123456}, `)
	p := start(t, append(env[:3:3], "ESAGATE_TELEMETRY_LOG_LEVEL=info"), "serve", "--config", config)
	want := func(who, key string, code int) string {
		t.Helper()
		got, header, body := p.get(statusPath("meadow"), key)
		if got != code {
			t.Errorf("%s: %d %s, want %d", who, got, body, code)
		}
		return header.Get("ETag") + body
	}
	before := want("a key", clearKey, 200)

	// Keys, tasks.
	replace(t, config, `access: write, key: "${STOREFRONT_KEY}"`, `access: read, key: "`+anotherKey+`"`,
		"name: guest, customer_id: 4711", "name: guest, customer_id: 4712",
		"telemetry:", "limits: {writes: {burst: 7}}\nplatform_tasks: [{id: payout, name: Payout details, severity: blocker, complete_when: 'false'}]\ntelemetry:")
	said := p.reload(reloaded)
	if strings.Contains(said, "CANARY") || !strings.Contains(said, `"field":"limits.writes.burst, platform_tasks, auth.keys"`) {
		t.Errorf("the log says %s", said)
	}
	want("a key that is gone", clearKey, 401)
	want("a key of another customer now", "guest-key-CANARY-123456", 404)
	after := want("a new key", anotherKey, 200)
	if etag, _, _ := strings.Cut(after, "{"); strings.HasPrefix(before, etag) || !strings.Contains(after, `"id":"payout"`) {
		t.Errorf("the new task shows not in %s (before: %s)", after, before)
	}
	_, resp, body, err := p.do("POST", sources, anotherKey, agentBody)
	must(t, err)
	if resp.StatusCode != 403 || resp.Header.Get("RateLimit-Policy") != `"writes";q=7;w=1` {
		t.Errorf("a key that may read alone now, and the new limit: %d %v %s", resp.StatusCode, resp.Header, body)
	}

	// A file with a fault: all stays, whatever is good in it.
	good, err := os.ReadFile(config)
	must(t, err)
	replace(t, config, anotherKey, "a-third-key-CANARY-1234567890", "severity: blocker", "severity: CANARY")
	said = p.reload(notReloaded)
	if strings.Contains(said, "CANARY") || !strings.Contains(said, `"field":"platform_tasks[0].severity","line":3,"note":"must be`) {
		t.Errorf("the log says %s", said)
	}
	want("the key in use", anotherKey, 200)
	want("a key of a bad file", "a-third-key-CANARY-1234567890", 401)
	metric := func(value string) {
		t.Helper()
		eventually(t, "esagate_config_last_reload_successful "+value, func() bool { // a page serves all for a second
			_, _, page := p.get("/metrics", "")
			return strings.Contains(page, "\nesagate_config_last_reload_successful "+value+"\n")
		})
	}
	metric("0")
	must(t, os.Remove(config))
	p.reload("does not exist")
	want("without a file", anotherKey, 200)

	// What takes a restart is named, once, and no value of it.
	must(t, os.WriteFile(config, good, 0o600))
	replace(t, config, "tnt_meadow", "tnt_CANARY", `store: {`, `snapshot: {fresh: 7s}`+"\nstore: {", "name: guest, customer_id: 4712", "name: guest, scope: operator")
	said = p.reload(reloaded)
	if strings.Count(said, `"field":"snapshot.fresh, sources"`) != 1 || strings.Contains(said, "CANARY") ||
		!strings.Contains(said, "needs a restart") {
		t.Errorf("the log says %s", said)
	}
	metric("1")
	want("an operator's key now", "guest-key-CANARY-123456", 400)
	if code, body := p.send("GET", statusPath("meadow"), "guest-key-CANARY-123456", "", "Esagate-Customer", "4711"); code != 200 {
		t.Errorf("an operator for a customer: %d %s", code, body)
	}
	p.stop()
	if strings.Contains(p.errs.String(), "CANARY") {
		t.Error("a planted secret stands in the log")
	}
}

func TestReloadOfTheLogLevel(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env[:3], "serve", "--config", config)
	ask := func() { p.get("/api/v2/storefront/inventory-sources", clearKey) }
	const line = `"level":"DEBUG","msg":"request"`
	ask()
	if strings.Contains(p.errs.String(), `"level":"DEBUG"`) {
		t.Fatalf("debug lines at first: %s", p.errs.String())
	}
	replace(t, config, "\nserver: {", "\ntelemetry: {log_level: debug}\nserver: {")
	p.reload(reloaded)
	ask()
	eventually(t, "requests are logged", func() bool { return strings.Contains(p.errs.String(), line) })
	p.stop()
}

// TestAHangUpNeverEndsTheProcess sends SIGHUP while it starts, which is held up at a config that is
// a pipe, often while it serves, and while it stops.
func TestAHangUpNeverEndsTheProcess(t *testing.T) {
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	text, err := os.ReadFile(config)
	must(t, err)
	pipe := filepath.Join(t.TempDir(), "config.yaml")
	must(t, syscall.Mkfifo(pipe, 0o600))
	feed := func(in *os.File, text string) {
		_, err := in.WriteString(text)
		must(t, err)
		must(t, in.Close())
	}
	open := func() *os.File { // waits for the reader
		in, err := os.OpenFile(pipe, os.O_WRONLY, 0)
		must(t, err)
		return in
	}
	p := launch(t, append(env, "ESAGATE_SERVER_SHUTDOWN_DELAY=5m"), "serve", "--config", pipe)
	in := open()
	p.signal(syscall.SIGHUP)
	feed(in, string(text))
	p.serves()
	feed(open(), strings.Replace(string(text), "${STOREFRONT_KEY}", anotherKey, 1))
	eventually(t, "the new key is known", func() bool { code, _ := p.send("GET", sources, anotherKey, ""); return code == 200 })

	in = nil
	for range 100 {
		p.signal(syscall.SIGHUP)
		if in == nil {
			in = open() // the reload is under way: what comes now is one more
		}
	}
	feed(in, string(text))
	eventually(t, "the old key is known again", func() bool { code, _ := p.send("GET", sources, clearKey, ""); return code == 200 })
	feed(open(), string(text))

	// In its delay it reads the config once more, which never comes: no stop waits for that.
	p.signal(syscall.SIGTERM)
	eventually(t, "it is not ready", func() bool { code, _ := p.send("GET", "/readyz", "", ""); return code == 503 })
	for range 100 {
		p.signal(syscall.SIGHUP)
	}
	p.signal(syscall.SIGTERM)
	p.signal(syscall.SIGHUP)
	p.ends()
}

func TestShutdownDelay(t *testing.T) {
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	delayed := func(delay string) *process {
		return start(t, append(env, "ESAGATE_SERVER_SHUTDOWN_DELAY="+delay), "serve", "--config", config)
	}
	p := delayed("5m")
	p.signal(syscall.SIGTERM)
	eventually(t, "it is not ready", func() bool {
		code, body := p.send("GET", "/readyz", "", "", "Connection", "close")
		return code == 503 && strings.Contains(body, `"status":"stopping"`)
	})
	if code, body := p.send("GET", statusPath("meadow"), clearKey, "", "Connection", "close"); code != 200 {
		t.Errorf("a new connection in the delay: %d %s", code, body)
	}
	if code, body := p.send("POST", sources, clearKey, agentBody); code != 201 {
		t.Errorf("a write in the delay: %d %s", code, body)
	}
	p.stop() // a second signal ends the delay

	p = delayed("100ms")
	p.stop()
	for _, log := range []string{"to be stopped", `"msg":"stopping"`, `"msg":"stopped"`} {
		if !strings.Contains(p.errs.String(), log) {
			t.Errorf("no %s in %s", log, p.errs.String())
		}
	}
}
