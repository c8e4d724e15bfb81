package main_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"esagate/upstream/upstreamtest"
)

const (
	demoKey      = "esagate-demo-key"
	demoOperator = "esagate-demo-operator"
)

// demo is a demo that runs.
type demo struct {
	*process
	printed string
	agent   string // its address
}

// startDemo runs the demo on a free port until the test ends.
func startDemo(t *testing.T, input *os.File, env []string, args ...string) *demo {
	t.Helper()
	d := &demo{process: launchReading(t, input, env, append([]string{"demo"}, args...)...)}
	d.printed = d.process.printed("Ctrl-C ends it.")
	d.base = "http" + found(t, d.printed, `The wall +http(\S+)/ops`)
	d.agent = "http" + found(t, d.printed, `http(\S+)/_agent/scene`)
	for line := range strings.Lines(d.printed) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	return d
}

// found gives the first group of a pattern that a text must have.
func found(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in\n%s", pattern, text)
	}
	return m[1]
}

// play plays a scene over HTTP, and gives what is said of it.
func (d *demo) play(scene string) string {
	d.t.Helper()
	resp, err := http.Post(d.agent+"/_agent/scene/"+scene, "", nil)
	must(d.t, err)
	defer func() { _ = resp.Body.Close() }()
	told, err := io.ReadAll(resp.Body)
	must(d.t, err)
	if resp.StatusCode != 200 {
		d.t.Errorf("scene %s: %d %s", scene, resp.StatusCode, told)
	}
	return string(told)
}

// row is a source in an overview.
type row struct {
	SourceID, State, Breaker, Since string
	Age                             *int
	Stale                           bool
	CustomerID                      int64
	History                         []struct{ State string }
}

// rows gives how all sources of the demo stand, as an operator sees them.
func (d *demo) rows() map[string]row {
	d.t.Helper()
	var answer struct{ Items []row }
	code, _, body := d.get(storefront+"/overview?include=history", demoOperator)
	if err := json.Unmarshal([]byte(body), &answer); code != 200 || err != nil {
		d.t.Fatalf("overview: %d %s", code, body)
	}
	rows := map[string]row{}
	for _, r := range answer.Items {
		rows[r.SourceID] = r
	}
	return rows
}

func TestDemo(t *testing.T) {
	d := startDemo(t, nil, nil, "--address", "127.0.0.1:0")
	if strings.Contains(d.printed, "type a number") {
		t.Errorf("nobody can type, and it says\n%s", d.printed)
	}
	for _, s := range upstreamtest.Sources() {
		if !regexp.MustCompile(s.SourceID + ` +` + s.State + ` +` + regexp.QuoteMeta(s.LookAt)).MatchString(d.printed) {
			t.Errorf("%s is not as the demo says", s.SourceID)
		}
		var r row
		eventually(t, s.SourceID+" is "+s.State, func() bool { r = d.rows()[s.SourceID]; return r.State == s.State })
		if r.CustomerID != s.CustomerID || len(r.History) == 0 || r.History[len(r.History)-1].State != s.State {
			t.Errorf("%s: %+v", s.SourceID, r)
		}
		if s.CustomerID != upstreamtest.FirstCustomer {
			if code, _, _ := d.get(statusPath(s.SourceID), demoKey); code != 404 {
				t.Errorf("another customer's %s: %d", s.SourceID, code)
			}
			continue
		}
		if code, _, body := d.get(statusPath(s.SourceID), demoKey); code != 200 || strings.Contains(body, "CANARY") {
			t.Errorf("%s: %d %s", s.SourceID, code, body)
		}
	}
	d.looks(t, demoKey)
	d.calls(t, demoKey)
	d.play("agent-unplugged")
	if code, _, _ := d.get(statusPath("harbour-news"), demoKey); code != 200 {
		t.Errorf("a known source without the sales agent: %d", code)
	}
	runs := strings.TrimSuffix(statusPath("lighthouse-radio"), "status") + "sync-history"
	if code, header, _ := d.get(runs, demoKey); code != 503 || header.Get("Retry-After") == "" {
		t.Errorf("what was never read before, without the sales agent: %d %v", code, header)
	}
	if code, _, _ := d.get("/readyz", ""); code != 200 {
		t.Errorf("/readyz: %d", code)
	}
	d.stop()
	if strings.Contains(d.errs.String(), "CANARY") {
		t.Error("a planted secret stands in the log")
	}
}

