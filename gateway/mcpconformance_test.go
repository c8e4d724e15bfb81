package gateway_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// mcpTools names a folder with the npm packages that .ci/run installs for its step mcp, and node in it or in PATH.
const mcpTools = "ESAGATE_TEST_MCP"

// node runs a script of a package, and gives what it printed.
func node(t *testing.T, script string, arguments ...string) (printed string, err error) {
	t.Helper()
	folder := os.Getenv(mcpTools)
	program := filepath.Join(folder, "node")
	if _, err := os.Stat(program); err != nil {
		program = "node"
	}
	cmd := exec.CommandContext(t.Context(), program, append([]string{filepath.Join(folder, "node_modules", "@modelcontextprotocol", script)}, arguments...)...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// onAPort gives the URL of a gateway on a port of this machine, for tools that are written for node. A request without a key
// gets one with write access: the suite has none to give.
func onAPort(t *testing.T, s setup, begin func(*world)) string {
	t.Helper()
	if os.Getenv(mcpTools) == "" {
		t.Skip(mcpTools + " names no folder")
	}
	var w *world
	s.database = filepath.Join(t.TempDir(), "mcp.db")
	agent := s.newAgent(&w)
	t.Cleanup(agent.Close)
	w = start(t, s, agent)
	t.Cleanup(w.stop)
	begin(w)
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			r.Header.Set("Authorization", "Bearer "+writeKey)
		}
		w.gateway.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestMCPConformance has the protocol's own suite judge the MCP server.
func TestMCPConformance(t *testing.T) {
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		url := onAPort(t, setup{}, func(*world) {})
		printed, err := node(t, "conformance/dist/index.js", "server", "--url", url+"/mcp", "--suite", "all", "--spec-version", version,
			"--expected-failures", filepath.Join("testdata", "mcp-conformance-"+version+".yaml"), "--output-dir", t.TempDir())
		if err != nil {
			t.Errorf("%s: %v\n%s", version, err, printed)
		}
	}
}

// TestMCPConformanceOfWhatIsPassedOn has the suite judge the SDK's own reference server behind the gateway, as the agent of
// a source: all that it passes by itself it passes there. What is left out is what the gateway says in its place.
func TestMCPConformanceOfWhatIsPassedOn(t *testing.T) {
	for version, stateless := range map[string]bool{"2025-11-25": false, "2026-07-28": true} {
		reference := &httputil.ReverseProxy{FlushInterval: -1}
		address := onAPort(t, setup{outside: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).EnableFullDuplex() // else some answers are cut off, as TestAnAnswerMayBeginWhenItsRequestEnds says
			reference.ServeHTTP(w, r)
		})}, func(w *world) { w.active() })
		to := startReference(t, stateless)
		reference.Rewrite = func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: to}) }
		printed, err := node(t, "conformance/dist/index.js", "server", "--url", address+mcpAgent, "--spec-version", version,
			"--expected-failures", filepath.Join("testdata", "mcp-conformance-passed-on.yaml"), "--output-dir", t.TempDir())
		if err != nil {
			t.Errorf("%s: %v\n%s", version, err, printed)
		}
	}
}

// startReference starts the reference server of the SDK, and gives where it is.
func startReference(t *testing.T, stateless bool) (address string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "reference")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "github.com/modelcontextprotocol/go-sdk/conformance/everything-server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	_ = l.Close() // the program says nowhere which port it has taken
	cmd := exec.Command(program, "-http", address, "-stateless="+strconv.FormatBool(stateless))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 100 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return address
		}
		time.Sleep(50 * time.Millisecond) // between two looks
	}
	t.Fatal("the reference server does not listen")
	return ""
}

// TestMCPInspector has the inspector's client list the tools, which it holds against what clients can read, and call those
// that read, whose answers it holds against their schemas.
func TestMCPInspector(t *testing.T) {
	url := onAPort(t, setup{}, func(*world) {})
	inspect := func(arguments ...string) string {
		t.Helper()
		printed, err := node(t, "inspector/clients/launcher/build/index.js", append([]string{"--cli", url + "/mcp", "--transport", "http",
			"--header", "Authorization: Bearer " + readKey}, arguments...)...)
		if err != nil {
			t.Fatalf("%q: %v\n%s", arguments, err, printed)
		}
		return printed
	}
	inspect("--method", "tools/list", "--strict")
	for _, tool := range reading {
		arguments := []string{"--method", "tools/call", "--tool-name", tool}
		if tool != "overview" && tool != "sources" {
			arguments = append(arguments, "--tool-arg", "sourceId="+source)
		}
		var result struct {
			IsError           bool            `json:"isError"`
			StructuredContent json.RawMessage `json:"structuredContent"`
		}
		if printed := inspect(arguments...); json.Unmarshal([]byte(printed), &result) != nil || result.IsError || len(result.StructuredContent) < 10 {
			t.Errorf("%s: %s", tool, printed)
		}
	}
}
