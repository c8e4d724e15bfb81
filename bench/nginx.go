package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"esagate/internal/processtest"
)

// nginxConfig passes everything on, unbuffered and over connections that are kept, and logs nothing.
const nginxConfig = `daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
	access_log off;
	client_body_temp_path %[1]s/nginx-body;
	proxy_temp_path %[1]s/nginx-proxy;
	fastcgi_temp_path %[1]s/nginx-fastcgi;
	uwsgi_temp_path %[1]s/nginx-uwsgi;
	scgi_temp_path %[1]s/nginx-scgi;
	upstream agent { server %[2]s; keepalive %[4]d; keepalive_requests 1000000000; }
	server {
		listen %[3]s;
		keepalive_requests 1000000000;
		location / {
			proxy_pass http://agent;
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			proxy_buffering off;
			proxy_request_buffering off;
		}
	}
}
`

// nginx starts nginx before an agent.
func (w *world) nginx(ctx context.Context, program, agent string) (*child, error) {
	// nginx does not tell which port it took, so that it has to be a free one.
	port, err := processtest.FreePort()
	if err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	file := filepath.Join(w.folder, "nginx.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, nginxConfig, w.folder, agent, address, idleConns), 0o600); err != nil {
		return nil, err
	}
	return startPeer(ctx, "nginx", address, program, "-e", "stderr", "-p", w.folder, "-c", file)
}
