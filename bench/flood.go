package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"esagate/upstream/upstreamtest"
)

const (
	floodKey     = "bench-flood-key" // of a customer of its own
	floodPrefix  = "flood-"          // of its sources
	floodRounds  = 2                 // each a time without the flood and one with it
	floodTime    = 2 * time.Second
	floodReaders = 20                     // others, each with a connection
	floodPause   = 66 * time.Millisecond  // between two reads of one of them: a customer's share
	floodTimes   = 100                    // as much does the flooding customer ask for
	floodConns   = 512                    // over so many connections: a quarter of what the gateway takes
	floodDelay   = 150 * time.Millisecond // of the sales agent for each of its sources
	floodSources = floodRounds * int(floodTime/floodPause) * floodTimes
)

// flood measures what a customer that asks for a hundred times its share, always for sources that were never read,
// leaves of the others' reads from memory.
type flood struct {
	gateway                *child
	next                   chan []byte // its reads, paced
	quiet, flooded         sample[time.Duration]
	mu                     sync.Mutex
	served, refused, other sample[time.Duration]
}

// runFlood goes through the rounds and reports.
func runFlood(ctx context.Context, w *world, _ *settings) (err error) {
	sources := []string{control}
	for i := range floodSources {
		id := floodPrefix + strconv.Itoa(i)
		sources = append(sources, id)
		w.agent.Fault("tnt_"+id, upstreamtest.Fault{Only: upstreamtest.RouteStatus, Delay: floodDelay})
	}
	f := &flood{next: make(chan []byte, floodSources)}
	if f.gateway, err = w.gateway(ctx, "", nil, sources...); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.gateway.stop()) }()
	for round := range floodRounds {
		if err := f.read(ctx, &f.quiet); err != nil {
			return err
		}
		ids := sources[1+round*floodSources/floodRounds:][:floodSources/floodRounds]
		if err := f.round(ctx, ids); err != nil {
			return err
		}
	}
	f.print()
	return nil
}

// round reads from memory while the flood lasts.
func (f *flood) round(ctx context.Context, ids []string) error {
	ctx, stop := context.WithTimeout(ctx, floodTime)
	defer stop()
	var flooding sync.WaitGroup
	failures := make(chan error, floodConns+1)
	flooding.Go(func() {
		tick := time.NewTicker(floodPause)
		defer tick.Stop()
		for ; len(ids) >= floodTimes && ctx.Err() == nil; ids = ids[floodTimes:] {
			<-tick.C
			for _, id := range ids[:floodTimes] {
				f.next <- []byte(strings.Replace(string(statusRequest(id)), clientKey, floodKey, 1))
			}
		}
	})
	for range floodConns {
		flooding.Go(func() { failures <- f.ask(ctx) })
	}
	failures <- f.read(ctx, &f.flooded)
	stop()
	flooding.Wait()
	close(failures)
	var err error
	for e := range failures {
		err = errors.Join(err, e)
	}
	for len(f.next) > 0 { // what no connection was free for
		<-f.next
	}
	return err
}

// ask makes the flood's reads over one connection.
func (f *flood) ask(ctx context.Context) error {
	c, err := dial(f.gateway.address, time.Now().Add(time.Minute))
	if err != nil {
		return err
	}
	defer c.close()
	for {
		select {
		case <-ctx.Done():
			return nil
		case request := <-f.next:
			began := time.Now()
			status, _, err := c.do(request)
			if err != nil {
				return err
			}
			into := &f.other
			switch status {
			case http.StatusOK:
				into = &f.served
			case http.StatusServiceUnavailable:
				into = &f.refused
			}
			f.mu.Lock()
			*into = append(*into, time.Since(began))
			f.mu.Unlock()
		}
	}
}

// read has the others read from memory, for floodTime.
func (f *flood) read(ctx context.Context, into *sample[time.Duration]) error {
	if _, _, err := fetch(f.gateway.address, statusRequest(control)); err != nil {
		return err
	}
	took := make([]sample[time.Duration], floodReaders)
	failures := make([]error, floodReaders)
	end := time.Now().Add(floodTime)
	var readers sync.WaitGroup
	for i := range floodReaders {
		readers.Go(func() {
			c, err := dial(f.gateway.address, end.Add(10*time.Second))
			if err != nil {
				failures[i] = err
				return
			}
			defer c.close()
			request := statusRequest(control)
			for time.Now().Before(end) && failures[i] == nil && pause(ctx, floodPause) == nil {
				began := time.Now()
				status, _, err := c.do(request)
				took[i] = append(took[i], time.Since(began))
				if err == nil && status != http.StatusOK {
					err = fmt.Errorf("a read from memory: status %d", status)
				}
				failures[i] = err
			}
		})
	}
	readers.Wait()
	for _, s := range took {
		*into = append(*into, s...)
	}
	return errors.Join(failures...)
}

func (f *flood) print() {
	fmt.Printf("\nFlood: one customer asks for sources never read before, %d times what each of %d others reads from memory; %d connections, the sales agent takes %s\n\n",
		floodTimes, floodReaders, floodConns, floodDelay)
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprintln(out, "| requests\t| number\t| median\t| p99\t| most\t|")
	fmt.Fprintln(out, "|---\t|---:\t|---:\t|---:\t|---:\t|")
	for _, row := range []struct {
		name string
		took sample[time.Duration]
	}{
		{"others, without the flood", f.quiet}, {"others, with it", f.flooded},
		{"the flood's, served", f.served}, {"the flood's, 503", f.refused}, {"the flood's, another answer", f.other},
	} {
		if len(row.took) > 0 {
			fmt.Fprintf(out, "| %s\t| %d\t| %s\t| %s\t| %s\t|\n", row.name, len(row.took),
				micro(row.took.median()), micro(row.took.percentile(0.99)), micro(row.took.most()))
		}
	}
	_ = out.Flush() // stdout: a reader that has gone needs no table
	fmt.Printf("\nOthers' p99 with the flood to that without it: %.2f\n", ratio(f.flooded.percentile(0.99), f.quiet.percentile(0.99)))
}
