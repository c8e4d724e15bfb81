package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"esagate/upstream/upstreamtest"
)

const (
	coldReaders = 200
	coldDelay   = 500 * time.Millisecond
	coldSource  = "never-read"
)

// runCold lets many readers ask at once for a source that was never read,
// while the sales agent takes its time.
func runCold(ctx context.Context, w *world, _ *settings) (err error) {
	gateway, err := w.gateway(ctx, "", nil, coldSource)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.stop()) }()
	tenant := "tnt_" + coldSource
	w.agent.Fault(tenant, upstreamtest.Fault{Only: upstreamtest.RouteStatus, Delay: coldDelay})
	before := w.agent.Calls(tenant)

	clients := make([]*client, coldReaders)
	for i := range clients {
		c, err := dial(gateway.address, time.Now().Add(15*time.Second))
		if err != nil {
			return err
		}
		defer c.close()
		clients[i] = c
	}
	request := statusRequest(coldSource)
	answers := make([]int, coldReaders)
	failures := make([]error, coldReaders)
	took := make(sample[time.Duration], coldReaders)
	start := make(chan struct{})
	var readers sync.WaitGroup
	for i, c := range clients {
		readers.Go(func() {
			<-start
			began := time.Now()
			answers[i], _, failures[i] = c.do(request)
			took[i] = time.Since(began)
		})
	}
	close(start)
	readers.Wait()
	if err := errors.Join(append(failures, ctx.Err())...); err != nil {
		return err
	}
	good := 0
	for _, status := range answers {
		if status == 200 {
			good++
		}
	}
	fmt.Printf("\nCold: %d readers at once of a source never read before, the sales agent taking %s\n\n", coldReaders, coldDelay)
	fmt.Println("| readers | answered 200 | status calls upstream | median wait | longest wait |")
	fmt.Println("|---:|---:|---:|---:|---:|")
	fmt.Printf("| %d | %d | %d | %d ms | %d ms |\n", coldReaders, good, w.agent.Calls(tenant)-before,
		took.median().Milliseconds(), took.most().Milliseconds())
	return nil
}