// TestDemoCommands: each command that it prints does what it says when it is pasted, with jq and without,
// and leaves the next prompt on a line of its own.
func TestDemoCommands(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl to try them with")
	}
	for name, c := range map[string]struct {
		env   []string
		wants []string
	}{
		"with jq": {nil, []string{"granite-video", "sources can't sell", `"isLive": false`, "Etag: ", `"inventory": "sync_`, "/launch/"}},
		"without": {[]string{"PATH=" + t.TempDir()}, []string{"granite-video", `{"headline":"`, `"isLive":false`, "Etag: ", `"inventory":"sync_`, "/launch/"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath("jq"); err != nil && c.env == nil {
				t.Skip("no jq")
			}
			d := startDemo(t, nil, c.env, "--address", "127.0.0.1:0")
			eventually(t, "the slowest source has been read", func() bool { return d.rows()["slow-river"].State == "live" })
			commands := regexp.MustCompile(`(?m)^  # .+\n((?:.+\n)+)`).FindAllStringSubmatch(d.printed, -1)
			if len(commands) != len(c.wants) {
				t.Fatalf("%d commands in\n%s", len(commands), d.printed)
			}
			for i, want := range c.wants {
				line := strings.TrimSpace(commands[i][1])
				cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
				out, err := cmd.CombinedOutput()
				code := cmd.ProcessState.ExitCode()
				if i == 0 && code == 1 { // a source is down
					err = nil
				}
				if err != nil || !strings.Contains(string(out), want) || !strings.HasSuffix(string(out), "\n") || strings.Count(line, "\n") > 1 {
					t.Errorf("%s\n%d %s", line, code, out)
				}
			}
			eventually(t, "the source that was synced is live", func() bool { return d.rows()["loft-living"].State == "live" })
			d.stop()
		})
	}
}

// TestDemoScenes: each scene that is played over HTTP reaches what it promises, and once the sales agent is
// back all is fresh. Nobody has a wall open; what the overview says must change all the same.
func TestDemoScenes(t *testing.T) {
	d := startDemo(t, nil, nil, "--address", ":0")
	if !strings.HasPrefix(d.base, "http://127.0.0.1:") {
		t.Errorf("nobody can sign in at %s", d.base)
	}
	resp, err := http.Get(d.agent + "/_agent/scene")
	must(t, err)
	list, err := io.ReadAll(resp.Body)
	must(t, err)
	_ = resp.Body.Close()
	for _, s := range upstreamtest.Scenes() {
		if !strings.Contains(string(list), s.Name) || !strings.Contains(d.printed, s.Name) {
			t.Errorf("%s is not listed", s.Name)
		}
	}
	fresh := func(r row) bool { return !r.Stale && r.Breaker == "closed" && r.Age != nil && *r.Age < 10 }
	begins := map[string]string{}
	for _, s := range upstreamtest.Sources() {
		begins[s.SourceID] = s.State
	}
	for _, c := range []struct {
		scene, told string
		harbour     string
		all         func(row) bool // nil: fresh
	}{
		{"ad-server-refusing", "Harbour News", "down", nil},
		{"sync-failing", "webhook", "degraded", nil},
		{"healthy", "live", "live", nil},
		{"agent-slow", "4 s", "live", func(r row) bool { return !r.Stale }},
		{"recovery", "fresh", "live", nil},
		{"agent-unplugged", "can't be reached", "live", func(r row) bool { return r.Stale && r.Breaker == "open" }},
		{"recovery", "fresh", "live", nil},
		{"start", "began", "live", nil},
	} {
		told := d.play(c.scene)
		if !strings.Contains(told, c.told) {
			t.Errorf("%s tells: %s", c.scene, told)
		}
		all := c.all
		if all == nil {
			all = fresh
		}
		eventually(t, c.scene, func() bool {
			for _, r := range d.rows() {
				want := "live"
				switch {
				case r.SourceID == "harbour-news":
					want = c.harbour
				case c.scene == "start":
					want = begins[r.SourceID]
				}
				if r.State != want || !all(r) {
					return false
				}
			}
			return true
		})
	}
	d.stop()
	if log := d.errs.String(); log != "" {
		t.Errorf("between its words the log says\n%s", log)
	}
}

