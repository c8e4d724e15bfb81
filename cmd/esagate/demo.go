package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"esagate/internal/config"
	"esagate/internal/events"
	"esagate/internal/serviceaccount"
	"esagate/internal/sources"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

const (
	demoAddress  = "127.0.0.1:8080"
	demoKey      = "esagate-demo-key"      // guards nothing but made-up sources
	demoOperator = "esagate-demo-operator" // likewise, of all customers
	demoAgentKey = "simulated-sales-agent-key"
	demoSigning  = "simulated-sales-agent-signing-key"
	demoBuyer    = "prin_pelican" // a buyer whom the sales agent of each source knows
	demoAccount  = "esagate-demo@demo-project.iam.gserviceaccount.com"

	// demoKeyFile is as Google gives them out; its key opens nothing.
	demoKeyFile = `{"type":"service_account","client_email":"` + demoAccount + `",` +
		`"private_key":"-----BEGIN PRIVATE KEY-----\nbWFkZSB1cA==\n-----END PRIVATE KEY-----\n"}`
)

// demoOrigins are those of pages on this machine, which may ask the demo. In a browser nothing but a
// port follows the colon.
var demoOrigins = []string{
	"http://localhost", "http://localhost:*", "http://127.0.0.1", "http://127.0.0.1:*", "http://[::1]", "http://[::1]:*",
}

type demoCommand struct {
	Address string `help:"host:port to listen on (default: 127.0.0.1:8080, or a free port when that is taken)." placeholder:"ADDR"`
	Story   string `help:"Print the story's commands at once: by esagate call, or by curl." enum:",call,curl" default:"" placeholder:"FORM"`
	Verbose bool   `help:"Log each request, and all else that the gateway does."`
}

