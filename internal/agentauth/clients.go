package agentauth

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"esagate/registry"
)

const (
	maxClients = 1000             // registrations that are remembered
	clientLife = 10 * time.Minute // and for how long
)

// clientKey is what a registration was for. The redirect is always the same.
type clientKey struct {
	customer int64
	source   string
	issuer   string
	method   string // that was asked for
	scope    string
}

// clients remembers for a while whom a server has registered: who changes a source
// again and again does not fill its server with clients. It is no longer than that,
// because servers forget clients, and nobody tells us. Other replicas do not know.
type clients struct {
	mu   sync.Mutex
	kept *simplelru.LRU[clientKey, keptClient]
}

type keptClient struct {
	client registry.OAuthClient
	since  time.Time
}

func newClients() *clients {
	kept, err := simplelru.NewLRU[clientKey, keptClient](maxClients, nil)
	if err != nil {
		panic(err) // the size is not positive
	}
	return &clients{kept: kept}
}

// get gives a client that is good until a consent that begins now has ended; nil:
// there is none.
func (c *clients) get(key clientKey, now time.Time) *registry.OAuthClient {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok := c.kept.Get(key)
	if !ok {
		return nil
	}
	if now.Sub(k.since) >= clientLife || expires(k.client, now) {
		c.kept.Remove(key)
		return nil
	}
	return &k.client
}

func (c *clients) put(key clientKey, client registry.OAuthClient, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.Add(key, keptClient{client, now})
}

// forget forgets a source's clients: a server has said that one is none.
func (c *clients) forget(customer int64, source string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range c.kept.Keys() {
		if key.customer == customer && key.source == source {
			c.kept.Remove(key)
		}
	}
}

// expires reports whether a client's secret runs out before a consent that begins
// now has ended.
func expires(c registry.OAuthClient, now time.Time) bool {
	return !c.SecretExpires.IsZero() && !c.SecretExpires.After(now.Add(consentLife))
}
