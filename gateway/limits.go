package gateway

import (
	"net/http"
	"net/netip"
	"time"

	"esagate/internal/fault"
	"esagate/internal/ratelimit"
	"esagate/internal/telemetry"
)

// limits refuses requests that are too many, before anything is done for them.
type limits struct {
	*ratelimit.Limiter
	trusted []netip.Prefix // see clientOf
	refused func(telemetry.LimitedKind)
}

// Names of header fields as net/http keeps them.
const (
	headerRateLimit       = "Ratelimit"
	headerRateLimitPolicy = "Ratelimit-Policy"
)

// count counts a known caller's request, and says in the answer how it stands with the limit.
// What is no write is a read, also where there is nothing at a path.
func (l *limits) count(h http.Header, r *request, route *Route) error {
	var v ratelimit.Verdict
	kind := telemetry.LimitedReads
	if route != nil && route.writes() {
		kind = telemetry.LimitedWrites
		v = l.Write(r.quota)
	} else {
		v = l.Read(r.quota)
	}
	if v.Policy == nil {
		return nil
	}
	r.rateLimit[0] = v.RateLimit()
	h[headerRateLimit] = r.rateLimit[:]
	h[headerRateLimitPolicy] = v.Policy
	if v.Refused {
		return l.refuse(kind, v.RetryAfter())
	}
	return nil
}

// attempt lets the credential of a client that is not known be checked, unless too many of its
// address were wrong. The attempt must be ended.
func (l *limits) attempt(r *http.Request) (ratelimit.Attempt, error) {
	a, retryAfter, ok := l.Attempt(clientOf(r, l.trusted))
	if !ok {
		return a, l.refuse(telemetry.LimitedWrongKeys, retryAfter)
	}
	return a, nil
}

var limitMessages = map[telemetry.LimitedKind]string{
	telemetry.LimitedReads:     "You read more often than you may. Read again in a moment.",
	telemetry.LimitedWrites:    "You write more often than you may. Write again in a moment.",
	telemetry.LimitedWrongKeys: "Too many requests without a valid key came from your address. Try again in a moment.",
	telemetry.LimitedStreams:   "This key has as many streams open as it may have.",
	telemetry.LimitedCalls:     "You have as many calls under way as you may have. Call again when one has ended.",
}

func (l *limits) refuse(kind telemetry.LimitedKind, retryAfter time.Duration) error {
	l.refused(kind)
	return &fault.Error{Kind: fault.RateLimited, Message: limitMessages[kind], RetryAfter: retryAfter}
}
