package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"esagate/gateway"
)

// startingTimeout bounds a request that is answered before the gateway is built.
const startingTimeout = 5 * time.Second

// whileStarting answers on listeners that the gateway is alive and does not serve yet, until stop is called; the
// listeners are the caller's again then. Many sources take a while to be taken over.
func whileStarting(listeners ...net.Listener) (stop func()) {
	server := &http.Server{Handler: gateway.Starting(), ReadTimeout: startingTimeout, WriteTimeout: startingTimeout,
		MaxHeaderBytes: 8 << 10}
	server.SetKeepAlivesEnabled(false) // the next request is for the gateway itself
	ended := make(chan struct{})
	open := 0
	for _, l := range listeners {
		if tcp, ok := l.(*net.TCPListener); ok {
			open++
			go func() {
				_ = server.Serve(lent{tcp})
				ended <- struct{}{}
			}()
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		for range open {
			<-ended
		}
		for _, l := range listeners {
			if tcp, ok := l.(*net.TCPListener); ok {
				_ = tcp.SetDeadline(time.Time{})
			}
		}
	}
}

// lent is a listener that stays open when it is closed: what waits for a connection is woken.
type lent struct{ *net.TCPListener }

// Close implements net.Listener.
func (l lent) Close() error { return l.SetDeadline(time.Unix(1, 0)) }
