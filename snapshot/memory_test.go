package snapshot

import (
	"context"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

type anyDoc struct{}

func (anyDoc) Older(anyDoc) bool { return false }

// TestNothingExpiresByTheWallClock: go-cache compares its expiries with the time of day, and a clock
// that is set in an outage must end no copy.
func TestNothingExpiresByTheWallClock(t *testing.T) {
	c := New[anyDoc](Limits{Entries: 3}, Options{})
	defer c.Close()
	c.Put("put", anyDoc{})
	c.Offer("offered", anyDoc{})
	c.memory.entry("read", false)
	items := c.memory.cache.Items()
	if len(items) != 3 {
		t.Errorf("%d entries", len(items))
	}
	for key, item := range items {
		if item.Expiration != 0 {
			t.Errorf("%s expires at %d", key, item.Expiration)
		}
	}
}

// sized is a document of so many bytes.
type sized []byte

func (sized) Older(sized) bool { return false }

func (s sized) Size() int { return len(s) + 24 } // with the slice in a copy

func oneOf(size int) Fetch[sized] {
	return func(context.Context, Demand) (sized, error) { return make(sized, size), nil }
}

// TestBytes: the least recently used go until the rest has room, those that were offered before those in use, and
// never the last in use.
func TestBytes(t *testing.T) {
	const kB, room = 1000, 100_000
	c := New[sized](Limits{Bytes: room, Fresh: time.Hour, StaleIfError: time.Hour, Patience: time.Minute, Timeout: time.Minute, FetchTimeout: time.Minute}, Options{})
	defer c.Close()
	get := func(key string, size int) {
		t.Helper()
		if _, err := c.Get(t.Context(), key, 0, oneOf(size)); err != nil {
			t.Fatal(err)
		}
	}
	evictions := uint64(0)
	kept := func(evicted uint64, want ...string) {
		t.Helper()
		keys := slices.Concat(c.memory.offered.Keys(), c.memory.keys.Keys())
		if !slices.Equal(keys, want) {
			t.Errorf("%q are kept, want %q", keys, want)
		}
		bytes := 0
		for _, e := range c.memory.all() {
			bytes += entryOverhead + len(e.key) + e.size()
		}
		evictions += evicted
		if is := (Usage{Entries: len(want), Bytes: bytes, Evictions: evictions}); c.Usage() != is {
			t.Errorf("%+v, want %+v", c.Usage(), is)
		}
	}
	get("a", 40*kB)
	get("b", 30*kB)
	get("c", 20*kB)
	kept(0, "a", "b", "c")
	c.Put("c", make(sized, 5*kB)) // a smaller one in its place
	get("d", 18*kB)
	kept(0, "a", "b", "c", "d")
	get("e", 40*kB)
	kept(1, "b", "c", "d", "e")
	c.Offer("o", make(sized, kB))
	c.Offer("p", make(sized, kB))
	kept(0, "o", "p", "b", "c", "d", "e")
	c.Offer("q", make(sized, kB))
	kept(1, "p", "q", "b", "c", "d", "e")
	get("q", kB)
	get("f", kB)
	kept(1, "b", "c", "d", "e", "q", "f")
	get("g", 500*kB)
	kept(6, "g")
	get("h", 1)
	kept(1, "h")
}

// TestEstimates: what is counted is what is taken.
func TestEstimates(t *testing.T) {
	for _, size := range []int{0, 1024, 8192} {
		const entries = 20_000
		c := New[sized](Limits{Bytes: 1 << 40, Fresh: time.Hour}, Options{})
		t.Cleanup(c.Close)
		before := heap()
		for i := range entries {
			c.Put("tenant_"+strconv.Itoa(i), make(sized, size))
		}
		taken, counted := (heap()-before)/entries, c.Usage().Bytes/entries
		if counted < taken*8/10 || counted > taken*13/10 {
			t.Errorf("an entry with %d bytes takes %d, and counts as %d", size, taken, counted)
		}
		t.Logf("an entry with %d bytes takes %d, and counts as %d", size, taken, counted)
	}
}

// heap gives the bytes of what is alive.
func heap() int {
	runtime.GC()
	runtime.GC() // frees what a finalizer or a pool held in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// loaded is a tier that has every key.
type loaded struct{}

func (loaded) Load(context.Context, string) (Copy[sized], bool) {
	return Copy[sized]{Doc: make(sized, 40_000), ReceivedAt: time.Now()}, true
}
func (loaded) Store(string, Copy[sized]) {}
func (loaded) Drop(string)               {}

// TestLoadedCopiesCount: a copy that came from the tier takes room like any other.
func TestLoadedCopiesCount(t *testing.T) {
	c := NewTiered[sized](Limits{Bytes: 100_000, Fresh: time.Hour, StaleIfError: time.Hour, Timeout: time.Minute, FetchTimeout: time.Minute},
		Options{}, loaded{})
	defer c.Close()
	for i := range 10 {
		if read, err := c.Get(t.Context(), strconv.Itoa(i), 0, oneOf(1)); err != nil || read.State != Hit {
			t.Fatal(read.State, err)
		}
	}
	c.work.Wait() // until the last is kept
	if u := c.Usage(); u.Entries != 2 || u.Bytes > 100_000 || u.Evictions != 8 {
		t.Errorf("%+v", u)
	}
}
