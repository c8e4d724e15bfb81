package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"esagate/internal/vault"
	"esagate/upstream/upstreamtest"
)

// What guards nothing but made-up sources on loopback.
const (
	agentKey  = "bench-sales-agent-key"
	clientKey = "bench-storefront-key"
	buyerKey  = "bench-buyer-key"
)

//go:embed profiler.go
var profilerSource []byte

// world is what every measurement stands on: the gateway's binary, the sales
// agent before which it is put, and a collector for its traces.
type world struct {
	folder string
	root   string // of the module's files
	binary string
	agent  *upstreamtest.Agent
	server *upstreamtest.Server
	sink   *sink
	count  int // of configs written
	keys   int // of those that watch, beside the usual ones

	agentURL string // where the sales agent speaks MCP; empty: nowhere else
}

func newWorld(ctx context.Context, profiled bool) (*world, error) {
	folder, err := os.MkdirTemp("", "esagate-bench-")
	if err != nil {
		return nil, err
	}
	w := &world{folder: folder, binary: filepath.Join(folder, "esagate")}
	if err := w.start(ctx, profiled); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *world) start(ctx context.Context, profiled bool) (err error) {
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "esagate").Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	w.root = strings.TrimSpace(string(root))
	if profiled {
		err = w.buildProfiled(ctx)
	} else {
		err = w.build(ctx, w.binary, "-pgo="+filepath.Join(w.root, releaseProfile))
	}
	if err != nil {
		return err
	}
	w.agent = upstreamtest.New(upstreamtest.Options{APIKey: agentKey, CacheFor: -1})
	if w.server, err = w.agent.Listen("127.0.0.1:0"); err != nil {
		return err
	}
	w.sink, err = newSink()
	return err
}

// build makes the gateway's binary with some flags of go build. With the release profile it is the one that is shipped
// (.ci/build), but for the names of its functions, which a profile needs.
func (w *world) build(ctx context.Context, binary string, flags ...string) error {
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-o", binary}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "esagate/cmd/esagate")...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// buildProfiled lets go build see profiler.go as one more file of the gateway's main package. The binary is built without
// the release profile, so that a profile that is renewed shows the code as it is written.
func (w *world) buildProfiled(ctx context.Context) error {
	source := filepath.Join(w.folder, "profiler.go")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		filepath.Join(w.root, "cmd", "esagate", "bench_profiler.go"): source,
	}})
	if err != nil {
		return err
	}
	path := filepath.Join(w.folder, "overlay.json")
	if err := errors.Join(os.WriteFile(source, profilerSource, 0o600), os.WriteFile(path, overlay, 0o600)); err != nil {
		return err
	}
	return w.build(ctx, w.binary, "-pgo=off", "-overlay", path)
}

// close takes down what newWorld made.
func (w *world) close() error {
	var err error
	if w.server != nil {
		w.agent.Close()
		err = w.server.Close()
	}
	if w.sink != nil {
		err = errors.Join(err, w.sink.close())
	}
	return errors.Join(err, os.RemoveAll(w.folder))
}

// addTenant makes a healthy tenant like the demo's first one and gives its id.
func (w *world) addTenant(sourceID string) string {
	t := upstreamtest.Sources()[0].Tenant
	t.ID = "tnt_" + sourceID
	w.agent.SetTenant(t)
	return t.ID
}

// gateway starts the real binary for some sources, with authentication, metrics
// and sampled tracing on as in life. The one customer's limits of reads and writes count, and let
// all through. Where extra is empty all other limits are the defaults.
func (w *world) gateway(ctx context.Context, extra string, env []string, sourceIDs ...string) (*child, error) {
	w.count++
	file := filepath.Join(w.folder, "config"+strconv.Itoa(w.count)+".yaml")
	var b strings.Builder
	fmt.Fprintf(&b, "server: {address: \"127.0.0.1:0\"}\n")
	fmt.Fprintf(&b, "upstream: {base_url: %q, api_key: %s", w.server.URL(), agentKey)
	if w.agentURL != "" {
		fmt.Fprintf(&b, ", agent_url: %q", w.agentURL)
	}
	b.WriteString("}\n")
	fmt.Fprintf(&b, "store: {url: %q, encryption_key: %q}\n",
		"sqlite://"+filepath.Join(w.folder, "store"+strconv.Itoa(w.count)+".db"), vault.Generate())
	fmt.Fprintf(&b, "telemetry: {otlp_endpoint: %q, trace_ratio: 0.01}\n", w.sink.url)
	fmt.Fprintf(&b, "auth: {keys: [{name: bench, customer_id: 7301, access: read, key: %s}", clientKey)
	fmt.Fprintf(&b, ", {name: buyer, customer_id: 7301, access: write, principal_id: prn_bench, key: %s}", buyerKey)
	for n := range w.keys {
		fmt.Fprintf(&b, ", {name: %s, customer_id: 7301, access: read, key: %s}", watchKey(n), watchKey(n))
	}
	fmt.Fprintf(&b, ", {name: flood, customer_id: 7302, access: read, key: %s}]}\n", floodKey)
	b.WriteString("limits: {reads: {rate: 100000, burst: 1000000}, writes: {rate: 100000, burst: 1000000}}\n")
	b.WriteString(extra)
	b.WriteString("sources:\n")
	for _, id := range sourceIDs {
		owner := 7301
		if strings.HasPrefix(id, floodPrefix) {
			owner = 7302
		}
		fmt.Fprintf(&b, "  - {source_id: %s, customer_id: %d, name: %s, tenant_id: %s,\n", id, owner, id, w.addTenant(id))
		fmt.Fprintf(&b, "     ad_server: {type: google_ad_manager, network_code: \"40718265\"}}\n")
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	return startChild(ctx, "gateway", env, w.binary, "serve", "--config", file)
}

// bare starts the yardstick for a document.
func (w *world) bare(ctx context.Context, document []byte, env []string) (*child, error) {
	file := filepath.Join(w.folder, "document.json")
	if err := os.WriteFile(file, document, 0o600); err != nil {
		return nil, err
	}
	return startSelf(ctx, "bare handler", env, "-bare-handler", file)
}
