package main_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"esagate/api/apitest"
	"esagate/internal/browsertest"
	"esagate/internal/pgtest"
	"esagate/upstream/upstreamtest"
)

// The tests here drive the built binary as an operator does.

const (
	clearKey      = "a-storefront-key-CANARY-123456"
	agentKey      = "an-agent-key-CANARY-1234567890"
	encryptionKey = "Q0FOQVJZIGlzIG5vIGdvb2Qgc2VjcmV0IGluIGhlcmU=" // CANARY in base64
	patience      = 30 * time.Second                               // for a process to do what it should; not a measure
)

var binary string

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "esagate-test-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "esagate")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s\n", out)
		panic(err)
	}
	code := m.Run()
	browsertest.Stop()
	_ = pgtest.StopShared()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// process is a running esagate.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	base   string
	out    safeBuffer
	errs   safeBuffer
	exited chan error

	serving chan string // its address
}

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string { b.mu.Lock(); defer b.mu.Unlock(); return b.buf.String() }

// start runs the binary and waits until it serves.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := launch(t, env, args...)
	p.serves()
	return p
}

// launch runs the binary, without an input.
func launch(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return launchReading(t, nil, env, args...)
}

// launchReading runs the binary with a file for its standard input.
func launchReading(t *testing.T, input *os.File, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, exited: make(chan error, 1), serving: make(chan string, 1)}
	p.cmd = exec.Command(binary, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout = &p.out
	if input != nil {
		p.cmd.Stdin = input
	}
	pipe, err := p.cmd.StderrPipe()
	must(t, err)
	must(t, p.cmd.Start())
	go func() {
		address := regexp.MustCompile(`"?address"?[=:]"?(127\.0\.0\.1:\d+)`)
		lines := bufio.NewScanner(pipe)
		for lines.Scan() {
			fmt.Fprintln(&p.errs, lines.Text())
			if m := address.FindStringSubmatch(lines.Text()); m != nil && strings.Contains(lines.Text(), "serving") {
				p.serving <- m[1]
			}
		}
		p.exited <- p.cmd.Wait()
	}()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// serves waits until the process serves.
func (p *process) serves() {
	p.t.Helper()
	select {
	case address := <-p.serving:
		p.base = "http://" + address
	case err := <-p.exited:
		p.t.Fatalf("ended at once: %v\n%s", err, p.errs.String())
	case <-time.After(patience):
		p.t.Fatalf("does not serve:\n%s", p.errs.String())
	}
}

func (p *process) signal(s os.Signal) {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(s))
}

// stop sends SIGTERM and wants a clean exit.
func (p *process) stop() {
	p.t.Helper()
	p.signal(syscall.SIGTERM)
	p.ends()
}

// ends wants a clean exit.
func (p *process) ends() {
	p.t.Helper()
	select {
	case err := <-p.exited:
		if err != nil {
			p.t.Errorf("exit: %v\n%s", err, p.errs.String())
		}
	case <-time.After(patience):
		p.t.Errorf("does not stop:\n%s", p.errs.String())
	}
}

// get asks with a key and holds the answer against the contract.
func (p *process) get(path, key string) (int, http.Header, string) {
	p.t.Helper()
	r, resp, body, err := p.do("GET", path, key, "")
	must(p.t, err)
	apitest.Validate(p.t, r, resp.StatusCode, resp.Header, []byte(body))
	return resp.StatusCode, resp.Header, body
}

// send asks with a key; the code is 0 when no whole answer came.
func (p *process) send(method, path, key, body string, headers ...string) (int, string) {
	p.t.Helper()
	_, resp, answer, err := p.do(method, path, key, body, headers...)
	if err != nil {
		return 0, ""
	}
	return resp.StatusCode, answer
}

// do sends a request with a key, and headers in pairs.
func (p *process) do(method, path, key, body string, headers ...string) (*http.Request, *http.Response, string, error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, strings.NewReader(body))
	must(p.t, err)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	return r, resp, string(answer), err
}

