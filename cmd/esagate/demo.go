package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"esagate/internal/config"
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
	demoAgentKey = "simulated-sales-agent-key"
)

type demoCommand struct {
	Address string `help:"host:port to listen on (default: 127.0.0.1:8080, or a free port when that is taken)." placeholder:"ADDR"`
}

// Run shows the gateway before a simulated sales agent until it is told to stop.
func (c *demoCommand) Run(ctx context.Context) error {
	agent := upstreamtest.New(upstreamtest.Options{APIKey: demoAgentKey})
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
	base := "http://" + listener.Addr().String()
	tasks, bad := transform.NewTasks(nil)
	if len(bad) > 0 {
		return errors.New("the built-in tasks do not compile")
	}
	cfg := demoConfig(base, server.URL(), filepath.Join(folder, "demo.db"), scenes)
	a, err := build(ctx, cfg, tasks, os.Stderr)
	if err != nil {
		_ = listener.Close()
		return err
	}
	if err := addAgents(ctx, a.store.Customer(demoCustomer)); err != nil {
		_ = listener.Close()
		a.close()
		return err
	}
	printDemo(os.Stdout, base, "http://"+server.Addr(), scenes)
	return a.serve(ctx, listener)
}

// listen takes the wanted address, or where none is wanted a free port when the
// usual one is taken.
func (c *demoCommand) listen() (net.Listener, error) {
	if c.Address != "" {
		return net.Listen("tcp", c.Address)
	}
	l, err := net.Listen("tcp", demoAddress)
	if errors.Is(err, syscall.EADDRINUSE) {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, err
}

func demoConfig(base, agentURL, database string, scenes []upstreamtest.Scene) *config.Config {
	cfg := config.Default()
	cfg.Server.PublicURL = base
	cfg.Upstream.BaseURL = agentURL
	cfg.Upstream.APIKey = config.NewSecret(demoAgentKey)
	cfg.Store.URL = config.NewSecret("sqlite://" + database)
	cfg.Store.EncryptionKey = config.NewSecret(vault.Generate())
	cfg.Telemetry.LogFormat = "text"
	cfg.Auth.Keys = []config.Key{{
		Name: "demo", CustomerID: demoCustomer, Access: config.AccessWrite, SHA256: sha256.Sum256([]byte(demoKey)),
	}}
	for _, s := range scenes {
		source := registry.ConfigSource{CustomerID: demoCustomer, SourceID: s.SourceID, Name: s.Title, TenantID: s.Tenant.ID}
		if t := s.Tenant.AdServer.Type; t != "" && t != "springserve" { // of that one the gateway learns by asking
			source.AdServer = &registry.AdServer{Type: s.Tenant.AdServer.Type, NetworkCode: s.Tenant.AdServer.NetworkCode}
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
		if _, err := store.CreateSource(ctx, source.Source(), nil); err != nil {
			return err
		}
	}
	return nil
}

// printDemo tells what runs where, what to paste and what to look at.
func printDemo(w io.Writer, base, agent string, scenes []upstreamtest.Scene) {
	curl := fmt.Sprintf("curl -s -H 'Authorization: Bearer %s' %s/api/v2/storefront", demoKey, base)
	fmt.Fprintf(w, `esagate demo: the gateway before a simulated sales agent

  gateway      %s
  sales agent  %s (simulated)
  key          %s (customer %d)

The status of a source, and its headers (Age, Cache-Status, ETag):
  %s/inventory-sources/%s/status
  %s/inventory-sources/%s/status -o /dev/null -D -
Its connection, and all connections:
  %s/inventory-sources/%s/esa
  %s/esa
All sources, agents that others run among them; make one, put it to work, delete it:
  %s/inventory-sources
  %s/inventory-sources -H 'Content-Type: application/json' -d '{"name":"Retail Network Agent","type":"SALES","endpointUrl":"https://agent.example.com/mcp","protocol":"MCP","authenticationType":"API_KEY","auth":{"type":"bearer","token":"made-up"}}'
  %s/inventory-sources/retail-network-agent -X PUT -H 'Content-Type: application/json' -d '{"status":"ACTIVE"}'
  %s/inventory-sources/retail-network-agent -X DELETE

Sources to put in that place, and what to look at:
`, base, agent, demoKey, demoCustomer,
		curl, scenes[0].SourceID, curl, scenes[0].SourceID, curl, scenes[0].SourceID, curl, curl, curl, curl, curl)
	for _, s := range scenes {
		fmt.Fprintf(w, "  %-18s %s\n  %-18s %s\n", s.SourceID, s.Title, "", s.LookAt)
	}
	fmt.Fprintf(w, `
Pull the sales agent's plug, ask again (the last good answers stay, Age grows), and plug it in
(once the breaker has opened, the gateway looks every half minute whether the agent is back):
  curl -s -X POST %[2]s/_agent/down
  curl -s -X POST %[2]s/_agent/up

What the gateway says about itself, and its contract:
  curl -s %[1]s/readyz
  curl -s %[1]s/metrics | grep esagate_
  curl -s %[1]s/openapi.yaml

Ctrl-C ends it.
`, base, agent)
}
