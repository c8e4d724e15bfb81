package agentauth

import (
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

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

// clients remembers registrations for a while, so that a source that is changed again
// and again does not fill its server with clients. The time is short, because servers
// forget clients without telling. Other replicas do not share them.
type clients struct {
	kept *lru.Cache[clientKey, keptClient]
}

type keptClient struct {
	client registry.OAuthClient
	since  time.Time
}

func newClients() *clients { return &clients{newCache[clientKey, keptClient](maxClients)} }

// newCache makes a cache of a constant size.
func newCache[K comparable, V any](size int) *lru.Cache[K, V] {
	c, err := lru.New[K, V](size)
	if err != nil {
		panic(err) // the size is not positive
	}
	return c
}

// get gives a client that is good until a consent that begins now has ended; nil:
// there is none.
func (c *clients) get(key clientKey, now time.Time) *registry.OAuthClient {
	k, ok := c.kept.Get(key)
	if !ok || now.Sub(k.since) >= clientLife || expires(k.client, now) {
		return nil
	}
	return &k.client
}

func (c *clients) put(key clientKey, client registry.OAuthClient, now time.Time) {
	c.kept.Add(key, keptClient{client, now})
}

// forget forgets a source's clients: a server has said that it does not know one.
func (c *clients) forget(customer int64, source string) {
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