// Run shows the gateway before a simulated sales agent until it is asked to stop.
func (c *demoCommand) Run(ctx context.Context) error {
	listener, moved, err := c.listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	d := &demo{out: os.Stdout, base: "http://" + reached(listener.Addr()), scenes: typed(os.Stdin)}
	d.says("esagate demo: a gateway, a made-up sales agent behind it, and ten sources in different states.")
	if moved {
		d.says(demoAddress + " is taken by another program, perhaps another demo, so this one has a free port.")
	}
	// Its ad servers take a moment to answer and its runs some seconds, as its scheduler does; it
	// delivers events to the gateway although that has a private address here.
	d.agent = upstreamtest.New(upstreamtest.Options{
		APIKey: demoAgentKey, IdentityKey: demoSigning, ProbeTakes: 700 * time.Millisecond, RunWaits: time.Second,
		RunTakes: 5 * time.Second, Scheduler: 5 * time.Second,
		Deliver: (&http.Client{Timeout: 5 * time.Second}).Do, AnyWebhook: true,
	})
	defer d.agent.Close()
	server, err := d.agent.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	d.agentBase = "http://" + server.Addr()
	d.play(upstreamtest.SceneStart)
	folder, err := os.MkdirTemp("", "esagate-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	a, err := c.build(ctx, d, folder, server.URL())
	if err != nil {
		return err
	}
	// Somebody who only types scenes and asks again is to see them: as a wall that is open does, this keeps all
	// sources fresh.
	defer a.events.Subscribe(events.Subscription{Customer: events.Operators}).Close()
	d.introduce()
	if c.Story != "" {
		d.tellStory(c.Story)
	}
	d.readScenes()
	return a.serve(ctx, listener, nil)
}

// build makes the gateway, with two sources of agents beside the managed ones.
func (c *demoCommand) build(ctx context.Context, d *demo, folder, agentURL string) (*app, error) {
	tasks, bad := transform.NewTasks(nil)
	if len(bad) > 0 {
		return nil, errors.New("the built-in tasks do not compile")
	}
	cfg := demoConfig(d.base, agentURL, folder)
	if c.Verbose {
		cfg.Telemetry.LogLevel = "debug"
	}
	if err := os.WriteFile(cfg.ServiceAccounts[0].KeyFile, []byte(demoKeyFile), 0o600); err != nil {
		return nil, err
	}
	a, err := build(ctx, cfg, "", tasks, os.Stderr)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(addAgents(ctx, a.store.Customer(upstreamtest.FirstCustomer)), learn(ctx, a), addPast(ctx, a), d.findStory(ctx, a)); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// learn has the gateway ask about all tenants at once, as it does within minutes elsewhere: links into the admin UI
// wait for what it learns.
func learn(ctx context.Context, a *app) error {
	for _, s := range upstreamtest.Sources() {
		src, err := a.directory.ManagedSource(ctx, s.CustomerID, s.SourceID)
		if err != nil {
			return err
		}
		if err := a.lifecycle.Check(ctx, src); err != nil {
			return err
		}
	}
	return nil
}

// addPast has the registry know how the sources stood before, as if it had watched them.
func addPast(ctx context.Context, a *app) error {
	now := time.Now()
	var past []registry.Standing
	for _, s := range upstreamtest.Sources() {
		src, err := a.directory.ManagedSource(ctx, s.CustomerID, s.SourceID)
		if err != nil {
			return err
		}
		var last registry.Standing
		for _, turn := range s.Past {
			at := now.Add(-turn.Ago)
			last = registry.Standing{CustomerID: s.CustomerID, ESAID: src.Connection.ID, State: turn.State,
				Since: at, Version: src.Connection.Version, DocumentAt: at, ReceivedAt: at}
			past = append(past, last)
		}
		last.DocumentAt, last.ReceivedAt = now, now // it was watched to this moment
		past = append(past, last)
	}
	return a.directory.Snapshots().KeepStandings(ctx, past, now)
}

// listen takes the wanted address, or where none is wanted a free port when the
// usual one is taken, which moved reports.
func (c *demoCommand) listen() (l net.Listener, moved bool, err error) {
	if c.Address != "" {
		l, err = listen(c.Address, "--address 127.0.0.1:0 takes a free one")
		return l, false, err
	}
	if l, err = net.Listen("tcp", demoAddress); errors.Is(err, syscall.EADDRINUSE) {
		l, err = net.Listen("tcp", "127.0.0.1:0")
		return l, true, err
	}
	return l, false, err
}

// reached is how programs and browsers on this machine reach a listener.
func reached(at net.Addr) string {
	if tcp, ok := at.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return at.String()
}

func demoConfig(base, agentURL, folder string) *config.Config {
	cfg := config.Default()
	cfg.Server.PublicURL = base
	cfg.Server.AllowedOrigins = demoOrigins
	cfg.Upstream.BaseURL = agentURL
	cfg.Upstream.APIKey = config.NewSecret(demoAgentKey)
	cfg.Upstream.IdentityKey = config.NewSecret(demoSigning)
	cfg.Agents.Proxy = "on"
	cfg.Upstream.Breaker.OpenFor = time.Second // so often it is looked whether the agent is back, however long it was away
	cfg.Store.URL = config.NewSecret("sqlite://" + filepath.Join(folder, "demo.db"))
	cfg.Store.EncryptionKey = config.NewSecret(vault.Generate())
	cfg.Telemetry.LogFormat, cfg.Telemetry.LogLevel = "text", "error" // what scenes cause is no news
	cfg.Provisioning.ContactEmail = "operator@example.com"
	cfg.Sandbox = config.Sandbox{Operator: "storefront.example", BrandDomain: "storefront.example"}
	cfg.Webhooks.Subscribe = "always"
	cfg.ServiceAccounts = []serviceaccount.Entry{{Email: demoAccount, KeyFile: filepath.Join(folder, "service-account.json")}}
	buyer := registry.Identity{PrincipalID: demoBuyer}
	cfg.Auth.Keys = []config.Key{
		{Name: "demo", CustomerID: upstreamtest.FirstCustomer, Write: true, SHA256: sha256.Sum256([]byte(demoKey)), Identity: buyer},
		{Name: "demo-operator", Operator: true, Write: true, SHA256: sha256.Sum256([]byte(demoOperator)), Identity: buyer},
	}
	for _, s := range upstreamtest.Sources() {
		source := registry.ConfigSource{CustomerID: s.CustomerID, SourceID: s.SourceID, Name: s.Tenant.Name, TenantID: s.Tenant.ID}
		if t := s.Tenant.AdServer; !s.Learned {
			source.AdServer = &registry.AdServer{Type: t.Type, NetworkCode: t.NetworkCode}
		}
		cfg.Sources = append(cfg.Sources, source)
	}
	return &cfg
}

// addAgents makes two sources of agents, beside the managed ones.
func addAgents(ctx context.Context, store registry.CustomerStore) error {
	const anAgent = `"protocol":"MCP","endpointUrl":"https://agent.lakeside.example/mcp"`
	for _, body := range []string{
		`{"name":"Lakeside Signals","type":"SIGNAL","authenticationType":"NO_AUTH",` + anAgent + `}`,
		`{"name":"Lakeside Direct","type":"SALES","authenticationType":"API_KEY","auth":{"type":"bearer","token":"made-up"},` + anAgent + `}`,
	} {
		source, err := sources.ParseCreate([]byte(body), func(string) string { return "" })
		if err != nil {
			return err
		}
		if _, err := store.CreateSource(ctx, *source, nil); err != nil {
			return err
		}
	}
	return nil
}
