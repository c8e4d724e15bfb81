package upstream

import (
	"context"
	"time"
)

// Demand says for whom a call is made, and how urgent it is.
type Demand struct {
	Customer   int64           // whose; 0: the gateway's own
	CopyFrom   time.Time       // receipt of the copy that its readers have meanwhile; zero: they have none, so they wait
	Unwanted   <-chan struct{} // closed once nobody waits for the call: it is then not begun any more; nil: never
	Background bool            // polling, checks, subscriptions: after all readers
	Queued     func(bool)      // told true when the call begins to wait for a slot, and false when it has one; nil: nobody
	StartBy    time.Time       // the call is not begun later; zero: it waits as long as others do
}

type demandKey struct{}

// WithDemand returns a context for calls that are made for d. A call without a Demand is one
// of customer 0 that somebody waits for without a copy.
func WithDemand(ctx context.Context, d Demand) context.Context {
	return context.WithValue(ctx, demandKey{}, d)
}

// WithStartBy returns a context for a call that is begun by then or not at all, and is
// otherwise as ctx says.
func WithStartBy(ctx context.Context, by time.Time) context.Context {
	d := demandFrom(ctx)
	d.StartBy = by
	return WithDemand(ctx, d)
}

func demandFrom(ctx context.Context) Demand {
	d, _ := ctx.Value(demandKey{}).(Demand)
	return d
}
