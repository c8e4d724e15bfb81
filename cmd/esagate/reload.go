package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"esagate/internal/background"
	"esagate/internal/config"
	"esagate/transform"
)

// reloadable are the keys, and sections, that are taken over from a changed config. All others
// are read at the start alone.
var reloadable = []string{"auth.keys", "limits", "platform_tasks", "telemetry.log_level"}

// reloader takes over what changes in the config while the gateway runs.
type reloader struct {
	*app
	load   func() (*config.Config, *transform.Tasks, error)
	inUse  *config.Config // as of the last reload; what needs a restart is that of the start
	failed atomic.Bool    // the last one
}

// reloadOn reloads the config at each signal, one at a time: those that come during a reload
// are one more after it.
func (a *app) reloadOn(signals <-chan os.Signal, load func() (*config.Config, *transform.Tasks, error)) {
	inUse := *a.cfg
	r := &reloader{app: a, load: load, inUse: &inUse}
	a.instruments.ConfigReloaded(func() bool { return !r.failed.Load() })
	a.work.Go(context.Background(), "reload", func(ctx context.Context) {
		for {
			select {
			case <-ctx.Done():
				return
			case <-signals:
				err := background.Guard(ctx, a.telemetry.Logger, "reload", r.reload)
				r.failed.Store(err != nil)
			}
		}
	})
}

// reload reads the config as the start does, and takes all of it over that can be, or nothing.
func (r *reloader) reload(context.Context) error {
	log := r.telemetry.Logger
	cfg, tasks, err := r.load()
	if err != nil {
		r.logFaults(err)
		return err
	}
	changed := cfg.Changed(r.inUse)
	var taken, left []string
	for _, path := range changed {
		if slices.ContainsFunc(reloadable, func(key string) bool { return path == key || strings.HasPrefix(path, key+".") }) {
			taken = append(taken, path)
		} else {
			left = append(left, path)
		}
	}
	if err := r.take(cfg, tasks, taken); err != nil {
		return err
	}
	for _, w := range cfg.Warnings {
		log.Warn("the config is good, but", slog.String("note", w))
	}
	if left != nil {
		log.Warn("what has changed in the config needs a restart", slog.String("field", strings.Join(left, ", ")))
	}
	log.Info("the config was reloaded", slog.String("field", strings.Join(taken, ", ")), slog.Int("keys", len(cfg.Auth.Keys)))
	return nil
}

// take puts a config's keys to use, those whose paths are given.
func (r *reloader) take(cfg *config.Config, tasks *transform.Tasks, paths []string) error {
	// Answers are encoded anew for new tasks, so the same ones stay.
	if slices.Contains(paths, "platform_tasks") {
		r.status.Load().SetTasks(tasks)
	}
	r.auth.SetKeys(authConfig(cfg).Keys)
	r.limiter.SetLimits(limitsOf(cfg))
	r.inUse.PlatformTasks, r.inUse.Auth.Keys = cfg.PlatformTasks, cfg.Auth.Keys
	r.inUse.Limits, r.inUse.Telemetry.LogLevel = cfg.Limits, cfg.Telemetry.LogLevel
	return r.telemetry.SetLogLevel(cfg.Telemetry.LogLevel)
}

// logFaults says why a config was not taken over: every fault, and no value.
func (r *reloader) logFaults(err error) {
	log := r.telemetry.Logger
	if bad, ok := errors.AsType[configError](err); ok {
		for _, f := range bad.faults {
			log.Error("a fault of the config", slog.String("field", f.Path), slog.Int("line", f.Line), slog.String("note", f.Message))
		}
	}
	log.Error("the config was not reloaded: the one in use stays, whole")
}
