package ratelimit

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"esagate/internal/cluster"
)

// inPeriod is the period of rates in Redis: the library's are whole numbers.
const inPeriod = 1_000_000

var errForeign = errors.New("ratelimit: the shared count is none of this limit")

// OnRedis counts in a Redis, whose clock alone matters. Its keys are those of redis_rate, which begin
// with "rate:", and live until their bucket is full.
func OnRedis(r *cluster.Redis) Count {
	return func(ctx context.Context, key string, l Limit, n int) (taken int, left float64, err error) {
		limit := redis_rate.Limit{Rate: int(math.Round(l.Rate * inPeriod)), Burst: l.Burst, Period: inPeriod * time.Second}
		var got *redis_rate.Result
		err = r.Do(ctx, func(ctx context.Context, c redis.UniversalClient) (err error) {
			got, err = redis_rate.NewLimiter(c).AllowAtMost(ctx, r.Key("limit", key), limit, n)
			return err
		})
		if err != nil {
			return 0, 0, err
		}
		left = float64(l.Burst) - got.ResetAfter.Seconds()*l.Rate // Remaining has no fractions
		if left < -1 || got.Allowed < 0 {
			return 0, 0, errForeign // a limit that was larger until now, a clock that was set back, or somebody else's value
		}
		return got.Allowed, max(left, 0), nil
	}
}
