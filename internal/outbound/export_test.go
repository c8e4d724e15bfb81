package outbound

import (
	"context"
	"net"
)

// WithResolver makes names be resolved by r.
func (o Options) WithResolver(r *net.Resolver) Options { o.resolver = r; return o }

// WithDial makes connections by f, unguarded.
func (o Options) WithDial(f func(ctx context.Context, network, address string) (net.Conn, error)) Options {
	o.dial = f
	return o
}

// Hosts gives how many hosts have slots.
func (c *Client) Hosts() int {
	s := c.following.Transport.(*guarded).slots
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.hosts)
}
