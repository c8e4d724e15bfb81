package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// warmup precedes each measured time and is not counted.
const warmup = 200 * time.Millisecond

// target is one thing to be driven.
type target struct {
	name    string
	servers []*child                     // connections are spread over them
	beside  func() (time.Duration, bool) // processor time of what they share, which is theirs too; nil: nothing
	// request makes the request of the nth connection. The tag is empty but for a conditional target.
	request func(n int, etag string) []byte
	// conditional: the tag of the newest answer is sent along, and 304 is the
	// answer that counts. A 200 (the document has changed) brings a new tag.
	conditional bool
}

// result is one target in one round.
type result struct {
	rate float64       // requests per second
	cpu  time.Duration // of the servers, per request; 0: not known
	p99  time.Duration // of the time from a request to the end of its answer
	size float64       // body bytes per answer
	full float64       // share of answers that were not a 304
}

// tally counts one connection's answers, in cache lines of its own.
type tally struct {
	requests, full, bytes atomic.Int64
	took                  sample[time.Duration] // while measuring; read when the connection's work has ended
	_                     [16]byte
}

// stage is how far a target's drive is: all its connections follow it.
type stage struct{ atomic.Int32 }

const (
	warming int32 = iota
	measuring
	stopping
)

func sum(tallies []tally) (requests, full, bytes int64) {
	for i := range tallies {
		requests += tallies[i].requests.Load()
		full += tallies[i].full.Load()
		bytes += tallies[i].bytes.Load()
	}
	return requests, full, bytes
}

// drive keeps so many connections busy with a target and measures for d, after a
// warm-up. Any answer that is not the one expected ends it with an error.
func drive(ctx context.Context, t target, connections int, d time.Duration) (result, error) {
	deadline := time.Now().Add(warmup + d + 10*time.Second)
	clients := make([]*client, 0, connections)
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	for n := range connections {
		c, err := dial(t.servers[n%len(t.servers)].address, deadline)
		if err != nil {
			return result{}, err
		}
		clients = append(clients, c)
	}

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	tallies := make([]tally, connections)
	var at stage
	var workers sync.WaitGroup
	for i, c := range clients {
		workers.Go(func() {
			if err := t.work(c, i, &tallies[i], &at); err != nil {
				fail(fmt.Errorf("%s: %w", t.name, err))
			}
		})
	}
	r, err := t.measure(ctx, tallies, &at, d)
	at.Store(stopping)
	workers.Wait()
	var took sample[time.Duration]
	for i := range tallies {
		took = append(took, tallies[i].took...)
	}
	r.p99 = took.percentile(0.99)
	return r, err
}

// cpu gives the processor time that all of a target's processes have used.
func (t target) cpu() (total time.Duration, known bool) {
	if t.beside != nil {
		if total, known = t.beside(); !known {
			return 0, false
		}
	}
	for _, c := range t.servers {
		used, ok := c.cpu()
		if !ok {
			return 0, false
		}
		total += used
	}
	return total, true
}

// measure reads the tallies at both ends of the measured time.
func (t target) measure(ctx context.Context, tallies []tally, at *stage, d time.Duration) (result, error) {
	if err := pause(ctx, warmup); err != nil {
		return result{}, err
	}
	at.Store(measuring)
	cpu, known := t.cpu()
	requests, full, bytes := sum(tallies)
	began := time.Now()
	if err := pause(ctx, d); err != nil {
		return result{}, err
	}
	requests2, full2, bytes2 := sum(tallies)
	took := time.Since(began)
	cpu2, known2 := t.cpu()

	n := requests2 - requests
	if n == 0 {
		return result{}, fmt.Errorf("%s: no answer in %s", t.name, took)
	}
	r := result{rate: float64(n) / took.Seconds(), size: float64(bytes2-bytes) / float64(n), full: float64(full2-full) / float64(n)}
	if known && known2 {
		r.cpu = (cpu2 - cpu) / time.Duration(n)
	}
	return r, nil
}

// work asks over the nth connection until it is told to stop.
func (t target) work(c *client, n int, counted *tally, at *stage) error {
	request := t.request(n, "")
	if t.conditional {
		var err error
		if request, err = t.conditionalRequest(c, n); err != nil {
			return err
		}
	}
	for now := at.Load(); now != stopping; now = at.Load() {
		began := time.Now()
		status, length, err := c.do(request)
		if err != nil {
			return err
		}
		if now == measuring {
			counted.took = append(counted.took, time.Since(began))
		}
		counted.requests.Add(1)
		switch {
		case status == 304 && t.conditional:
			continue
		case status != 200:
			return fmt.Errorf("status %d", status)
		}
		counted.full.Add(1)
		counted.bytes.Add(int64(length))
		if t.conditional {
			if request, err = t.conditionalRequest(c, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// conditionalRequest asks for the document as it is now and makes the request of
// one who holds it.
func (t target) conditionalRequest(c *client, n int) ([]byte, error) {
	c.keep = true
	defer func() { c.keep = false }()
	status, _, err := c.do(t.request(n, ""))
	switch {
	case err != nil:
		return nil, err
	case status != 200 || c.etag == "":
		return nil, fmt.Errorf("status %d and ETag %q, where a tag is needed", status, c.etag)
	}
	return t.request(n, c.etag), nil
}

// pause waits for d, or for the end of ctx and gives its cause.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
