package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"esagate/upstream/upstreamtest"
)

// Watchers of one source against those who poll it.
const (
	watchKeys   = 100
	keyStreams  = 20 // of each, as many as a key may have
	watchers    = watchKeys * keyStreams
	pollEvery   = 5 * time.Second
	watchTime   = 20 * time.Second // heartbeats come as often
	pollTime    = 15 * time.Second
	dialAtOnce  = 16
	watchSource = "harbour-live"
)

// watchKey is the nth key of those that watch and poll.
func watchKey(n int) string { return "bench-watcher-key-" + strconv.Itoa(n) }

// crowd is connections that are read until they are closed.
type crowd struct {
	conns  []net.Conn
	read   sync.WaitGroup
	events atomic.Int64
	lost   atomic.Int64 // connections that ended before they were closed
	closed atomic.Bool
}

func (c *crowd) close() {
	c.closed.Store(true)
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.read.Wait()
}

// follow reads a stream and counts its events.
func (c *crowd) follow(r *bufio.Reader) {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			if !c.closed.Load() {
				c.lost.Add(1)
			}
			return
		}
		if strings.HasPrefix(string(line), "event: status.changed") {
			c.events.Add(1)
		}
	}
}

// gather opens some connections.
func gather(ctx context.Context, address string, count int, begin func(c *crowd, n int, conn net.Conn) error) (*crowd, error) {
	c := &crowd{conns: make([]net.Conn, count)}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	turn := make(chan struct{}, dialAtOnce)
	var opened sync.WaitGroup
	for n := range count {
		opened.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err == nil {
				c.conns[n] = conn
				err = begin(c, n, conn)
			}
			if err != nil {
				fail(err)
			}
		})
	}
	opened.Wait()
	if err := context.Cause(ctx); err != nil {
		for _, conn := range c.conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
		c.closed.Store(true)
		c.read.Wait()
		return nil, err
	}
	return c, nil
}

func startWatching(c *crowd, n int, conn net.Conn) error {
	if _, err := fmt.Fprintf(conn, "GET /api/v2/storefront/events?sourceId=%s HTTP/1.1\r\nHost: gateway.test\r\nAuthorization: Bearer %s\r\n\r\n",
		watchSource, watchKey(n/keyStreams)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	status, err := r.ReadString('\n')
	if err != nil || !strings.Contains(status, " 200 ") {
		return errors.Join(fmt.Errorf("a stream is answered with %q", status), err)
	}
	c.read.Go(func() { c.follow(r) })
	return nil
}

// runWatch compares what both kinds of readers cost the gateway.
func runWatch(ctx context.Context, w *world, _ *settings) (err error) {
	w.keys = watchKeys
	defer func() { w.keys = 0 }()
	gateway, err := w.gateway(ctx, "", []string{
		"ESAGATE_SERVER_MAX_CONNECTIONS=" + strconv.Itoa(5*watchers), "ESAGATE_SERVER_MAX_CONNECTIONS_PER_ADDRESS=" + strconv.Itoa(5*watchers),
	}, watchSource)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, gateway.stop()) }()
	if _, status, err := fetch(gateway.address, statusRequest(watchSource)); err != nil || status != 200 {
		return errors.Join(fmt.Errorf("the gateway answers %d", status), err)
	}
	// Others are held against one, for whom the source is kept fresh as for all.
	crowd, err := gather(ctx, gateway.address, 1, startWatching)
	if err != nil {
		return err
	}
	one, err := gateway.spends(ctx, watchTime, nil)
	crowd.close()
	if err != nil {
		return err
	}
	before, _, _ := gateway.memory()

	crowd, err = gather(ctx, gateway.address, watchers, startWatching)
	if err != nil {
		return err
	}
	after, _, _ := gateway.memory()
	quiet, err := gateway.spends(ctx, watchTime, nil)
	if err != nil {
		crowd.close()
		return err
	}
	heard := crowd.events.Load()
	lively, err := gateway.spends(ctx, watchTime, func() { w.turn(watchSource) })
	heard = crowd.events.Load() - heard
	crowd.close()
	if lost := crowd.lost.Load(); err == nil && lost > 0 {
		err = fmt.Errorf("%d streams ended", lost)
	}
	if err != nil {
		return err
	}
	polled, polls, err := pollers(ctx, gateway)
	if err != nil {
		return err
	}
	fmt.Printf("\n%d watchers of one source, and as many who poll it every %s\n\n", watchers, pollEvery)
	fmt.Printf("processor time a second: %.2f ms with one watcher, %.2f ms with %d, %.2f ms with %d events for them, %.2f ms polled (%d reads)\n",
		ms(one), ms(quiet), watchers, ms(lively), heard, ms(polled), polls)
	fmt.Printf("polling costs %.0f times as much as watching, beside what one watcher costs; %.0f times with an event for each in %s\n",
		ms(polled-one)/max(ms(quiet-one), 0.01), ms(polled-one)/max(ms(lively-one), 0.01), watchTime)
	fmt.Printf("memory: %s before, %s with the streams: %.1f KB each\n", before, after, float64(kilobytes(after)-kilobytes(before))/watchers)
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func kilobytes(s string) int {
	n, _ := strconv.Atoi(strings.TrimSuffix(s, " kB"))
	return n
}

// spends gives the processor time that the child uses in each second of d. In the middle it calls
// something, if it is given.
func (c *child) spends(ctx context.Context, d time.Duration, middle func()) (time.Duration, error) {
	before, _ := c.cpu()
	if err := pause(ctx, d/2); err != nil {
		return 0, err
	}
	if middle != nil {
		middle()
	}
	if err := pause(ctx, d/2); err != nil {
		return 0, err
	}
	after, ok := c.cpu()
	if !ok {
		return 0, errors.New("the system does not tell what a process uses")
	}
	return time.Duration(float64(after-before) / d.Seconds()), nil
}

// turn lets a source lose its ad server.
func (w *world) turn(sourceID string) {
	t := upstreamtest.Sources()[0].Tenant
	t.ID, t.Status = "tnt_"+sourceID, upstreamtest.Disconnected()
	w.agent.SetTenant(t)
}

// pollers reads the source's status with as many connections, each at its own time.
func pollers(ctx context.Context, gateway *child) (cost time.Duration, polls int64, err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var count atomic.Int64
	failures := make(chan error, watchers)
	deadline := time.Now().Add(time.Minute)
	crowd, err := gather(ctx, gateway.address, watchers, func(c *crowd, n int, conn net.Conn) error {
		request := statusRequest(watchSource)
		request = []byte(strings.Replace(string(request), clientKey, watchKey(n/keyStreams), 1))
		_ = conn.SetDeadline(deadline)
		reader := &client{conn: conn, reader: bufio.NewReaderSize(conn, readBuffer)}
		c.read.Go(func() {
			// The server waits five seconds for the first request.
			for wait := pollEvery * 4 / 5 * time.Duration(n) / watchers; pause(ctx, wait) == nil; wait = pollEvery {
				if status, _, err := reader.do(request); err != nil || status != 200 {
					if ctx.Err() == nil {
						failures <- errors.Join(fmt.Errorf("a poll is answered with %d", status), err)
					}
					return
				}
				count.Add(1)
			}
		})
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, pollEvery/5); err != nil {
		stop()
		crowd.close()
		return 0, 0, err
	}
	begun := count.Load()
	cost, err = gateway.spends(ctx, pollTime, nil)
	polls = count.Load() - begun
	stop()
	crowd.close()
	select {
	case bad := <-failures:
		err = errors.Join(err, bad)
	default:
	}
	return cost, polls, err
}
