package snapshot

import "testing"

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
