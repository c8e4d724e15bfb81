package cluster

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// hintsSilence is after how long without a hint the connection is tested, and how long the answer may take.
const hintsSilence = 2 * time.Second

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
	return inOurWords(err)
}

// Receive implements Transport. A connection on which nothing comes is asked for a sign of life: one that was
// cut without a word would else be listened to for ever.
func (p pubsub) Receive(ctx context.Context, listening func(), got func(string)) error {
	sub := p.r.client.Subscribe(ctx, p.channel())
	defer func() { _ = sub.Close() }()
	defer context.AfterFunc(ctx, func() { _ = sub.Close() })() // a read may be under way
	for asked := true; ; {
		m, err := sub.ReceiveTimeout(ctx, hintsSilence)
		var timeout net.Error
		switch m := m.(type) {
		case *redis.Subscription:
			listening()
		case *redis.Message:
			got(m.Payload)
		}
		switch {
		case err == nil:
			asked = false
		case errors.As(err, &timeout) && timeout.Timeout() && !asked:
			asked = true
			if err := sub.Ping(ctx); err != nil {
				return inOurWords(err)
			}
		default:
			return inOurWords(err)
		}
	}
}
