package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"esagate/bench/growth"
	"esagate/internal/pgtest"
	"esagate/internal/redistest"
	"esagate/internal/vault"
	"esagate/upstream/upstreamtest"
)

const (
	growthWarm    = 70 * time.Second // a replica writes each source's first snapshot at once, later ones once a minute
	growthTime    = 60 * time.Second
	growthReaders = 32
	growthCall    = 50 * time.Millisecond // how long the sales agent takes
)

// growthPoints are what is measured for the model of growth.
var growthPoints = []growth.Point{
	{Replicas: 1, Sources: 200, Reads: 100},
	{Replicas: 3, Sources: 200, Reads: 100},
	{Replicas: 3, Sources: 200, Reads: 100, Redis: true},
	{Replicas: 5, Sources: 400, Reads: 300, Redis: true},
}

// runGrowth measures each point and keeps what it found for the model's test.
func runGrowth(ctx context.Context, w *world, s *settings) error {
	w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteStatus, Delay: growthCall})
	defer w.agent.Fault("", upstreamtest.Fault{})
	for i := range growthPoints {
		p := &growthPoints[i]
		p.Zipf, p.CallSeconds = 1, growthCall.Seconds()
		if err := measurePoint(ctx, w, s, p); err != nil {
			return fmt.Errorf("%d replicas: %w", p.Replicas, err)
		}
		measured, err := json.Marshal(p)
		if err != nil {
			return err
		}
		fmt.Println(string(measured))
	}
	if !s.write {
		return nil
	}
	measured, err := json.MarshalIndent(growthPoints, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(w.root, "bench", "growth", "measured.json"), append(measured, '\n'), 0o644)
}

// measurePoint measures one point.
func measurePoint(ctx context.Context, w *world, s *settings, p *growth.Point) (err error) {
	c := &contestant{}
	defer func() { err = errors.Join(err, c.stop()) }()
	database, err := pgtest.Start(ctx)
	if err != nil {
		return err
	}
	c.stops = append(c.stops, database.Stop)
	url, err := database.NewDatabase(ctx)
	if err != nil {
		return err
	}
	env := []string{"ESAGATE_STORE_URL=" + url, "ESAGATE_STORE_ENCRYPTION_KEY=" + vault.Generate()}
	look := &looker{url: url, agent: w.agent}
	if p.Redis {
		if look.redis, err = redistest.Start(ctx); err != nil {
			return err
		}
		c.stops = append(c.stops, look.redis.Stop)
		env = append(env, "ESAGATE_SNAPSHOT_REDIS_URL="+look.redis.URL())
	}
	for i := range p.Sources {
		c.sources = append(c.sources, fmt.Sprintf("growth-%d-%d-%t-%d", p.Replicas, p.Sources, p.Redis, i))
	}
	for range p.Replicas {
		if err := c.serve(w.gateway(ctx, "", env, c.sources...)); err != nil {
			return err
		}
	}
	reading, stop := context.WithCancel(ctx)
	var readers sync.WaitGroup
	failures := make(chan error, growthReaders)
	for range growthReaders {
		readers.Go(func() { failures <- c.readZipf(reading, p) })
	}
	defer readers.Wait()
	defer stop()
	if err := pause(ctx, growthWarm); err != nil {
		return err
	}
	before, err := look.at(ctx)
	if err != nil {
		return err
	}
	if err := pause(ctx, growthTime); err != nil {
		return err
	}
	after, err := look.at(ctx)
	if err != nil {
		return err
	}
	stop()
	readers.Wait()
	close(failures)
	for failed := range failures {
		err = errors.Join(err, failed)
	}
	seconds := after.when.Sub(before.when).Seconds()
	rate := func(name string) float64 { return (after.counts[name] - before.counts[name]) / seconds }
	p.Measured = growth.Rates{Calls: rate("calls"), RedisOps: rate("ops"), RedisBytes: rate("bytes"), RowWrites: rate("rows"),
		RedisConnections: after.counts["redis"], DatabaseConnections: after.counts["connections"]}
	return err
}

// readZipf reads sources at random moments, which of them by a Zipf law, each time at any of the servers, until ctx ends.
func (c *contestant) readZipf(ctx context.Context, p *growth.Point) error {
	var conns []*client
	var requests [][]byte
	for _, source := range c.sources {
		requests = append(requests, statusRequest(source))
	}
	for _, server := range c.servers {
		conn, err := dial(server.address, time.Now().Add(10*time.Minute))
		if err != nil {
			return err
		}
		defer conn.close()
		if _, _, err := conn.do(requests[0]); err != nil { // a connection without a first request is soon closed
			return err
		}
		conns = append(conns, conn)
	}
	pick := growth.Picker(p.Sources, p.Zipf)
	mean := growthReaders / p.Reads // seconds
	for next := time.Now(); ; {
		next = next.Add(time.Duration(rand.ExpFloat64() * mean * float64(time.Second)))
		if pause(ctx, time.Until(next)) != nil {
			return nil
		}
		status, _, err := conns[rand.IntN(len(conns))].do(requests[pick(rand.Float64())])
		if err != nil || status != 200 {
			return errors.Join(fmt.Errorf("status %d", status), err)
		}
	}
}

// looker counts what goes on beside the gateways.
type looker struct {
	url   string
	redis *redistest.Server // nil: none
	agent *upstreamtest.Agent
}

type counted struct {
	when   time.Time
	counts map[string]float64
}

func (l *looker) at(ctx context.Context) (counted, error) {
	c := counted{when: time.Now(), counts: map[string]float64{"calls": float64(l.agent.Calls(""))}}
	conn, err := pgx.Connect(ctx, l.url)
	if err != nil {
		return c, err
	}
	defer conn.Close(ctx)
	var rows, connections int64
	err = conn.QueryRow(ctx, `SELECT
		(SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables)::bigint,
		(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid())`).Scan(&rows, &connections)
	if err != nil || l.redis == nil {
		c.counts["rows"], c.counts["connections"] = float64(rows), float64(connections)
		return c, err
	}
	c.counts["rows"], c.counts["connections"] = float64(rows), float64(connections)
	answer, err := l.redis.Do(ctx, "INFO", "everything")
	text, _ := answer.(string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		number, _ := strconv.ParseFloat(value, 64) // those below are numbers
		switch name {
		case "cmdstat_evalsha", "cmdstat_eval", "cmdstat_publish":
			calls, _, _ := strings.Cut(strings.TrimPrefix(value, "calls="), ",")
			number, _ = strconv.ParseFloat(calls, 64)
			c.counts["ops"] += number
		case "total_net_input_bytes", "total_net_output_bytes":
			c.counts["bytes"] += number
		case "connected_clients":
			c.counts["redis"] = number - 1 // the one that asks
		}
	}
	return c, err
}
