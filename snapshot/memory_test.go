package snapshot

import (
	"context"
	"slices"
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

type sized int

func (sized) Older(sized) bool { return false }

func (s sized) Size() int { return int(s) }

// TestBytes: the least recently used go until the rest has room, but never the last.
func TestBytes(t *testing.T) {
	c := New[sized](Limits{Entries: 100, Bytes: 100, Fresh: time.Hour, StaleIfError: time.Hour, Timeout: time.Minute, FetchTimeout: time.Minute}, Options{})
	defer c.Close()
	get := func(key string, size int) {
		t.Helper()
		if _, err := c.Get(t.Context(), key, 0, func(context.Context, Demand) (sized, error) { return sized(size), nil }); err != nil {
			t.Fatal(err)
		}
	}
	kept := func(want ...string) {
		t.Helper()
		keys := c.memory.keys.Keys()
		if !slices.Equal(keys, want) {
			t.Errorf("%q are kept, want %q", keys, want)
		}
		bytes := 0
		for _, e := range c.memory.keys.Values() {
			bytes += e.size()
		}
		if bytes != c.memory.bytes {
			t.Errorf("%d bytes are counted, want %d", c.memory.bytes, bytes)
		}
	}
	get("a", 40)
	get("b", 40)
	get("c", 20)
	kept("a", "b", "c")
	c.Put("c", 10) // a smaller one in its place
	get("d", 10)
	kept("a", "b", "c", "d")
	get("e", 40)
	kept("b", "c", "d", "e")
	get("f", 500)
	kept("f")
	get("g", 1)
	kept("g")
}
