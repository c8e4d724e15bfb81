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
}

type demandKey struct{}

// WithDemand returns a context for calls that are made for d. A call without a Demand is one
// of customer 0 that somebody waits for without a copy.
func WithDemand(ctx context.Context, d Demand) context.Context {
	return context.WithValue(ctx, demandKey{}, d)
}

func demandFrom(ctx context.Context) Demand {
	d, _ := ctx.Value(demandKey{}).(Demand)
	return d
}