// printed waits until the process has written something to its standard output,
// which reaches us on another way than its log.
func (p *process) printed(end string) string {
	p.t.Helper()
	eventually(p.t, "it prints "+end, func() bool { return strings.Contains(p.out.String(), end) })
	return p.out.String()
}

func statusPath(source string) string {
	return "/api/v2/storefront/inventory-sources/" + source + "/status"
}

// write makes a config before a simulated agent.
func write(t *testing.T, agentURL string) (config string, env []string) {
	t.Helper()
	folder := t.TempDir()
	config = filepath.Join(folder, "config.yaml")
	text := fmt.Sprintf(`
server: {address: "127.0.0.1:0"}
upstream: {base_url: %q, api_key: "${AGENT_KEY}"}
store: {url: %q, encryption_key: "${ENCRYPTION_KEY}"}
auth: {keys: [{name: storefront, customer_id: 4711, access: write, key: "${STOREFRONT_KEY}"}]}
sources: [{source_id: meadow, customer_id: 4711, tenant_id: tnt_meadow, ad_server: {type: google_ad_manager, network_code: "123"}}]
`, agentURL, "sqlite://"+filepath.Join(folder, "esagate.db"))
	must(t, os.WriteFile(config, []byte(text), 0o600))
	return config, []string{"ENCRYPTION_KEY=" + encryptionKey, "AGENT_KEY=" + agentKey, "STOREFRONT_KEY=" + clearKey, "ESAGATE_TELEMETRY_LOG_LEVEL=debug"}
}

// edit replaces texts of a config: old, new, old, new …
func edit(t *testing.T, config string, oldnew ...string) {
	t.Helper()
	text, err := os.ReadFile(config)
	must(t, err)
	must(t, os.WriteFile(config, []byte(strings.NewReplacer(oldnew...).Replace(string(text))), 0o600))
}

// simulate starts a simulated sales agent with one tenant, and writes a config for a
// gateway before it. The agent's server is closed with the test, or before.
func simulate(t *testing.T, o upstreamtest.Options, status upstreamtest.Status) (
	agent *upstreamtest.Agent, unplug func(), config string, env []string,
) {
	t.Helper()
	o.APIKey = agentKey
	agent = upstreamtest.New(o)
	agent.SetTenant(upstreamtest.Tenant{ID: "tnt_meadow", ExternalOrgID: "org", Active: true, Status: status})
	server, err := agent.Listen("127.0.0.1:0")
	must(t, err)
	unplug = func() { _ = server.Close() }
	t.Cleanup(func() { agent.Close(); unplug() })
	config, env = write(t, server.URL())
	return agent, unplug, config, env
}

func TestServe(t *testing.T) {
	_, unplug, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.NewerBuild())
	p := start(t, env, "serve", "--config", config)
	code, _, before := p.get(statusPath("meadow"), clearKey)
	if code != 200 {
		t.Errorf("status: %d %s", code, before)
	}
	p.stop()

	// What is known outlives the process, and the sales agent.
	unplug()
	again := start(t, env, "serve", "--config", config)
	code, _, body := again.get("/api/v2/storefront/inventory-sources/meadow/esa", clearKey)
	if code != 200 || !strings.Contains(body, `"inventorySync":{"status":"success"`) {
		t.Errorf("esa after a restart: %d %s", code, body)
	}
	code, header, body := again.get(statusPath("meadow"), clearKey)
	fetchedAt := regexp.MustCompile(`"fetchedAt":"[^"]+"`)
	if code != 200 || header.Get("Age") == "" || fetchedAt.FindString(body) != fetchedAt.FindString(before) {
		t.Errorf("status without the sales agent: %d %s", code, body)
	}
	again.stop()

	// What the config asks for and does not get is told.
	edit(t, config, "tnt_meadow", "tnt_other", `network_code: "123"`, `network_code: "456"`)
	drifted := start(t, env, "serve", "--config", config)
	drifted.stop()
	for _, field := range []string{"tenant_id", "ad_server"} {
		if !strings.Contains(drifted.errs.String(), `"source_id":"meadow","esa_id":1000,"field":"`+field+`"`) {
			t.Errorf("no word of the changed %s:\n%s", field, drifted.errs.String())
		}
	}
	for _, log := range []string{p.errs.String(), again.errs.String()} {
		if strings.Contains(log, "CANARY") || !strings.Contains(log, `"msg":"stopping"`) {
			t.Errorf("log: %s", log)
		}
	}
}

