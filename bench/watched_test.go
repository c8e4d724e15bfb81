package main

import (
	"testing"
	"time"
)

// TestOutcome judges reads of two followers of one source, and of one that came in the outage.
func TestOutcome(t *testing.T) {
	zero := time.Now()
	at := func(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }
	of := func(began, ended float64, ok, marked bool) read { return read{at(began), at(ended), ok, marked} }
	s := &watched{followers: []*follower{
		{source: "a", reads: []read{
			of(9, 9.1, false, false),  // before the outage: none of its reads
			of(11, 11.5, true, false), // in the outage
			of(12, 12.1, false, false),
			of(21, 22, true, true),
		}},
		{source: "a", reads: []read{
			of(21.9, 22.1, true, false), // asked before anybody had the new one
			of(22.2, 22.3, true, false), // older after newer
			of(23, 23, false, false),    // no document at all
			of(24, 24, true, true),
		}},
		{source: "b", late: true, reads: []read{of(12, 13, false, false), of(20, 25, true, true)}},
		{source: "c", late: true, reads: []read{of(12, 13, false, false)}},
	}}
	o := s.outcome(at(10), at(20))
	if o.reads != 2 || o.failed != 1 || o.longest != 500*time.Millisecond || o.older != 1 || o.never != 1 {
		t.Errorf("%+v", o)
	}
	if len(o.known) != 2 || o.known.least() != 2*time.Second || o.known.most() != 4*time.Second || len(o.late) != 1 || o.late.most() != 5*time.Second {
		t.Errorf("back after %v, late ones after %v", o.known, o.late)
	}
}
