package gateway

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server's connections.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 60 * time.Second
	idleTimeout       = 120 * time.Second
	drainTimeout      = 18 * time.Second // for requests in flight at a stop
	adminDrainTimeout = time.Second      // beside the drainTimeout that has passed by then
	adminWriteTimeout = 90 * time.Second // a profile takes up to 60 s

	// net/http answers 431 in plain text above its own limit; maxHeaderBytes, above
	// which the gateway answers as the contract says, lies below it.
	serverHeaderBytes = 2 * maxHeaderBytes
)

// newServer makes a server of the connections that a limit lets in.
func (g *Gateway) newServer(handler http.Handler, limit *connLimit) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout,
		WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes:               serverHeaderBytes,
		DisableGeneralOptionsHandler: true, // "OPTIONS *" is answered like all that needs a key
		ConnContext:                  withConn, ConnState: limit.connState,
		ErrorLog: log.New(serverLog{g.log}, "", 0),
	}
}

// Serve answers on a listener until ctx ends, then lets the requests in flight
// finish, for at most 18 s. It returns nil after a clean stop.
func (g *Gateway) Serve(ctx context.Context, listener net.Listener) error {
	limit := newConnLimit(gatheringListener{listener}, g.cfg.MaxConnections, g.cfg.MaxConnectionsPerAddress, g.ins.ConnectionRefused)
	server := g.newServer(g, limit)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(limit) }()
	g.SetReady()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	g.SetStopping()
	g.log.Info("stopping", slog.Duration("timeout", drainTimeout))
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	err := server.Shutdown(drain)
	if err != nil {
		_ = server.Close() // what has not finished by now is cut
	}
	<-failed
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("requests were still running when the time to stop was up")
	}
	return err
}

// ServeAdmin answers on the operator's own listener until ctx ends: health, readiness with
// its details, metrics and profiles. A profile that is being taken then ends early.
func (g *Gateway) ServeAdmin(ctx context.Context, listener net.Listener) error {
	limit := newConnLimit(gatheringListener{listener}, maxAdminConnections, maxAdminConnections, g.ins.ConnectionRefused)
	server := g.newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(g.admin, w, r) }), limit)
	server.WriteTimeout = adminWriteTimeout
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(limit) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminDrainTimeout)
	defer cancel()
	if server.Shutdown(drain) != nil {
		_ = server.Close() // a reader of metrics that does not read must not keep the process
	}
	<-failed
	return nil
}

// serverLog receives net/http's own log lines, which may quote a client's bytes: it
// logs, at debug, that there was one, and not what it said.
type serverLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (l serverLog) Write(p []byte) (int, error) {
	l.log.Debug("the HTTP server reported a fault of a connection", slog.Int("bytes", len(p)))
	return len(p), nil
}
