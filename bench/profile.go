package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// profileTime is how long each server is profiled.
const profileTime = 10 * time.Second

// runProfile drives both servers with plain reads and has each write down where
// its time goes and what it allocates.
func runProfile(ctx context.Context, w *world, s *settings) (err error) {
	folder, err := filepath.Abs(s.profile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	file := func(name string) string { return filepath.Join(folder, name+".cpu.pprof") }
	env := func(name string) []string { return []string{profileVar + "=" + file(name)} }
	gateway, bare, err := servers(ctx, w, env("gateway"), env("bare"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop(), gateway.stop()) }()
	for _, t := range targets(bare, gateway)[:2] {
		if err := t.server.order("start"); err != nil {
			return err
		}
		r, err := drive(ctx, t, s.connections, profileTime)
		if err != nil {
			return err
		}
		if err := t.server.order("stop"); err != nil {
			return err
		}
		select {
		case <-t.server.log.profiled:
		case <-time.After(startTimeout):
			return fmt.Errorf("%s has written no profile\n%s", t.server.name, t.server.log.tail())
		case <-ctx.Done():
			return ctx.Err()
		}
		fmt.Printf("%s: %.0f requests/s, %.1f us of processor time each (profiled)\n", t.name, r.rate, float64(r.cpu)/float64(time.Microsecond))
	}
	fmt.Printf("\ngo tool pprof -top -cum %s\ngo tool pprof -top -sample_index=alloc_space %s.allocs\n", file("gateway"), file("gateway"))
	return nil
}