// TestDemoReadsScenes: scenes are chosen by lines of the standard input, whose end ends nothing.
func TestDemoReadsScenes(t *testing.T) {
	input, output, err := os.Pipe()
	must(t, err)
	defer func() { _ = input.Close() }()
	d := startDemo(t, input, nil, "--address", "127.0.0.1:0")
	if !strings.Contains(d.printed, "type a number and Enter") {
		t.Errorf("it does not say that it reads:\n%s", d.printed)
	}
	for typed, told := range map[string]string{
		"5": "The inventory sync of Harbour News fails", "99": "There is no scene 99: type a number from 1 to 7.",
		" ": "", "a\x1bb": "There is no scene a\ufffdb",
	} {
		_, err = io.WriteString(output, typed+"\n")
		must(t, err)
		d.process.printed(told)
	}
	eventually(t, "the scene is played", func() bool { return d.rows()["harbour-news"].State == "degraded" })
	must(t, output.Close())
	d.signal(syscall.Signal(21)) // as one gets who reads a terminal in the background
	eventually(t, "it goes on", func() bool { code, _, _ := d.get("/readyz", ""); return code == 200 })
	d.stop()
}

// TestDemoPortTaken: without a wish it moves to a free port and says so; what was wished for and is taken
// is told in a line.
func TestDemoPortTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:8080")
	if err == nil { // else somebody else has it
		defer func() { _ = l.Close() }()
	}
	d := startDemo(t, nil, nil)
	if !strings.Contains(d.printed, "127.0.0.1:8080 is taken") || !strings.Contains(d.printed, d.base) || strings.HasSuffix(d.base, ":8080") {
		t.Errorf("it says\n%s", d.printed)
	}
	address := strings.TrimPrefix(d.base, "http://")
	out, errs, code := command(t, nil, "demo", "--address", address)
	if want := "esagate: " + address + " is taken by another process"; code != 1 || out != "" || !strings.HasPrefix(errs, want) ||
		!strings.Contains(errs, "--address 127.0.0.1:0") || strings.Count(errs, "\n") != 1 {
		t.Errorf("%d %s %s", code, out, errs)
	}
	d.stop()
}

// TestDemoOrigins: pages of this machine may ask the demo, whatever their port, and no others.
func TestDemoOrigins(t *testing.T) {
	d := startDemo(t, nil, nil, "--address", "127.0.0.1:0")
	for origin, may := range map[string]bool{
		"http://localhost:3000": true, "http://127.0.0.1:5173": true, "http://localhost": true, "http://[::1]:8000": true,
		"https://example.com": false, "http://localhost.example.com": false, "http://example.com:8080": false, "null": false,
		"http://localhosts:3000": false, "https://localhost:3000": false,
	} {
		want := ""
		if may {
			want = origin
		}
		_, resp, _, err := d.do("OPTIONS", storefront+"/overview", "", "", "Origin", origin,
			"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
		must(t, err)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("preflight of %s: %v", origin, resp.Header)
		}
		_, resp, _, err = d.do("GET", storefront+"/overview", demoKey, "", "Origin", origin)
		must(t, err)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || resp.StatusCode != 200 {
			t.Errorf("%s: %d %v", origin, resp.StatusCode, resp.Header)
		}
	}
	d.stop()
}

// TestDemoVerbose: it logs requests where that is wanted, and else nothing while all is well.
func TestDemoVerbose(t *testing.T) {
	for _, verbose := range []bool{false, true} {
		args := []string{"--address", "127.0.0.1:0"}
		if verbose {
			args = append(args, "--verbose")
		}
		d := startDemo(t, nil, nil, args...)
		if code, _, _ := d.get(statusPath("harbour-news"), demoKey); code != 200 {
			t.Errorf("%d", code)
		}
		line := regexp.MustCompile(`(?m)^.*msg=request .*method=GET route=\S+/status status=200 duration_ms=[0-9.]+ source_id=harbour-news .*$`)
		if verbose {
			eventually(t, "the request is logged", func() bool { return line.MatchString(d.errs.String()) })
		}
		d.stop()
		log := d.errs.String()
		if !verbose && log != "" || strings.Contains(log, "esagate-demo-key") || strings.Contains(log, "esagate-demo-operator") {
			t.Errorf("verbose: %v, and the log says\n%s", verbose, log)
		}
	}
}

// TestDemoLeavesNothing: its database goes with it.
func TestDemoLeavesNothing(t *testing.T) {
	folder := t.TempDir()
	d := startDemo(t, nil, []string{"TMPDIR=" + folder}, "--address", "127.0.0.1:0")
	if left, err := filepath.Glob(filepath.Join(folder, "*", "*")); err != nil || len(left) == 0 {
		t.Errorf("it has %v in its folder, %v", left, err)
	}
	d.stop()
	if left, err := filepath.Glob(filepath.Join(folder, "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
