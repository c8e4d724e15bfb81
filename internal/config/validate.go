package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Bounds of durations. The upper ones catch a wrong unit, not a wish.
const (
	leastDuration = time.Millisecond
	leastFresh    = 100 * time.Millisecond
	mostWait      = time.Hour
	mostAge       = 7 * 24 * time.Hour
	leastInterval = time.Minute // the registry notes no faster that news of a tenant came
	mostOrigins   = 100
)

// validator holds what was read against its bounds. Each value is looked at only
// if it could be read, and values against each other only if each is good.
type validator struct {
	*report
	warnings []string
}

// sections checks what is not in a list, and writes URLs in their one form.
func (v *validator) sections(c *Config) {
	v.server(&c.Server)
	v.upstream(&c.Upstream)
	v.breaker(&c.Upstream.Breaker)
	v.snapshot(&c.Snapshot, &c.Upstream)
	v.store(&c.Store)
	v.telemetry(&c.Telemetry)
	v.provisioning(&c.Provisioning)
	v.webhooks(&c.Webhooks, c.Server.PublicURL)
	v.reconcile(&c.Reconcile)
}

func (v *validator) server(s *Server) {
	v.text("server.address", s.Address, hostPort)
	v.text("server.public_url", s.PublicURL, urlWithoutPath)
	s.PublicURL = strings.TrimRight(s.PublicURL, "/")
	if len(s.AllowedOrigins) > mostOrigins {
		v.add("server.allowed_origins", "must have at most %d entries", mostOrigins)
	}
	for i, allowed := range s.AllowedOrigins {
		v.text(item("server.allowed_origins", i), allowed, origin)
		s.AllowedOrigins[i] = canonicalOrigin(allowed)
	}
}

func (v *validator) upstream(u *Upstream) {
	v.text("upstream.base_url", u.BaseURL, urlWithPath)
	u.BaseURL = strings.TrimRight(u.BaseURL, "/")
	if v.required("upstream.api_key", u.APIKey.IsSet()) {
		v.text("upstream.api_key", u.APIKey.Reveal(), visibleASCII(4096))
	}
	within(v, "upstream.timeout", u.Timeout, leastDuration, mostWait)
	within(v, "upstream.fetch_timeout", u.FetchTimeout, leastDuration, mostWait)
	within(v, "upstream.probe_timeout", u.ProbeTimeout, leastDuration, mostWait)
	within(v, "upstream.attempts", u.Attempts, 1, 10)
	v.ordered("upstream.timeout", u.Timeout, "upstream.fetch_timeout", u.FetchTimeout)
}

func (v *validator) breaker(b *Breaker) {
	within(v, "upstream.breaker.consecutive_failures", b.ConsecutiveFailures, 1, 1000)
	if v.good("upstream.breaker.failure_ratio") && (b.FailureRatio <= 0 || b.FailureRatio > 1) {
		v.add("upstream.breaker.failure_ratio", "must be above 0 and at most 1")
	}
	within(v, "upstream.breaker.minimum_requests", b.MinimumRequests, 1, 100_000)
	within(v, "upstream.breaker.window", b.Window, leastDuration, mostWait)
	within(v, "upstream.breaker.open_for", b.OpenFor, leastDuration, mostWait)
}

func (v *validator) snapshot(s *Snapshot, u *Upstream) {
	within(v, "snapshot.fresh", s.Fresh, leastFresh, mostAge)
	within(v, "snapshot.stale_while_revalidate", s.StaleWhileRevalidate, leastDuration, mostAge)
	within(v, "snapshot.stale_if_error", s.StaleIfError, leastDuration, mostAge)
	within(v, "snapshot.patience", s.Patience, 0, mostWait)
	v.ordered("snapshot.fresh", s.Fresh, "snapshot.stale_while_revalidate", s.StaleWhileRevalidate)
	v.ordered("snapshot.stale_while_revalidate", s.StaleWhileRevalidate, "snapshot.stale_if_error", s.StaleIfError)
	if v.good("snapshot.patience", "upstream.timeout") && s.Patience > u.Timeout {
		v.add("snapshot.patience", "must be at most upstream.timeout")
	}
	if v.good("snapshot.redis_url") && s.RedisURL != "" {
		v.add("snapshot.redis_url", "is not supported yet; leave it empty")
	}
}

func (v *validator) telemetry(t *Telemetry) {
	v.text("telemetry.log_format", t.LogFormat, oneOf("json", "text"))
	v.text("telemetry.log_level", t.LogLevel, oneOf("debug", "info", "warn", "error"))
	if t.OTLPEndpoint != "" {
		v.text(otlpPath, t.OTLPEndpoint, urlWithPath)
	}
	if v.good("telemetry.trace_ratio") && (t.TraceRatio < 0 || t.TraceRatio > 1) {
		v.add("telemetry.trace_ratio", "must be from 0 to 1")
	}
}

func (v *validator) reconcile(r *Reconcile) {
	if v.good("reconcile.interval") && r.Interval != 0 && (r.Interval < leastInterval || r.Interval > mostAge) {
		v.add("reconcile.interval", "must be 0 (off), or from %s to %s", bound(leastInterval), bound(mostAge))
	}
	within(v, "reconcile.concurrency", r.Concurrency, 1, 64)
}

// text holds a text that could be read against a rule, and reports whether it is good.
func (v *validator) text(path, text string, r rule) bool {
	if !v.good(path) {
		return false
	}
	problem := r(text)
	if problem != "" {
		v.add(path, "%s", problem)
	}
	return problem == ""
}

// optional is text for a value that may be left out, but not be empty.
func (v *validator) optional(path string, text *string, r rule) string {
	if text == nil {
		return ""
	}
	v.text(path, *text, r)
	return *text
}

func (v *validator) required(path string, given bool) bool {
	if !given && v.good(path) {
		v.add(path, "is required")
	}
	return given
}

func (v *validator) ordered(lower string, least time.Duration, upper string, value time.Duration) {
	if v.good(lower, upper) && value < least {
		v.add(upper, "must be at least %s", lower)
	}
}

func within[T cmp.Ordered](v *validator, path string, value, least, most T) {
	if v.good(path) && (value < least || value > most) {
		v.add(path, "must be from %s to %s", bound(least), bound(most))
	}
}

// bound writes a bound for a message: durations without the zeros at their end.
func bound(value any) string {
	s := fmt.Sprint(value)
	if _, ok := value.(time.Duration); ok {
		s = strings.Replace(s, "m0s", "m", 1)
		s = strings.Replace(s, "h0m", "h", 1)
	}
	return s
}

func (v *validator) warn(path, message string) {
	v.warnings = append(v.warnings, path+": "+message)
}
