package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopSignals end the gateway.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// delayedStop gives a context that ends server.shutdown_delay after ctx, or with the next stop
// signal. Until then /readyz says that the gateway stops, and requests are served.
func (a *app) delayedStop(ctx context.Context) context.Context {
	delay := a.cfg.Server.ShutdownDelay
	if delay == 0 {
		return ctx
	}
	signals := make(chan os.Signal, 2) // the first of them ends ctx
	signal.Notify(signals, stopSignals...)
	if ctx.Err() != nil { // nobody was told to come
		signal.Stop(signals)
		return ctx
	}
	stop, end := context.WithCancel(context.WithoutCancel(ctx))
	a.work.Go(ctx, "shutdown delay", func(life context.Context) {
		defer end()
		defer signal.Stop(signals) // one more ends the process
		select {
		case <-life.Done():
			return
		case <-ctx.Done():
		}
		a.gateway.SetStopping()
		a.telemetry.Logger.Info("to be stopped: requests are served for the delay", slog.Duration("after", delay))
		over := time.After(delay)
		for range 2 {
			select {
			case <-life.Done():
				return
			case <-over:
				return
			case <-signals:
			}
		}
	})
	return stop
}