// TestATenantIsOffAtTheSalesAgent: it is asked about from the start on, also where polling is off.
func TestATenantIsOffAtTheSalesAgent(t *testing.T) {
	agent, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	agent.SetActive("tnt_meadow", false)
	p := start(t, append(env, "ESAGATE_RECONCILE_INTERVAL=0"), "serve", "--config", config)
	eventually(t, "the source is shown as deactivated", func() bool {
		_, _, body := p.get(sources+"/meadow", clearKey)
		return strings.Contains(body, `"status":"DISABLED"`)
	})
	if _, _, body := p.get("/audit", clearKey); !strings.Contains(body, `"actor":"sales agent","operator":false,"operation":"tenantDeactivated"`) {
		t.Errorf("the audit says %s", body)
	}
	p.stop()
}

func TestRequestsInFlightAreFinishedOnSIGTERM(t *testing.T) {
	agent, _, config, env := simulate(t, upstreamtest.Options{}, upstreamtest.Healthy())
	p := start(t, env, "serve", "--config", config)
	agent.Fault("tnt_meadow", upstreamtest.Fault{Only: upstreamtest.RouteStatus, Delay: time.Second})
	answered := make(chan int, 1)
	go func() {
		code, _, _ := p.get(statusPath("meadow"), clearKey)
		answered <- code
	}()
	eventually(t, "the request is in flight", func() bool { now, _ := agent.InFlightStatus("tnt_meadow"); return now > 0 })
	p.stop()
	if code := <-answered; code != 200 {
		t.Errorf("the request in flight got %d", code)
	}
}

func TestCheck(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	if out, _ := good(t, env, "check", "--config", config); !strings.Contains(out, "good") ||
		!strings.Contains(out, "warning: provisioning.contact_email: is empty") {
		t.Errorf("a good config: %s", out)
	}
	folder := t.TempDir()
	bad := filepath.Join(folder, "bad.yaml")
	must(t, os.WriteFile(filepath.Join(folder, "CANARY.json"), []byte(`{"type": "CANARY"}`), 0o600))
	must(t, os.WriteFile(bad, []byte(`
server: {address: CANARY, colour: CANARY}
upstream: {api_key: "${NOT_SET_ANYWHERE}", attempts: CANARY}
platform_tasks:
  - {id: first, complete_when: "source.CANARY["}
  - {id: first, severity: CANARY}
  - {id: judge, decides: platform}
service_accounts: [{email: ads@gate.example, key_file: CANARY.json}]
`), 0o600))
	_, out, code := command(t, env, "check", "--config", bad)
	if code != 2 || strings.Contains(out, "CANARY") || strings.Contains(out, "gate.example") {
		t.Errorf("a bad config: %d %s", code, out)
	}
	for _, fault := range []string{"server.address", "server.colour", "upstream.api_key", "NOT_SET_ANYWHERE", "upstream.attempts",
		bad + ":5:17: platform_tasks[0].complete_when: ", "column", "platform_tasks[1].id", "platform_tasks[1].severity",
		":7:17: platform_tasks[2].decides: must not be platform without a complete_when",
		":8:46: service_accounts[0].key_file: the file has a type that is not service_account"} {
		if !strings.Contains(out, fault) {
			t.Errorf("%s is not reported:\n%s", fault, out)
		}
	}
	if _, out, code := command(t, env, "serve", "--config", bad); code != 2 || strings.Contains(out, "CANARY") {
		t.Errorf("serve with a bad config: %d %s", code, out)
	}
}
