package main

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
	"time"

	"esagate/internal/processtest"
	"esagate/upstream/upstreamtest"
)

// The configs of the other programs that can stand where the gateway does.
//
//go:embed peers
var peerFiles embed.FS

// errMissing says that a program is not installed here.
var errMissing = errors.New("not installed here")

// njsModule is what nginx of Debian needs to run scripts (libnginx-mod-http-js).
const njsModule = "/usr/lib/nginx/modules/ngx_http_js_module.so"

// peerSettings is what the configs are made of.
type peerSettings struct {
	Folder, Address, Key             string
	Agent, AgentHost, AgentPort      string
	AgentPath, AgentHeader, AgentKey string
	NjsModule                        string
}

// peer makes a folder with the configs of the other programs, for a free port.
func (w *world) peer(name string) (p peerSettings, err error) {
	p = peerSettings{
		Folder: filepath.Join(w.folder, name), Key: clientKey, Agent: w.server.Addr(),
		AgentPath: upstreamtest.BasePath, NjsModule: njsModule, AgentHeader: upstreamtest.KeyHeader, AgentKey: agentKey,
	}
	if p.AgentHost, p.AgentPort, err = net.SplitHostPort(p.Agent); err != nil {
		return p, err
	}
	port, err := processtest.FreePort()
	if err != nil {
		return p, err
	}
	p.Address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	if err := os.MkdirAll(p.Folder, 0o755); err != nil { // nginx' workers have a user of their own
		return p, err
	}
	configs, err := template.ParseFS(peerFiles, "peers/*")
	if err != nil {
		return p, err
	}
	for _, t := range configs.Templates() {
		var text strings.Builder
		if err := t.Execute(&text, p); err != nil {
			return p, err
		}
		if err := os.WriteFile(filepath.Join(p.Folder, t.Name()), []byte(text.String()), 0o644); err != nil {
			return p, err
		}
	}
	return p, nil
}

// startPeer runs a program that does not tell when it serves.
func startPeer(ctx context.Context, name, address, program string, args ...string) (*child, error) {
	program, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, errMissing)
	}
	c, err := launch(name, nil, program, args...)
	if err != nil {
		return nil, err
	}
	c.address = address
	for range int(startTimeout / (50 * time.Millisecond)) {
		if conn, err := net.Dial("tcp", address); err == nil {
			return c, conn.Close()
		}
		if pause(ctx, 50*time.Millisecond) != nil {
			break
		}
	}
	_ = c.stop() // the reason for stopping is the one to tell
	return nil, fmt.Errorf("start %s: it does not serve\n%s", name, c.log.tail())
}

func startNjs(ctx context.Context, w *world, s *settings) (*child, error) {
	if _, err := os.Stat(njsModule); err != nil {
		return nil, fmt.Errorf("nginx with njs (Debian: libnginx-mod-http-js): %w", errMissing)
	}
	p, err := w.peer("njs")
	if err != nil {
		return nil, err
	}
	// Its workers have a user of their own, who has to get to the socket.
	if err := os.Chmod(w.folder, 0o711); err != nil {
		return nil, err
	}
	return startPeer(ctx, "nginx with njs", p.Address, s.nginx, "-e", "stderr", "-p", p.Folder, "-c", filepath.Join(p.Folder, "nginx.conf"))
}

func startVarnish(ctx context.Context, w *world, _ *settings) (*child, error) {
	p, err := w.peer("varnish")
	if err != nil {
		return nil, err
	}
	return startPeer(ctx, "Varnish", p.Address, "varnishd", "-F", "-j", "none", "-n", filepath.Join(p.Folder, "work"),
		"-a", p.Address, "-f", filepath.Join(p.Folder, "varnish.vcl"), "-s", "malloc,2g")
}

func startNode(ctx context.Context, w *world, _ *settings) (*child, error) {
	p, err := w.peer("node")
	if err != nil {
		return nil, err
	}
	program, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("no node: %w", errMissing)
	}
	return startChild(ctx, "Node BFF", nil, program, filepath.Join(p.Folder, "bff.mjs"), w.server.URL(), p.AgentPath, p.AgentHeader, p.AgentKey, p.Key)
}
