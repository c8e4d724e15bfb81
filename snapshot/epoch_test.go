package snapshot_test

import (
	"testing"
	"time"

	"esagate/snapshot"
)

// since reads as somebody who knows of an epoch.
func (f *fixture) since(epoch int64) snapshot.Read[*doc] {
	f.Helper()
	r, err := f.c.Get(f.Context(), "k", epoch, f.u.fetch)
	if err != nil {
		f.Fatal(err)
	}
	return r
}

func TestAReaderOfALaterEpochAsksFirst(t *testing.T) {
	run(t, limits, func(f *fixture) {
		if r := f.since(3); r.State != snapshot.Miss { // the first that is heard of the key
			f.Errorf("the first read: %+v", r)
		}
		for range 2 {
			if r := f.since(3); r.State != snapshot.Hit {
				f.Errorf("the same epoch: %+v", r)
			}
		}
		f.wantCalls(1)
		if r := f.since(4); r.State != snapshot.Miss || !r.Replaced {
			f.Errorf("a later epoch: %+v", r)
		}
		if r := f.since(3); r.State != snapshot.Hit { // an older reader changes nothing
			f.Errorf("an earlier epoch: %+v", r)
		}
		f.wantCalls(2)
	})
}

func TestALaterEpochDuringAFetchIsStaleOnArrival(t *testing.T) {
	run(t, limits, func(f *fixture) {
		f.since(1)
		f.u.set(after(time.Second, now("before the change")))
		f.pass(limits.Fresh + time.Millisecond)
		f.since(1) // served at once; the fetch runs
		f.since(2)
		f.u.set(now("after it"))
		f.pass(time.Second)
		if r := f.since(2); r.Doc.name != "after it" {
			f.Errorf("the answer of a fetch from before the change is served as new: %+v", r)
		}
	})
}
