package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"esagate/upstream/upstreamtest"
)

const (
	contestSources = 16 // of each contestant
	contestLate    = 4
	contestFresh   = 5 * time.Second  // how long a copy is fresh with all contestants
	contestCount   = 30 * time.Second // in which calls are counted
	contestDown    = 10 * time.Second // the outage
	contestReturn  = 40 * time.Second // how long after an outage everything is waited for
	contestHangs   = 8                // sources that are read while the sales agent hangs
)

// runContest holds the gateway's replicas, and other programs in their place, against each other.
func runContest(ctx context.Context, w *world, s *settings) (err error) {
	all, missing, err := start(ctx, w, s, contestSources, contestLate)
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop())
		}
	}()
	if err != nil {
		return err
	}
	bare, err := contestLoad(ctx, w, s, all)
	if err != nil {
		return err
	}
	down, up, err := contestOutage(ctx, w, all)
	if err != nil {
		return err
	}
	if err := contestHang(ctx, w, all); err != nil {
		return err
	}
	return s.report(w, "contest", printContest(all, bare, missing, down, up))
}

// target reads the contestant's sources, each connection one of them.
func (c *contestant) target() target {
	return target{name: c.name, servers: c.servers, beside: c.beside, request: func(n int, _ string) []byte {
		return statusRequest(c.sources[n%len(c.sources)])
	}}
}

// contestLoad drives all in every round, the order rotating, and beside them a bare handler.
func contestLoad(ctx context.Context, w *world, s *settings, all []*contestant) (bare *contestant, err error) {
	document, status, err := fetch(all[0].servers[0].address, statusRequest(all[0].sources[0]))
	if err != nil || status != 200 {
		return nil, errors.Join(fmt.Errorf("status %d", status), err)
	}
	bare = &contestant{name: "bare handler", sources: all[0].sources}
	if err := bare.serve(w.bare(ctx, document.body, nil)); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	driven := append([]*contestant{bare}, all...)
	for round := range s.rounds {
		for i := range driven {
			c := driven[(round+i)%len(driven)]
			r, err := drive(ctx, c.target(), s.connections, s.time)
			if err != nil {
				return nil, err
			}
			c.load = append(c.load, r)
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, s.rounds)
	}
	return bare, nil
}

// contestOutage has readers follow all sources of all contestants at once, all the time: at first to count calls, and then
// through an outage of the sales agent, until what it says afterwards has come to every reader.
func contestOutage(ctx context.Context, w *world, all []*contestant) (down, up time.Time, err error) {
	for _, c := range all {
		c.seen = &watched{of: c}
		defer c.seen.stop()
	}
	// Readers begin one after the other, so that no moment is that of all calls.
	for i := range contestSources {
		for _, c := range all {
			c.seen.follow(ctx, c.sources[i], false)
		}
		if err := pause(ctx, contestFresh/contestSources); err != nil {
			return down, up, err
		}
	}
	if err := pause(ctx, contestFresh); err != nil {
		return down, up, err
	}
	for _, c := range all {
		c.seen.calls = -w.calls(c.sources)
	}
	if err := pause(ctx, contestCount); err != nil {
		return down, up, err
	}
	for _, c := range all {
		c.seen.calls += w.calls(c.sources)
	}
	fmt.Fprintln(os.Stderr, "calls counted")

	down = time.Now()
	w.agent.SetDown(true)
	for _, c := range all {
		for _, source := range c.late {
			c.seen.follow(ctx, source, true)
		}
	}
	if err := pause(ctx, contestDown); err != nil {
		return down, up, err
	}
	for _, c := range all {
		for _, source := range append(c.sources, c.late...) {
			w.mark(source)
		}
	}
	up = time.Now()
	w.agent.SetDown(false)
	for range int(contestReturn / (100 * time.Millisecond)) {
		done := true
		for _, c := range all {
			done = done && c.seen.recovered()
		}
		if done {
			break
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return down, up, err
		}
	}
	return down, up, nil
}

// calls gives how many status calls of some sources reached the sales agent.
func (w *world) calls(sources []string) (total int) {
	for _, source := range sources {
		total += w.agent.Calls("tnt_" + source)
	}
	return total
}

// contestHang reads copies past their freshness while the sales agent answers nothing, twice on each connection, one
// connection after the other.
func contestHang(ctx context.Context, w *world, all []*contestant) error {
	for _, c := range all {
		for i := range contestHangs {
			for _, server := range c.servers {
				if _, status, err := fetch(server.address, statusRequest(c.sources[i])); err != nil || status != 200 {
					return errors.Join(fmt.Errorf("%s: status %d", c.name, status), err)
				}
			}
		}
	}
	w.agent.Fault("", upstreamtest.Fault{Hang: true})
	defer w.agent.Fault("", upstreamtest.Fault{})
	if err := pause(ctx, contestFresh*6/5); err != nil {
		return err
	}
	for i := range contestHangs {
		for n := range all {
			if err := all[(i+n)%len(all)].readHanging(i); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// readHanging reads the ith source twice on a new connection.
func (c *contestant) readHanging(i int) error {
	conn, err := dial(c.servers[i%len(c.servers)].address, time.Now().Add(30*time.Second))
	if err != nil {
		return err
	}
	defer conn.close()
	for n := range c.hang {
		began := time.Now()
		status, _, err := conn.do(statusRequest(c.sources[i]))
		if err != nil || status != 200 {
			return errors.Join(fmt.Errorf("%s, while the sales agent hangs: status %d", c.name, status), err)
		}
		c.hang[n] = append(c.hang[n], time.Since(began))
	}
	return nil
}
