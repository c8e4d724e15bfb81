package clustertest_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"esagate/internal/pgtest"
	"esagate/internal/processtest"
	"esagate/upstream/upstreamtest"
)

const (
	key      = "a-storefront-key-CANARY-123456"
	agentKey = "an-agent-key-CANARY-1234567890"
	sealKey  = "Q0FOQVJZIGlzIG5vIGdvb2Qgc2VjcmV0IGluIGhlcmU="
	sources  = "/api/v2/storefront/inventory-sources"

	tenants  = 12
	fresh    = time.Second      // snapshot.fresh, short so that there are many intervals
	patience = 60 * time.Second // for what should come about; not a measure
)

// world is a number of replicas before one sales agent.
type world struct {
	t        *testing.T
	agent    *upstreamtest.Agent
	folder   string
	database string
	replicas []*replica
}

// newWorld starts replicas; redisURL gives each the address of its Redis, or "".
func newWorld(t *testing.T, count int, redisURL func(replica int) string) *world {
	t.Helper()
	if os.Getenv(clusterVariable) != "required" {
		t.Skipf("%s is not \"required\": it takes minutes", clusterVariable)
	}
	w := &world{t: t, folder: t.TempDir(), database: pgtest.Database(t)}
	w.agent = upstreamtest.New(upstreamtest.Options{APIKey: agentKey, CacheFor: -1})
	var entries strings.Builder
	for i := range tenants {
		w.agent.SetTenant(upstreamtest.Tenant{ID: tenant(i), ExternalOrgID: tenant(i), Active: true, Status: upstreamtest.Healthy()})
		fmt.Fprintf(&entries, "  - {source_id: %q, customer_id: 4711, tenant_id: %q, ad_server: {type: google_ad_manager, network_code: \"%d\"}}\n",
			source(i), tenant(i), 1000+i)
	}
	server, err := w.agent.Listen("127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { w.agent.Close(); _ = server.Close() })
	w.agent.SetSlow(20 * time.Millisecond)
	must(t, os.WriteFile(w.config(), fmt.Appendf(nil, `
server: {address: "127.0.0.1:0"}
upstream: {base_url: %q, api_key: %q}
store: {url: %q, encryption_key: %q}
snapshot: {fresh: %q}
telemetry: {log_level: debug}
auth: {keys: [{name: storefront, customer_id: 4711, access: write, key: %q}]}
reconcile: {interval: 0s}
sources:
%s`, server.URL(), agentKey, w.database, sealKey, fresh, key, &entries), 0o600))
	for i := range count {
		w.replicas = append(w.replicas, &replica{w: w, number: i, redisURL: redisURL(i)})
	}
	for _, r := range w.replicas {
		r.start(binaries.watched)
	}
	for _, r := range w.replicas {
		r.serves()
	}
	return w
}

func (w *world) config() string { return filepath.Join(w.folder, "config.yaml") }

func tenant(i int) string { return fmt.Sprintf("tnt_%02d", i) }
func source(i int) string { return fmt.Sprintf("source-%02d", i) }

// calls counts the status calls of all tenants that reached the sales agent.
func (w *world) calls() (n int) {
	for i := range tenants {
		n += w.agent.Calls(tenant(i))
	}
	return n
}

// replica is one gateway, which may be ended and started again.
type replica struct {
	w           *world
	number      int
	redisURL    string
	starts      atomic.Int64
	process     *processtest.Process
	failedLooks int                    // of processes that have ended
	base        atomic.Pointer[string] // nil: a load balancer would not send anything there
}

func (r *replica) log() string {
	return filepath.Join(r.w.folder, fmt.Sprintf("replica-%d-%d.log", r.number, r.starts.Load()))
}

// start starts the gateway; serves waits until it serves.
func (r *replica) start(binary string) {
	t := r.w.t
	t.Helper()
	r.starts.Add(1)
	log, err := os.Create(r.log())
	must(t, err)
	defer log.Close() // the process has its own copy
	cmd := exec.Command(binary, "serve", "--config", r.w.config())
	cmd.Env = append(os.Environ(), "ESAGATE_SNAPSHOT_REDIS_URL="+r.redisURL)
	cmd.Stdout, cmd.Stderr = log, log
	r.process, err = processtest.Start(cmd)
	must(t, err)
	process, name := r.process, log.Name()
	t.Cleanup(func() {
		_ = process.End(syscall.SIGTERM)
		r.inspect(name)
	})
}

// inspect looks for what no log may have in it.
func (r *replica) inspect(log string) {
	text, err := os.ReadFile(log)
	must(r.w.t, err)
	for _, word := range []string{"DATA RACE", "panic", "CANARY"} {
		if at := bytes.Index(text, []byte(word)); at >= 0 {
			r.w.t.Errorf("replica %d: %s in its log: %.2000s", r.number, word, text[max(0, at-200):])
		}
	}
}

var serving = regexp.MustCompile(`"msg":"serving","address":"([^"]+)"`)

func (r *replica) serves() {
	t := r.w.t
	t.Helper()
	eventually(t, "the replica serves", func() bool {
		text, err := os.ReadFile(r.log())
		must(t, err)
		select {
		case <-r.process.Ended():
			t.Fatalf("replica %d ended:\n%.3000s", r.number, text)
		default:
		}
		m := serving.FindSubmatch(text)
		if m != nil {
			base := "http://" + string(m[1])
			r.base.Store(&base)
		}
		return m != nil
	})
}

// kill ends the gateway without a word; stop lets it finish.
func (r *replica) kill() { r.end(syscall.SIGKILL) }
func (r *replica) stop() { r.end(syscall.SIGTERM) }

func (r *replica) end(how os.Signal) {
	r.failedLooks = r.looksThatFailed()
	must(r.w.t, r.process.End(how)) // found out by its readers alone
	r.base.Store(nil)
	if how == syscall.SIGTERM && !r.process.Succeeded() {
		r.w.t.Errorf("replica %d did not stop well", r.number)
	}
}

// get asks a replica for a text that needs no key.
func (r *replica) get(path string) string {
	base := r.base.Load()
	if base == nil {
		return ""
	}
	_, body, _, _ := ask(context.Background(), "GET", *base+path, "", "")
	return body
}

var lookFailed = regexp.MustCompile(`\nesagate_snapshot_looks_total{outcome="failed"} (\d+)\n`)

// looksThatFailed counts looks at Redis that had no answer in time, or none. Readers of such a replica are
// not promised what was read elsewhere.
func (r *replica) looksThatFailed() int {
	n := 0
	if m := lookFailed.FindStringSubmatch(r.get("/metrics")); m != nil {
		n, _ = strconv.Atoi(m[1])
	}
	return r.failedLooks + n
}

func (r *replica) leads() bool { return strings.Contains(r.get("/metrics"), "\nesagate_leader 1\n") }

// ask makes one request.
func ask(ctx context.Context, method, address, body, idempotency string) (status int, answer string, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Idempotency-Key", idempotency)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), resp.Header, err
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > patience {
			t.Fatalf("not in %s: %s", patience, what)
		}
	}
}

// link is a proxy between a replica and its Redis.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

func newLink(t *testing.T, upstream string) link {
	t.Helper()
	p := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "redis", "127.0.0.1:0", upstream)
	must(t, p.Start())
	t.Cleanup(p.Stop)
	return link{t, p}
}

// through puts the proxy's address in the place of the server's.
func (l link) through(address string) string {
	u, err := url.Parse(address)
	must(l.t, err)
	u.Host = l.proxy.Listen
	return u.String()
}

// cut has nothing pass any more, in both directions, and connections stay as they are.
func (l link) cut() {
	l.add("upstream", "timeout", `{"timeout": 0}`)
	l.add("downstream", "timeout", `{"timeout": 0}`)
}

// slow delays every answer.
func (l link) slow(d time.Duration) {
	l.add("downstream", "latency", fmt.Sprintf(`{"latency": %d}`, d.Milliseconds()))
}

func (l link) add(stream, kind, attributes string) {
	l.t.Helper()
	_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(
		`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, stream+kind, kind, stream, attributes)))
	must(l.t, err)
}

func (l link) mend() { l.proxy.Toxics.ResetToxics(l.t.Context()) }
