package main

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"esagate/upstream/upstreamtest"
)

// marker is a number that is in the sales agent's documents after an outage, and not before.
const marker = 471108

const (
	readEvery     = 200 * time.Millisecond // the pause between two reads of one follower
	followersEach = 2                      // of one source at one server, which may have several processes
)

// mark has a source's document say the marker.
func (w *world) mark(sourceID string) {
	t := upstreamtest.Sources()[0].Tenant
	t.ID = "tnt_" + sourceID
	t.Status.Products.Draft = marker
	w.agent.SetTenant(t)
}

// read is one read of a follower.
type read struct {
	began, ended time.Time
	ok, marked   bool // answered with a document, and with the marker in it
}

// follower reads one source at one server.
type follower struct {
	source string
	late   bool // it began in an outage, with a source that nobody had read
	reads  []read
	marked atomic.Bool
}

// watched is what followers of a contestant saw.
type watched struct {
	of        *contestant
	calls     int // upstream while they were counted
	followers []*follower
	reading   sync.WaitGroup
	ended     atomic.Bool
}

// follow has a source read at all servers, until stop.
func (s *watched) follow(ctx context.Context, source string, late bool) {
	request := statusRequest(source)
	for n := range followersEach * len(s.of.servers) {
		server := s.of.servers[n/followersEach]
		f := &follower{source: source, late: late}
		s.followers = append(s.followers, f)
		s.reading.Go(func() {
			var conn *client
			defer func() {
				if conn != nil {
					conn.close()
				}
			}()
			for !s.ended.Load() && pause(ctx, readEvery) == nil {
				conn = f.read(conn, server.address, request)
			}
		})
	}
}

// read reads once, on a connection that is there or a new one, and gives the connection back if it can be used again.
func (f *follower) read(conn *client, address string, request []byte) *client {
	r := read{began: time.Now()}
	if conn == nil {
		conn, _ = dial(address, r.began.Add(5*time.Minute)) // without one the read has failed
	}
	if conn != nil {
		conn.keep = true
		status, _, err := conn.do(request)
		r.ok = err == nil && status == 200
		r.marked = r.ok && bytes.Contains(conn.body, strconv.AppendInt(nil, marker, 10))
		if err != nil {
			conn.close()
			conn = nil
		}
	}
	r.ended = time.Now()
	f.reads = append(f.reads, r)
	if r.marked {
		f.marked.Store(true)
	}
	return conn
}

// recovered reports whether every follower has had the marker.
func (s *watched) recovered() bool {
	for _, f := range s.followers {
		if !f.marked.Load() {
			return false
		}
	}
	return true
}

// stop ends the reading.
func (s *watched) stop() {
	s.ended.Store(true)
	s.reading.Wait()
}

// outcome is what an outage did to readers.
type outcome struct {
	reads, failed int                   // of sources that were known, in the outage
	longest       time.Duration         // of these reads
	known, late   sample[time.Duration] // by follower: from the outage's end until it had the marker
	never         int                   // followers that did not get it
	older         int                   // answers without the marker to a reader who asked when another had it
}

// outcome judges the reads of followers that have stopped.
func (s *watched) outcome(down, up time.Time) (o outcome) {
	first := map[string]time.Time{} // by source: when somebody had the marker
	for _, f := range s.followers {
		back := time.Duration(-1)
		for _, r := range f.reads {
			if r.marked && back < 0 {
				back = r.ended.Sub(up)
				if at, ok := first[f.source]; !ok || r.ended.Before(at) {
					first[f.source] = r.ended
				}
			}
			if !f.late && r.began.After(down) && r.began.Before(up) {
				o.reads++
				o.longest = max(o.longest, r.ended.Sub(r.began))
				if !r.ok {
					o.failed++
				}
			}
		}
		switch {
		case back < 0:
			o.never++
		case f.late:
			o.late = append(o.late, back)
		default:
			o.known = append(o.known, back)
		}
	}
	for _, f := range s.followers {
		for _, r := range f.reads {
			if at, ok := first[f.source]; ok && r.ok && !r.marked && r.began.After(at) {
				o.older++
			}
		}
	}
	return o
}
