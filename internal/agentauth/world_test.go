package agentauth_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"esagate/internal/agentauth"
	"esagate/internal/outbound"
	"esagate/internal/sqlitetest"
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
	web          *web
	site         *site
	as           *authServer
	store        registry.Store
	http, direct *http.Client
	browser      *http.Client // follows no redirect
	checkURL     func(string) string
	agents       *agentauth.Agents
	source       *registry.Source
	logs         *logs
	closing      []func() // of the directories, before the store

	mu  sync.Mutex
	out []string // the texts of all errors
}

// inWorld runs a test in a bubble, with everything in process.
func inWorld(t *testing.T, body func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.agents = w.replica()
		w.source = w.create(sourceID, endpoint)
		defer w.finish()
		body(w)
	})
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t}
	w.checkURL = outbound.New(outbound.Options{}).CheckURL
	w.furnish()
	v, err := vault.New(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x5a}, 32)))
	w.must(err)
	w.store, err = sqlstore.Open(context.Background(), "sqlite://"+sqlitetest.File(t), sqlstore.WithVault(v))
	w.must(err)
	return w
}

// furnish makes the agent and its authorization server, and the clients that reach them.
func (w *world) furnish() {
	w.logs, w.out, w.closing = &logs{}, nil, nil
	w.site = &site{places: map[string]http.Handler{insertedPath: resourceDoc}, endpoint: "/v1/mcp"}
	w.as = newAuthServer()
	w.web = &web{hosts: map[string]http.Handler{agentHost: w.site, loginHost: w.as}, check: w.checkURL}
	w.http = &http.Client{Transport: w.web}
	w.direct = &http.Client{Transport: w.web, CheckRedirect: followNone}
	w.browser = w.direct
}

// next begins a row of a table with everything new but the store, which takes long to open.
func (w *world) next(row string) {
	w.Helper()
	w.stop()
	w.Log(row)
	if err := w.remove(); !errors.Is(err, registry.ErrNotFound) { // the last row may have deleted it
		w.must(err)
	}
	w.furnish()
	w.agents = w.replica()
	w.source = w.create(sourceID, endpoint)
}

func followNone(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// replica is one more gateway over the same registry.
func (w *world) replica() *agentauth.Agents { return w.over(w.store) }

// over is a gateway over a registry that misbehaves.
func (w *world) over(store registry.Store) *agentauth.Agents {
	directory := registry.NewDirectory(store, registry.DirectoryOptions{})
	w.closing = append(w.closing, directory.Close)
	return agentauth.New(agentauth.Config{RedirectURI: redirectURI, ClientName: "esagate"}, agentauth.Deps{
		Store: store, Directory: directory, HTTP: w.http, Direct: w.direct, CheckURL: w.checkURL,
		Logger: slog.New(slog.NewJSONHandler(w.logs, nil)),
	})
}

func (w *world) create(id, endpointURL string) *registry.Source {
	w.Helper()
	made, err := w.store.Customer(customer).CreateSource(context.Background(), registry.NewSource{
		SourceID: id, Name: "Harbour feed", AgentID: func() string { return id + "_k2m9qx" },
		Agent: registry.Agent{
			Status: registry.SourcePending, Type: "SALES", EndpointURL: endpointURL, Protocol: "MCP", Authentication: registry.AuthOAuth,
		},
	}, nil)
	w.must(err)
	return made.Source
}

// change changes the source's agent.
func (w *world) change(newConsent bool, change func(*registry.Agent)) {
	w.Helper()
	_, err := w.store.Customer(customer).UpdateSource(context.Background(), sourceID, func(s *registry.Source) (registry.SourceChange, error) {
		next := *s.Agent
		change(&next)
		return registry.SourceChange{Agent: &next, NewConsent: newConsent}, nil
	})
	w.must(err)
}

// move moves the source's agent, and with it the consent is due anew.
func (w *world) move() {
	w.change(true, func(a *registry.Agent) { a.EndpointURL = "https://agent.example.com/v2" })
}

func (w *world) delete() { w.must(w.remove()) }

func (w *world) remove() error {
	_, err := w.store.Customer(customer).DeleteSource(context.Background(), sourceID, func(*registry.Source) error { return nil })
	return err
}

func (w *world) finish() {
	w.stop()
	w.must(w.store.Close())
}

// stop ends what is over the store, and looks at what was shown and asked.
func (w *world) stop() {
	w.Helper()
	w.agents.Close(context.Background())
	for _, end := range w.closing {
		end()
	}
	w.noCanary()
	if len(w.web.unsafe) > 0 {
		w.Errorf("these were asked: %q", w.web.unsafe)
	}
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
	at, err := w.tryBegin()
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

func (w *world) tryBegin() (string, error) { return w.agents.Begin(context.Background(), w.source) }

func (w *world) end(back url.Values) error { return w.agents.Finish(context.Background(), back) }

// browse is what a browser does with the address: it comes back with the answer.
func (w *world) browse(at *url.URL) url.Values {
	w.Helper()
	resp, err := w.browser.Get(at.String())
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
	w.must(w.end(w.browse(w.begin())))
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
	return tokenFor(from, customer, sourceID, w.source.Agent.EndpointURL)
}

// tokenFor asks for the access token of a customer's source, whatever is remembered of that.
func tokenFor(from *agentauth.Agents, customer int64, sourceID, endpoint string) (string, error) {
	src := &registry.Source{CustomerID: customer, SourceID: sourceID, Agent: &registry.Agent{Authentication: registry.AuthOAuth, EndpointURL: endpoint}}
	got, err := from.Authorize(context.Background(), src)
	return strings.TrimPrefix(got.Header.Get("Authorization"), "Bearer "), err
}

// tokenFails wants no token.
func (w *world) tokenFails(from *agentauth.Agents, reason agentauth.Reason) {
	w.Helper()
	_, err := w.token(from)
	w.want(err, reason)
}

// tokenIs wants a token.
func (w *world) tokenIs(from *agentauth.Agents, want string) {
	w.Helper()
	if got, err := w.token(from); err != nil || got != want {
		w.Errorf("another token, or the error %v", err)
	}
}

// replies bends what the token endpoint says.
func (w *world) replies(h http.Handler) { w.as.override["/token"] = h }

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
