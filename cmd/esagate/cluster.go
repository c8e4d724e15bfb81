package main

import (
	"context"
	"fmt"
	"log/slog"

	"esagate/internal/cluster"
)

// openRedis makes what replicas have in common, if the config names a Redis.
func (a *app) openRedis() (err error) {
	address := a.cfg.Snapshot.RedisURL.Reveal()
	if address == "" {
		return nil
	}
	a.redis, err = cluster.Open(cluster.Options{URL: address, Logger: a.telemetry.Logger, Changed: a.redisChanged})
	if err != nil {
		return fmt.Errorf("snapshot.redis_url: %w", err)
	}
	a.atEnd(func(context.Context) { a.redis.Close() })
	a.instruments.RedisAvailable(a.redis.Available)
	a.hints = cluster.NewHints(a.redis.Hints(), a.telemetry.Logger)
	a.atEnd(a.hints.Close)
	return nil
}

// redisChanged logs when Redis goes away and comes back.
func (a *app) redisChanged(there bool, err error) {
	if there {
		a.telemetry.Logger.Info("Redis can be reached again")
		return
	}
	a.telemetry.Logger.Warn("Redis can't be used: this replica goes on alone", slog.Any("error", err))
}
