package upstream

import (
	"context"
	"math/rand/v2"
	"time"

	"esagate/internal/background"
)

// Probes are made in the background, so that no reader has to find out whether upstream
// is well again: about one a second for a good minute, and then at intervals that double
// up to Breaker.OpenFor.
const (
	probeEvery   = 1250 * time.Millisecond // at first; each pause may be a fifth shorter
	probeFastFor = 70 * time.Second
	probeQuick   = 900 * time.Millisecond // how long a probe may take while another one is under way
)

// watch probes a breaker in the background, until a good read or probe ends it.
func (c *Client) watch(b *breaker) {
	wanted, stop := context.WithCancel(context.Background())
	if !b.beginProbing(stop) {
		stop()
		return
	}
	c.background.Go(context.Background(), "probes of a breaker", func(ctx context.Context) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(wanted, cancel)()
		began := time.Now()
		for bound := probeEvery; ; {
			if time.Since(began) >= probeFastFor {
				bound *= 2
			}
			bound = min(bound, c.cfg.Breaker.OpenFor)
			pause := bound - rand.N(bound/5+1)
			b.probeAt.Store(new(time.Now().Add(pause)))
			if !background.Sleep(ctx, pause) {
				return
			}
			c.startProbe(b, ctx.Done(), nil)
		}
	})
}

// startProbe starts a probe of a breaker, which is made as long as it is wanted. One may take
// as long as a read; while it, or a reader's call of the tenant, hangs, perhaps on a
// connection that is dead, a quick one follows at each turn. So beside a reader's call there
// are two probes of a tenant at most, one of them short. The bulkhead bounds them in all. A probe tells
// ended, which may be nil, whether nothing speaks against the sales agent.
func (c *Client) startProbe(b *breaker, unwanted <-chan struct{}, ended func(well bool)) (begun bool) {
	if b.tenantID != "" && c.upstream.open.Load() {
		return false // it would be refused
	}
	n := b.probes.Add(1)
	if n > 2 {
		b.probes.Add(-1)
		return false
	}
	if begun = c.background.Go(context.Background(), "a probe of the sales agent", func(ctx context.Context) {
		defer b.probes.Add(-1)
		if well := probe(ctx, c, b, unwanted, n == 1 && !b.hanging.any()); ended != nil {
			ended(well)
		}
	}); !begun {
		b.probes.Add(-1)
	}
	return begun
}

// noTenantID is a tenant's that does not exist: the sales agent says so if it is well.
const noTenantID = "esagate-probe"

// probe makes one attempt of a status read on a breaker's behalf, and reports whether it shows nothing amiss.
// Where no tenant is known it asks for one that does not exist, and what comes of that counts for no tenant.
func probe(ctx context.Context, c *Client, b *breaker, unwanted <-chan struct{}, patient bool) (well bool) {
	id := b.tenantID
	if id == "" {
		if id = c.tenants.next(c.symptoms.times()); id == "" {
			id = noTenantID
			defer c.tenants.cache.Remove(id)
		}
	}
	cl := tenantCall(opProbe, id, "status")
	cl.probes, cl.unwanted, cl.quick, cl.most = b, unwanted, !patient, maxStatus
	if cl.quick {
		cl.limit = min(c.cfg.FetchTimeout, probeQuick)
	}
	_, err := ask(ctx, c, cl, decodeStatus)
	return err == nil || cl.last != nil && (cl.last.blame == blameNobody || cl.last.outcome == outcomeRateLimited)
}
