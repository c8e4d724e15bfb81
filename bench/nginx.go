package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
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

// errNoNginx says that there is no such program.
var errNoNginx = errors.New("there is no nginx (Debian: apt-get install nginx; elsewhere say -nginx PROGRAM)")

// nginx starts nginx before an agent.
func (w *world) nginx(ctx context.Context, program, agent string) (*child, error) {
	program, err := exec.LookPath(program)
	if err != nil {
		return nil, errNoNginx
	}
	// nginx does not tell which port it took, so that it has to be a free one.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	file := filepath.Join(w.folder, "nginx.conf")
	if err := errors.Join(l.Close(), os.WriteFile(file, fmt.Appendf(nil, nginxConfig, w.folder, agent, address, idleConns), 0o600)); err != nil {
		return nil, err
	}
	c, err := launch("nginx", nil, program, "-e", "stderr", "-p", w.folder, "-c", file)
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
	return nil, fmt.Errorf("start nginx: it does not serve\n%s", c.log.tail())
}
