package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"esagate/upstream/upstreamtest"
)

const (
	hangFresh  = time.Second // snapshot.fresh of this part's gateway
	hangCycles = 8           // each with a source of its own
	hangDials  = 20          // connections a cycle of which the first two requests are looked at
	hangReads  = 400         // pairs of reads a cycle on one connection
	control    = "control"   // the source whose sales agent answers
)

// latencies are the two sides of one comparison.
type latencies struct{ fresh, stale sample[time.Duration] }

// hang measures reads of copies that are over their freshness while their
// refresh hangs, in turn with reads of a fresh copy of the same kind.
type hang struct {
	w       *world
	gateway *child

	waking               latencies // the first after a pause; a stale one begins the refresh
	first, second, later latencies // by the request's place on its connection
}

// runHang goes through the cycles and reports.
func runHang(ctx context.Context, w *world, _ *settings) (err error) {
	sources := []string{control}
	for i := range hangCycles {
		sources = append(sources, "hanging-"+strconv.Itoa(i+1))
	}
	h := &hang{w: w}
	h.gateway, err = w.gateway(ctx, fmt.Sprintf("snapshot: {fresh: %s}\n", hangFresh), nil, sources...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.gateway.stop()) }()
	for i, source := range sources[1:] {
		if err := h.cycle(ctx, source, i%2 == 1); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	h.print()
	return nil
}

// cycle warms a source's copy, lets the sales agent hang for it, waits until the
// copy is no longer fresh, and measures. Which kind of read comes first after the
// wait is told by staleFirst: it has to wake everything up.
func (h *hang) cycle(ctx context.Context, source string, staleFirst bool) error {
	tenant := "tnt_" + source
	stale, fresh := statusRequest(source), statusRequest(control)
	switch _, status, err := fetch(h.gateway.address, stale); {
	case err != nil:
		return err
	case status != 200:
		return fmt.Errorf("status %d, and so no copy to begin with", status)
	}
	h.w.agent.Fault(tenant, upstreamtest.Fault{Hang: true})
	defer h.w.agent.Fault(tenant, upstreamtest.Fault{})
	if err := pause(ctx, hangFresh+100*time.Millisecond); err != nil {
		return err
	}
	// Now both are over their freshness. The control is refreshed by being read.
	if _, _, err := fetch(h.gateway.address, fresh); err != nil {
		return err
	}
	if err := pause(ctx, 200*time.Millisecond); err != nil {
		return err
	}
	first := &h.waking
	for range hangDials {
		readFresh := func() error { return h.firstTwo(fresh, false, &first.fresh, &h.second.fresh) }
		readStale := func() error { return h.firstTwo(stale, true, &first.stale, &h.second.stale) }
		order := []func() error{readFresh, readStale}
		if staleFirst {
			slices.Reverse(order)
		}
		for _, read := range order {
			if err := read(); err != nil {
				return err
			}
		}
		first = &h.first
	}
	if err := h.pairs(ctx, fresh, stale); err != nil {
		return err
	}
	if now, _ := h.w.agent.InFlightStatus(tenant); now != 1 {
		return fmt.Errorf("%d status calls hang, where 1 should", now)
	}
	return nil
}

// firstTwo times the first and the second request of a new connection.
func (h *hang) firstTwo(request []byte, stale bool, first, second *sample[time.Duration]) error {
	c, err := dial(h.gateway.address, time.Now().Add(10*time.Second))
	if err != nil {
		return err
	}
	defer c.close()
	for _, into := range []*sample[time.Duration]{first, second} {
		if err := timed(c, request, stale, into); err != nil {
			return err
		}
	}
	return nil
}

// pairs reads the fresh and the stale source in turn over one connection.
func (h *hang) pairs(ctx context.Context, fresh, stale []byte) error {
	c, err := dial(h.gateway.address, time.Now().Add(30*time.Second))
	if err != nil {
		return err
	}
	defer c.close()
	for range hangReads {
		if err := errors.Join(timed(c, fresh, false, &h.later.fresh), timed(c, stale, true, &h.later.stale), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// timed asks once. A control that happens to be refreshed just now is no fresh
// read and is left out; a stale source must be served stale.
func timed(c *client, request []byte, stale bool, into *sample[time.Duration]) error {
	c.keep = true
	began := time.Now()
	status, _, err := c.do(request)
	took := time.Since(began)
	switch served := strings.Contains(c.cache, "ttl="); {
	case err != nil:
		return err
	case status != 200:
		return fmt.Errorf("status %d", status)
	case stale && !served:
		return fmt.Errorf("not served from the stale copy, but %q", c.cache)
	case served == stale && strings.Contains(c.cache, "hit"):
		*into = append(*into, took)
	}
	return nil
}

func (h *hang) print() {
	fmt.Printf("\nHang: the sales agent answers nothing, the copy is older than %s; %d cycles, fresh and stale reads in turn, one connection at a time\n\n",
		hangFresh, hangCycles)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| request\t| fresh: median\t| p99\t| most\t| stale, hanging: median\t| p99\t| most\t| medians\t| reads\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|---:\t|")
	for _, row := range []struct {
		name string
		latencies
	}{
		{"first of a connection, after a pause", h.waking},
		{"first of a connection", h.first},
		{"second of a connection", h.second},
		{"later ones", h.later},
	} {
		f, s := row.fresh, row.stale
		fmt.Fprintf(out, "| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %s\t| %.2f\t| %d + %d\t|\n", row.name,
			micro(f.median()), micro(f.percentile(0.99)), micro(f.most()),
			micro(s.median()), micro(s.percentile(0.99)), micro(s.most()),
			ratio(s.median(), f.median()), len(f), len(s))
	}
	_ = out.Flush() // stdout: a reader that has gone needs no table
}

func micro(d time.Duration) string { return fmt.Sprintf("%d us", d.Microseconds()) }
