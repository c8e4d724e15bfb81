package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"esagate/internal/background"
	"esagate/internal/cluster"
	"esagate/registry"
	"esagate/registry/sqlstore"
)

// openRedis makes what replicas have in common, if the config names a Redis.
func (a *app) openRedis() (err error) {
	address := a.cfg.Snapshot.RedisURL.Reveal()
	if address == "" {
		return nil
	}
	// Tenants of two sales agents may have the same name: a gateway before another one must not get their documents.
	agent := sha256.Sum256([]byte(a.cfg.Upstream.BaseURL))
	a.redis, err = cluster.Open(cluster.Options{
		URL: address, Prefix: fmt.Sprintf("esagate:%x:", agent[:8]), Logger: a.telemetry.Logger, Changed: a.redisChanged,
	})
	if err != nil {
		return fmt.Errorf("snapshot.redis_url: %w", err)
	}
	a.atEnd(func(context.Context) { a.redis.Close() })
	a.instruments.RedisAvailable(a.redis.Available)
	return nil
}

// newHints makes the hints by which replicas tell each other what they have changed: over the Redis that they
// share, else over their PostgreSQL. A SQLite file has one process, and no hints.
func (a *app) newHints() {
	var way cluster.Transport
	switch notices := sqlstore.NoticesOf(a.store); {
	case a.redis != nil:
		way = a.redis.Hints()
	case notices != nil:
		way = notices
	default:
		return
	}
	a.hints = cluster.NewHints(way, a.telemetry.Logger)
	a.atEnd(a.hints.Close)
	a.hints.On(cluster.HintSource, func(cluster.Hint) { a.directory.LookNow() })
	a.hints.On(cluster.HintUpstream, a.upstreamElsewhere)
	a.hints.OnListening(func() { // what was told before is lost
		a.directory.LookNow()
		a.hints.Send(cluster.Hint{Kind: cluster.HintUpstream, Key: cluster.UpstreamAsked})
	})
}

// sourceWritten has a source judged that was written, and the other replicas hear of it. Before the status
// service is made there is nobody to be told here.
func (a *app) sourceWritten(src *registry.Source, deleted bool) {
	a.hints.Send(cluster.Hint{Kind: cluster.HintSource, Customer: src.CustomerID, Key: src.SourceID})
	if s := a.status.Load(); s != nil {
		s.Judge(src, deleted)
	}
}

// writtenElsewhere has a source judged that another replica wrote.
func (a *app) writtenElsewhere(src *registry.Source, deleted bool) {
	if s := a.status.Load(); s != nil {
		s.JudgeElsewhere(src, deleted)
	}
}

// upstreamChanged tells the other replicas what this one has found of the whole sales agent.
func (a *app) upstreamChanged(outage bool) {
	key := cluster.UpstreamWell
	if outage {
		key = cluster.UpstreamAway
	}
	a.hints.Send(cluster.Hint{Kind: cluster.HintUpstream, Key: key})
}

// answerPause is how long a replica waits, at most, for another to answer one that asks of the sales agent.
const answerPause = 300 * time.Millisecond

// upstreamElsewhere takes in what another replica says of the whole sales agent, or asks. Whose breaker is open answers,
// after a moment in which another may: who asks hears that too, and a thousand need not say it.
func (a *app) upstreamElsewhere(h cluster.Hint) {
	switch h.Key {
	case cluster.UpstreamAway:
		a.answers.Store(false)
		a.upstream.OutageElsewhere(true)
	case cluster.UpstreamWell:
		a.upstream.OutageElsewhere(false)
	case cluster.UpstreamAsked:
		if a.upstream.Health().Breaker != "open" || !a.answers.CompareAndSwap(false, true) {
			return
		}
		a.work.Go(context.Background(), "answer of the sales agent", func(ctx context.Context) {
			if background.Sleep(ctx, rand.N(answerPause)) && a.answers.Swap(false) {
				a.upstreamChanged(true)
			}
		})
	}
}

// redisChanged logs when Redis goes away and comes back.
func (a *app) redisChanged(there bool, err error) {
	if there {
		a.telemetry.Logger.Info("Redis can be reached again")
		return
	}
	a.telemetry.Logger.Warn("Redis can't be used: this replica goes on alone", slog.Any("error", err))
}
