package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"esagate/internal/config"
	"esagate/internal/serviceaccount"
	"esagate/internal/sources"
	"esagate/internal/vault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/upstreamtest"
)

const (
	demoAddress  = "127.0.0.1:8080"
	demoCustomer = 4210
	demoKey      = "esagate-demo-key" // guards nothing but made-up sources
	demoLearned  = "tnt_lighthouse"   // the tenant whose ad server the gateway learns by asking
	demoAgentKey = "simulated-sales-agent-key"
	demoAccount  = "esagate-demo@demo-project.iam.gserviceaccount.com"

	// demoKeyFile is as Google gives them out; its key opens nothing.
	demoKeyFile = `{"type":"service_account","client_email":"` + demoAccount + `",` +
		`"private_key":"-----BEGIN PRIVATE KEY-----\nbWFkZSB1cA==\n-----END PRIVATE KEY-----\n"}`
)

type demoCommand struct {
	Address string `help:"host:port to listen on (default: 127.0.0.1:8080, or a free port when that is taken)." placeholder:"ADDR"`
}

// Run shows the gateway before a simulated sales agent until it is asked to stop.
func (c *demoCommand) Run(ctx context.Context) error {
	// Its ad servers take a moment to answer and its runs some seconds, as its scheduler does; it
	// delivers events to the gateway although that has a private address here.
	agent := upstreamtest.New(upstreamtest.Options{
		APIKey: demoAgentKey, ProbeTakes: 700 * time.Millisecond, RunWaits: time.Second,
		RunTakes: 5 * time.Second, Scheduler: 5 * time.Second,
		Deliver: (&http.Client{Timeout: 5 * time.Second}).Do, AnyWebhook: true,
	})
	defer agent.Close()
	server, err := agent.Listen("127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = server.Close() }()
	scenes := upstreamtest.Scenes()
	for _, s := range scenes {
		agent.Play(s)
	}

	folder, err := os.MkdirTemp("", "esagate-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()

	listener, err := c.listen()
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	base := "http://" + listener.Addr().String()
	tasks, bad := transform.NewTasks(nil)
	if len(bad) > 0 {
		return errors.New("the built-in tasks do not compile")
	}
	cfg := demoConfig(base, server.URL(), folder, scenes)
	if err := os.WriteFile(cfg.ServiceAccounts[0].KeyFile, []byte(demoKeyFile), 0o600); err != nil {
		return err
	}
	a, err := build(ctx, cfg, "", tasks, os.Stderr)
	if err != nil {
		return err
	}
	if err := addAgents(ctx, a.store.Customer(demoCustomer)); err != nil {
		a.close()
		return err
	}
	printDemo(os.Stdout, base, "http://"+server.Addr(), scenes)
	return a.serve(ctx, listener, nil)
}

// listen takes the wanted address, or where none is wanted a free port when the
// usual one is taken.
func (c *demoCommand) listen() (net.Listener, error) {
	if c.Address != "" {
		return listen(c.Address, "--address")
	}
	l, err := net.Listen("tcp", demoAddress)
	if errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

func demoConfig(base, agentURL, folder string, scenes []upstreamtest.Scene) *config.Config {
	cfg := config.Default()
	cfg.Server.PublicURL = base
	cfg.Upstream.BaseURL = agentURL
	cfg.Upstream.APIKey = config.NewSecret(demoAgentKey)
	cfg.Store.URL = config.NewSecret("sqlite://" + filepath.Join(folder, "demo.db"))
	cfg.Store.EncryptionKey = config.NewSecret(vault.Generate())
	cfg.Telemetry.LogFormat = "text"
	cfg.Provisioning.ContactEmail = "operator@example.com"
	cfg.Webhooks.Subscribe = "always"
	cfg.ServiceAccounts = []serviceaccount.Entry{{Email: demoAccount, KeyFile: filepath.Join(folder, "service-account.json")}}
	cfg.Auth.Keys = []config.Key{{
		Name: "demo", CustomerID: demoCustomer, Write: true, SHA256: sha256.Sum256([]byte(demoKey)),
	}}
	for _, s := range scenes {
		source := registry.ConfigSource{CustomerID: demoCustomer, SourceID: s.SourceID, Name: s.Title, TenantID: s.Tenant.ID}
		if t := s.Tenant.AdServer.Type; t != "" && s.Tenant.ID != demoLearned {
			source.AdServer = &registry.AdServer{Type: t, NetworkCode: s.Tenant.AdServer.NetworkCode}
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

// printDemo tells what runs where, what to paste and what to look at.
func printDemo(w io.Writer, base, agent string, scenes []upstreamtest.Scene) {
	curl := fmt.Sprintf("curl -s -H 'Authorization: Bearer %s' %s/api/v2/storefront", demoKey, base)
	fmt.Fprintf(w, `esagate demo: the gateway before a simulated sales agent

  gateway      %[1]s
  sales agent  %[2]s (simulated)
  key          %[3]s (customer %[6]d)

How all sources stand, in another terminal; --watch follows what changes, a source's name tells all of it:
  ESAGATE_KEY=%[3]s %[7]s status --url %[1]s
What changes, as events for programs, until Ctrl-C:
  %[4]s/events -N
How they stand for programs, the worst first; those that can't sell alone, with their last 24 hours:
  %[4]s/overview
  %[4]s/overview -G -d state=down,blocked -d include=history
The status of a source, and its headers (Age, Cache-Status, ETag):
  %[4]s/inventory-sources/%[5]s/status
  %[4]s/inventory-sources/%[5]s/status -o /dev/null -D -
Its connection, and all connections:
  %[4]s/inventory-sources/%[5]s/esa
  %[4]s/esa
All sources, agents that others run among them; make one, put it to work, delete it:
  %[4]s/inventory-sources
  %[4]s/inventory-sources -H 'Content-Type: application/json' -d '{"name":"Retail Network Agent","type":"SALES","endpointUrl":"https://agent.example.com/mcp","protocol":"MCP","authenticationType":"API_KEY","auth":{"type":"bearer","token":"made-up"}}'
  %[4]s/inventory-sources/retail-network-agent -X PUT -H 'Content-Type: application/json' -d '{"status":"ACTIVE"}'
  %[4]s/inventory-sources/retail-network-agent -X DELETE

Connect an ad server. Its networks that begin with 404 are not known, which you see in
lastErrorCode; mend that, test it, have it synced, and six seconds later it is live:
  %[4]s/esa -d '{"type":"google_ad_manager","networkCode":"40477120","name":"Pier Video"}' -H 'Content-Type: application/json'
  %[4]s/inventory-sources/pier-video/ad-server -X PUT -d '{"type":"google_ad_manager","networkCode":"77120045"}' -H 'Content-Type: application/json'
  %[4]s/inventory-sources/pier-video/test-connection -X POST
  %[4]s/inventory-sources/pier-video/refresh -X POST
  %[4]s/inventory-sources/pier-video/status
  %[4]s/inventory-sources/pier-video/sync-history
The end of the sync was announced by webhook; switch the source off and on; read who did what:
  %[4]s/inventory-sources/pier-video/esa
  %[4]s/inventory-sources/pier-video/deactivate -X POST
  %[4]s/inventory-sources/pier-video/reactivate -X POST
  %[4]s/audit

Sources to put in that place, and what to look at:
`, base, agent, demoKey, curl, scenes[0].SourceID, demoCustomer, os.Args[0])
	for _, s := range scenes {
		fmt.Fprintf(w, "  %-18s %s\n  %-18s %s\n", s.SourceID, s.Title, "", s.LookAt)
	}
	fmt.Fprintf(w, `
Pull the sales agent's plug, ask again (the last good answers stay, Age grows), and plug it in
(once the breaker has opened, the gateway looks every second whether the agent is back, after a minute less often):
  curl -s -X POST %[2]s/_agent/down
  curl -s -X POST %[2]s/_agent/up

Switch a tenant off at the sales agent itself. The gateway notices within a quarter of an hour, or at
once when a caller reactivates what it still shows as active: that switches it on again, and /audit has both:
  curl -s -X POST %[2]s/_agent/tenant/%[3]s/off
  %[4]s/inventory-sources/%[5]s/reactivate -X POST
  %[4]s/audit

What the gateway says about itself, and its contract:
  curl -s %[1]s/readyz
  curl -s %[1]s/metrics | grep esagate_
  curl -s %[1]s/openapi.yaml

Ctrl-C ends it.
`, base, agent, scenes[0].Tenant.ID, curl, scenes[0].SourceID)
}
