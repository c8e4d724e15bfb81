package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"esagate/internal/pgtest"
	"esagate/internal/redistest"
	"esagate/internal/vault"
)

// contestant is one way to serve statuses: one server or several that share the load.
type contestant struct {
	name    string
	sources []string // its own, so that calls for it are counted apart
	late    []string // its own too, which nobody reads before an outage
	servers []*child
	beside  func() (time.Duration, bool) // processor time of what its servers share; nil: they share nothing
	stops   []func() error
	load    []result // by round
	seen    *watched
	hang    [2]sample[time.Duration] // the first read of a connection, and the second
}

// stop ends what was started, the last first.
func (c *contestant) stop() error {
	var err error
	for i := len(c.stops) - 1; i >= 0; i-- {
		err = errors.Join(err, c.stops[i]())
	}
	return err
}

// serve takes a server in.
func (c *contestant) serve(server *child, err error) error {
	if err == nil {
		c.servers, c.stops = append(c.servers, server), append(c.stops, server.stop)
	}
	return err
}

// entry is a contestant that can be asked for.
type entry struct {
	part   string // of the command line; empty: in all
	name   string
	single bool // one server, that needs nothing beside it
	start  func(ctx context.Context, w *world, s *settings, c *contestant) error
}

// replicas starts as many gateways over one database, and with Redis over one of that too.
func replicas(count int, redis bool) func(context.Context, *world, *settings, *contestant) error {
	return func(ctx context.Context, w *world, s *settings, c *contestant) error {
		var env []string
		if count > 1 {
			database, err := pgtest.Start(ctx)
			if errors.Is(err, pgtest.ErrNotInstalled) {
				return fmt.Errorf("PostgreSQL: %w", errMissing)
			} else if err != nil {
				return err
			}
			c.stops = append(c.stops, database.Stop)
			url, err := database.NewDatabase(ctx)
			if err != nil {
				return err
			}
			env = append(env, "ESAGATE_STORE_URL="+url, "ESAGATE_STORE_ENCRYPTION_KEY="+vault.Generate())
		}
		if redis {
			server, err := redistest.Start(ctx)
			if errors.Is(err, redistest.ErrNotInstalled) {
				return fmt.Errorf("no redis-server: %w", errMissing)
			} else if err != nil {
				return err
			}
			c.stops = append(c.stops, server.Stop)
			c.beside = func() (time.Duration, bool) { return redisCPU(ctx, server) }
			env = append(env, "ESAGATE_SNAPSHOT_REDIS_URL="+server.URL())
		}
		for range count {
			if err := c.serve(w.gateway(ctx, "", env, append(c.sources, c.late...)...)); err != nil {
				return err
			}
		}
		return nil
	}
}

// redisCPU gives the processor time that a Redis has used.
func redisCPU(ctx context.Context, server *redistest.Server) (time.Duration, bool) {
	answer, err := server.Do(ctx, "INFO", "cpu")
	text, _ := answer.(string)
	var total float64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, parseErr := strconv.ParseFloat(value, 64)
			total, err = total+seconds, errors.Join(err, parseErr)
		}
	}
	return time.Duration(total * float64(time.Second)), err == nil && total > 0
}

// alone is a contestant with one server.
func alone(start func(context.Context, *world, *settings) (*child, error)) func(context.Context, *world, *settings, *contestant) error {
	return func(ctx context.Context, w *world, s *settings, c *contestant) error {
		return c.serve(start(ctx, w, s))
	}
}

// entries are all contestants, in the order of the tables.
var entries = []entry{
	{"", "one replica", true, replicas(1, false)},
	{"cluster", "three replicas, each alone", false, replicas(3, false)},
	{"", "three replicas, one Redis", false, replicas(3, true)},
	{"peers", "nginx with njs", true, alone(startNjs)},
	{"peers", "Varnish (renames nothing)", true, alone(startVarnish)},
	{"peers", "Node BFF", true, alone(startNode)},
}

// start starts all contestants that are wanted. Those whose programs are not installed are said to be missing.
func start(ctx context.Context, w *world, s *settings, sources, late int) (all []*contestant, missing []string, err error) {
	for n, e := range entries {
		if e.part != "" && !s.wants(e.part) {
			continue
		}
		c := &contestant{name: e.name}
		for i := range sources + late {
			id := fmt.Sprintf("contest-%d-%d", n, i)
			w.addTenant(id)
			if i < sources {
				c.sources = append(c.sources, id)
			} else {
				c.late = append(c.late, id)
			}
		}
		all = append(all, c)
		switch err := e.start(ctx, w, s, c); {
		case errors.Is(err, errMissing):
			missing = append(missing, err.Error())
			fmt.Fprintln(os.Stderr, err)
			if err := c.stop(); err != nil {
				return all, missing, err
			}
			all = all[:len(all)-1]
		case err != nil:
			return all, missing, fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return all, missing, nil
}
