package cluster

import (
	"context"
	"net"
	"net/url"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The client's own log has addresses in it, and what servers say.
func init() { logging.Disable() }

// CheckURL reports whether Open can read an address: nil or ErrURL.
func CheckURL(address string) error {
	_, err := clientOf(address, nil)
	return err
}

// clientOf reads an address, and gives what makes a client of it. Clients try nothing twice, because readers
// wait, and heed the deadlines of contexts. A connection that is being made when its caller leaves is kept
// for the next.
func clientOf(address string, dial func(context.Context, string, string) (net.Conn, error)) (func() redis.UniversalClient, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, ErrURL
	}
	switch q := u.Query(); {
	case q.Has("master_name"):
		o, err := redis.ParseFailoverURL(address)
		if err != nil {
			return nil, ErrURL
		}
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		o.MaxRetries, o.DialerRetries, o.DialTimeout = -1, 1, probeLimit
		o.ReadTimeout, o.WriteTimeout = probeLimit, probeLimit // of what is asked of Sentinels, too
		return func() redis.UniversalClient { return redis.NewFailoverClient(o) }, nil
	case q.Has("addr"):
		o, err := redis.ParseClusterURL(address)
		if err != nil {
			return nil, ErrURL
		}
		o.ContextTimeoutEnabled, o.DisableIdentity = true, true
		o.MaxRetries, o.DialerRetries, o.DialTimeout = -1, 1, probeLimit
		o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		return func() redis.UniversalClient { return redis.NewClusterClient(o) }, nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, ErrURL
	}
	o.ContextTimeoutEnabled, o.DisableIdentity = true, true
	o.MaxRetries, o.DialerRetries, o.DialTimeout = -1, 1, probeLimit
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if dial != nil {
		o.Dialer = dial
	}
	return func() redis.UniversalClient { return redis.NewClient(o) }, nil
}
