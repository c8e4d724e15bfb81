package registry

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// newsMemory holds what is known of connections' deliveries: status documents show it,
// and they go on while the store is away.
type newsMemory struct {
	mu   sync.Mutex
	held *simplelru.LRU[esaKey, newsCopy]
}

type newsCopy struct {
	news   WebhookNews
	known  bool      // it was read once
	readAt time.Time // zero: it is not fresh, however young
	wrote  int64     // the tick at which a write here last ended
}

func newNewsMemory(limit int) *newsMemory {
	return &newsMemory{held: newLRU[esaKey, newsCopy](limit, nil)}
}

func (y *newsMemory) get(key esaKey) newsCopy {
	y.mu.Lock()
	defer y.mu.Unlock()
	c, _ := y.held.Get(key)
	return c
}

// put remembers what a read that began at a moment gave; one that overlapped with a
// write here may be from before it.
func (y *newsMemory) put(key esaKey, news WebhookNews, began moment) {
	y.mu.Lock()
	defer y.mu.Unlock()
	c, _ := y.held.Get(key)
	overlaps := c.wrote > began.tick
	switch {
	case !overlaps && !began.at.Before(c.readAt):
		c.readAt = began.at
	case c.known:
		return
	}
	c.news, c.known = news, true
	y.held.Add(key, c)
}

// wrote marks the end of a write, which may have changed the counts.
func (y *newsMemory) wrote(key esaKey, end moment) {
	y.mu.Lock()
	defer y.mu.Unlock()
	c, _ := y.held.Get(key)
	c.readAt, c.wrote = time.Time{}, end.tick
	y.held.Add(key, c)
}

func (y *newsMemory) drop(key esaKey) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.held.Remove(key)
}

// WebhookNews counts a connection's deliveries as CustomerStore does: from memory while
// that is fresh, and as it was last known while the store is away or slow.
func (d *Directory) WebhookNews(ctx context.Context, customer, esaID int64) (WebhookNews, error) {
	key := esaKey{customer, esaID}
	if d.graves.holdsESA(key) {
		return WebhookNews{}, storeFault(ErrNotFound)
	}
	held := d.news.get(key)
	if time.Since(held.readAt) < d.opts.Fresh || held.known && d.away.Load() {
		return held.news, nil
	}
	name := d.shelf.flight("news", customer, strconv.FormatInt(esaID, 10))
	answer, err := d.await(ctx, held.known, name, func(ctx context.Context) (any, error) {
		began := d.shelf.now()
		news, err := d.store.Customer(customer).WebhookNews(ctx, esaID)
		switch {
		case err == nil:
			d.news.put(key, news, began)
		case isNotFound(err):
			d.news.drop(key)
		}
		return news, err
	})
	switch {
	case err == nil:
		return answer.(WebhookNews), nil
	case held.known && !isNotFound(err):
		return held.news, nil
	}
	return WebhookNews{}, storeFault(err)
}
