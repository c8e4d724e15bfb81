package main_test

import (
	"regexp"
	"strings"
	"syscall"
	"testing"

	"esagate/upstream/upstreamtest"
)

// TestAdminListener: with server.admin_address the process has two listeners, of which the operator's alone has
// metrics, details and profiles, and stays to the end of a delayed stop.
func TestAdminListener(t *testing.T) {
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	p := start(t, append(env, "ESAGATE_SERVER_ADMIN_ADDRESS=127.0.0.1:0", "ESAGATE_SERVER_SHUTDOWN_DELAY=5m"), "serve", "--config", config)
	line := regexp.MustCompile(`"msg":"admin listener","address":"([^"]+)"`)
	eventually(t, "the log has the address", func() bool { return line.MatchString(p.errs.String()) })
	admin := &process{t: t, base: "http://" + line.FindStringSubmatch(p.errs.String())[1]}
	ask := func(on *process, path string, code int, text string) {
		t.Helper()
		if got, body := on.send("GET", path, clearKey, ""); got != code || !strings.Contains(body, text) {
			t.Errorf("%s%s: %d %.200s", on.base, path, got, body)
		}
	}
	for path, text := range map[string]string{"/metrics": "esagate_ready 1", "/debug/pprof/heap?debug=1": "heap profile"} {
		ask(p, path, 404, "NOT_FOUND")
		ask(admin, path, 200, text)
	}
	ask(p, "/readyz", 200, `{"status":"ready"}`)
	ask(admin, "/readyz", 200, `"store":"ok"`)
	ask(p, statusPath("meadow"), 200, "fetchedAt")
	ask(admin, statusPath("meadow"), 404, "NOT_FOUND")

	p.signal(syscall.SIGTERM)
	eventually(t, "it is not ready", func() bool { code, _ := p.send("GET", "/readyz", "", ""); return code == 503 })
	ask(admin, "/readyz", 503, `"store":"ok"`)
	eventually(t, "the metrics say so", func() bool { // a page serves for a second
		_, page := admin.send("GET", "/metrics", "", "")
		return strings.Contains(page, "esagate_ready 0")
	})
	ask(p, statusPath("meadow"), 200, "fetchedAt")
	p.stop() // a second signal ends the delay
	if code, _ := admin.send("GET", "/healthz", "", ""); code != 0 {
		t.Errorf("after the stop: %d", code)
	}
}

// TestAdminListenerIsTaken: a start that can't have its second listener fails, and says so.
func TestAdminListenerIsTaken(t *testing.T) {
	_, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	p := start(t, env, "serve", "--config", config)
	taken := strings.TrimPrefix(p.base, "http://")
	if _, said, code := command(t, append(env, "ESAGATE_SERVER_ADMIN_ADDRESS="+taken), "serve", "--config", config); code != 1 || !strings.Contains(said, taken+" is taken by another process") {
		t.Errorf("%d %s", code, said)
	}
	p.stop()
}
