package cluster

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// Hints gives the way of hints through a channel of this Redis. It is not behind the breaker: nobody
// waits for it.
func (r *Redis) Hints() Transport { return pubsub{r} }

type pubsub struct{ r *Redis }

func (p pubsub) channel() string { return p.r.prefix + "hints" }

// Publish implements Transport.
func (p pubsub) Publish(ctx context.Context, messages []string) error {
	_, err := p.r.client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, m := range messages {
			pipe.Publish(ctx, p.channel(), m)
		}
		return nil
	})
	return err
}

// Receive implements Transport.
func (p pubsub) Receive(ctx context.Context, listening func(), got func(string)) error {
	sub := p.r.client.Subscribe(ctx, p.channel())
	defer func() { _ = sub.Close() }()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })() // a read may be under way
	for {
		m, err := sub.Receive(ctx)
		switch m := m.(type) {
		case *redis.Subscription:
			listening()
		case *redis.Message:
			got(m.Payload)
		}
		if err != nil {
			return err
		}
	}
}
