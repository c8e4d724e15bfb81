package main

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"esagate/gateway"
	"esagate/internal/config"
)

// startingTimeout bounds a request that is answered before the gateway is built.
const startingTimeout = 5 * time.Second

// doors are the listeners of a gateway that starts, which answer meanwhile.
type doors struct {
	address, adminAddress string
	listener, admin       net.Listener // admin: nil where there is none
	started               func()       // ends the answers; the listeners stay open
}

// openDoors listens where a config says.
func openDoors(address, adminAddress string) (d *doors, err error) {
	d = &doors{address: address, adminAddress: adminAddress}
	if d.listener, err = listen(address, "--address, or server.address"); err != nil {
		return nil, err
	}
	if adminAddress != "" {
		if d.admin, err = listen(adminAddress, "server.admin_address"); err != nil {
			_ = d.listener.Close()
			return nil, err
		}
	}
	d.started = sync.OnceFunc(whileStarting(d.listener, d.admin))
	return d, nil
}

// at reports whether these are the doors at some addresses.
func (d *doors) at(address, adminAddress string) bool {
	return d != nil && d.address == address && d.adminAddress == adminAddress
}

// close closes them, if they were opened.
func (d *doors) close() {
	if d == nil {
		return
	}
	d.started()
	_ = d.listener.Close()
	if d.admin != nil {
		_ = d.admin.Close()
	}
}

// answerEarly opens the doors before a config that takes seconds to read is read; nil where it can't, or need not.
func (c *serveCommand) answerEarly() *doors {
	address, admin := config.Addresses(c.Config, os.Environ())
	if address == "" {
		return nil
	}
	d, err := openDoors(cmp.Or(c.Address, address), admin)
	if err != nil {
		return nil // said once the config is read: it may have faults
	}
	return d
}

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
