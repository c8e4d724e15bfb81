package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// profileTime is how long each server is profiled under each load.
const profileTime = 10 * time.Second

// releaseProfile is the profile that release builds use, in the module.
const releaseProfile = "cmd/esagate/release.pgo"

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
		if err := profiled(ctx, s, t.servers[0], t); err != nil {
			return err
		}
	}
	fmt.Printf("\ngo tool pprof -top -cum %s\ngo tool pprof -top -sample_index=alloc_space %s.allocs\n", file("gateway"), file("gateway"))
	return nil
}

// runRenew writes a new profile for release builds: of cached reads in each form, and of what refreshes them.
func runRenew(ctx context.Context, w *world, s *settings) (err error) {
	file := filepath.Join(w.folder, "release.pgo")
	gateway, bare, err := servers(ctx, w, []string{profileVar + "=" + file}, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop(), gateway.stop()) }()
	if err := profiled(ctx, s, gateway, targets(bare, gateway)[1:]...); err != nil {
		return err
	}
	profile, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.root, releaseProfile), profile, 0o644)
}

// profiled has a server write down where its time goes while it is driven in some ways, one after the other.
func profiled(ctx context.Context, s *settings, server *child, ways ...target) error {
	if err := server.order("start"); err != nil {
		return err
	}
	for _, t := range ways {
		r, err := drive(ctx, t, s.connections, profileTime)
		if err != nil {
			return err
		}
		fmt.Printf("%s: %.0f requests/s, %.1f us of processor time each (profiled)\n", t.name, r.rate, float64(r.cpu)/float64(time.Microsecond))
	}
	if err := server.order("stop"); err != nil {
		return err
	}
	select {
	case <-server.log.profiled:
		return nil
	case <-time.After(startTimeout):
		return fmt.Errorf("%s has written no profile\n%s", server.name, server.log.tail())
	case <-ctx.Done():
		return ctx.Err()
	}
}
