package agentauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"esagate/internal/agentauth"
	"esagate/internal/telemetry"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/registry/sqlstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	customer = 7
	sourceID = "harbour-feed"
)

// world is an agent, its authorization server, a registry and Agents over them.
type world struct {
	*testing.T
	web     *web
	site    *site
	as      *authServer
	store   registry.Store
	http    *http.Client
	browser *http.Client // nil: http
	agents  *agentauth.Agents
	source  *registry.Source
	logs    *logs
	closing []func() // of the directories, before the store

	mu  sync.Mutex
	out []string // the texts of all errors
}

// inWorld runs a test in a bubble, with everything in process.
func inWorld(t *testing.T, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.http = &http.Client{Transport: w.web}
		w.start()
		defer w.finish()
		body(w)
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, site: newSite(), as: newAuthServer(), logs: &logs{}}
	w.web = &web{hosts: map[string]http.Handler{agentHost: w.site, loginHost: w.as}}
	v, err := vault.New(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x5a}, 32)))
	w.must(err)
	w.store, err = sqlstore.Open(context.Background(), "sqlite://:memory:", sqlstore.WithVault(v))
	w.must(err)
	return w
}

func (w *world) start() {
	w.agents = w.replica()
	w.source = w.create(sourceID, nil)
}

// replica is one more gateway over the same registry.
func (w *world) replica() *agentauth.Agents { return w.over(w.store) }

// over is a gateway over a registry that misbehaves.
func (w *world) over(store registry.Store) *agentauth.Agents {
	directory := registry.NewDirectory(store, registry.DirectoryOptions{})
	w.closing = append(w.closing, directory.Close)
	return agentauth.New(agentauth.Config{RedirectURI: redirectURI, ClientName: "esagate"}, agentauth.Deps{
		Store: store, Directory: directory, HTTP: w.http, CheckURL: checkURL, Logger: slog.New(slog.NewJSONHandler(w.logs, nil)),
	})
}

func (w *world) create(id string, bend func(*registry.Agent)) *registry.Source {
	w.Helper()
	agent := registry.Agent{
		Status: registry.SourcePending, Type: "SALES", EndpointURL: endpoint, Protocol: "MCP", Authentication: registry.AuthOAuth,
	}
	if bend != nil {
		bend(&agent)
	}
	made, err := w.store.Customer(customer).CreateSource(context.Background(), registry.NewSource{
		SourceID: id, Name: "Harbour feed", Agent: agent, AgentID: func() string { return id + "_k2m9qx" },
	}, nil)
	w.must(err)
	return made.Source
}

// checkURL stands in for the guard's.
func checkURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" {
		return "not https"
	}
	if len(raw) > 2048 || strings.Contains(raw, "#") {
		return "too long, or with a fragment"
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !ip.IsGlobalUnicast() || err == nil && ip.IsPrivate() {
		return "not public"
	}
	return ""
}

func (w *world) finish() {
	w.agents.Close(context.Background())
	for _, end := range w.closing {
		end()
	}
	w.must(w.store.Close())
	w.noCanary()
}

// noCanary holds all that was logged and all errors against every secret there was,
// and every text of a stranger.
func (w *world) noCanary() {
	w.Helper()
	shown := w.logs.String() + strings.Join(w.out, "\n")
	for _, secret := range append(w.as.secrets, "CANARY", "example.com") {
		if secret != "" && strings.Contains(shown, secret) {
			w.Errorf("a secret or a stranger's text shows (%d bytes of it) in: %s", len(secret), shown)
		}
	}
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// saw keeps an error's text in every form for noCanary, and gives its reason.
func (w *world) saw(err error) agentauth.Reason {
	if err == nil {
		return ""
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out = append(w.out, err.Error(), fmt.Sprintf("%v %+v %#v", err, err, err))
	return agentauth.ReasonOf(err)
}

func (w *world) want(err error, reason agentauth.Reason) {
	w.Helper()
	if got := w.saw(err); err == nil || got != reason {
		w.Errorf("the error is %q (%v), want %q", got, err, reason)
	}
}

// begin begins a consent that must be due.
func (w *world) begin() *url.URL {
	w.Helper()
	at, err := w.agents.Begin(context.Background(), w.source)
	w.must(err)
	if at == "" {
		w.Fatal("no consent is due")
	}
	u, err := url.Parse(at)
	w.must(err)
	w.as.mu.Lock()
	w.as.secrets = append(w.as.secrets, u.Query().Get("state"))
	w.as.mu.Unlock()
	return u
}

// browse is what a browser does with the address: it comes back with the answer.
func (w *world) browse(at *url.URL) url.Values {
	w.Helper()
	browser := *w.http
	if w.browser != nil {
		browser = *w.browser
	}
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(at.String())
	w.must(err)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		body, _ := io.ReadAll(resp.Body)
		w.Fatalf("the authorization endpoint answers %d %s", resp.StatusCode, body)
	}
	back, err := resp.Location()
	w.must(err)
	if !strings.HasPrefix(back.String(), redirectURI+"?") {
		w.Fatalf("the browser is sent to %s", back)
	}
	return back.Query()
}

// connect gets a consent from beginning to end.
func (w *world) connect() {
	w.Helper()
	w.must(w.agents.Finish(context.Background(), w.browse(w.begin())))
}

// held is what the registry holds of the source; nil: nothing.
func (w *world) held() *registry.OAuthCredential {
	w.Helper()
	c, _, err := w.store.Customer(customer).Credential(context.Background(), sourceID)
	if err != nil {
		return nil
	}
	return c.OAuth
}

func (w *world) token(from *agentauth.Agents) (string, error) {
	t, err := from.Token(context.Background(), customer, sourceID)
	return t.AccessToken, err
}

// logs is a log that may be written to from anywhere. It takes keys of the
// allow-list alone.
type logs struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

// keyed fails for a log attribute whose key is not on the allow-list.
func (w *world) keyed() {
	w.Helper()
	for _, line := range strings.Split(strings.TrimSpace(w.logs.String()), "\n") {
		for _, part := range strings.Split(line, `,"`) {
			key, _, found := strings.Cut(strings.TrimPrefix(part, `{"`), `":`)
			if found && key != "time" && key != "level" && key != "msg" && !telemetry.KeyAllowed(key) {
				w.Errorf("logged under %q: %s", key, line)
			}
		}
	}
}

// listen puts the web behind a real TLS listener.
func (w *world) listen() (*http.Client, func()) {
	s := httptest.NewTLSServer(w.web)
	transport := s.Client().Transport.(*http.Transport).Clone()
	transport.DialContext = dialTo(s.Listener.Addr().String())
	return &http.Client{Transport: transport}, func() { transport.CloseIdleConnections(); s.Close() }
}
