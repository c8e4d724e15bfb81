package gateway

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"esagate/internal/fault"
)

// At most failureBurst failed requests of a kind are logged at once, then
// failureRate a second: an outage under load must not fill a disk.
const (
	failureBurst = 50
	failureRate  = 10
	infoBurst    = 20
	infoRate     = 1
)

// accessLog writes one line a request: at warn or error, within limits, those that the
// gateway failed; at debug all others, clients' own mistakes included, so that no client
// can fill the log. Metrics count every one.
type accessLog struct {
	log     *slog.Logger
	outages *rate.Limiter // what could not be served
	faults  *rate.Limiter // the gateway's own faults: an outage must not hide them
	infos   *rate.Limiter // what callers cause
	dropped atomic.Int64
}

func newAccessLog(log *slog.Logger) *accessLog {
	return &accessLog{
		log:     log,
		outages: rate.NewLimiter(failureRate, failureBurst),
		faults:  rate.NewLimiter(failureRate, failureBurst),
		infos:   rate.NewLimiter(infoRate, infoBurst),
	}
}

// info logs something that callers cause, at a bounded rate: no caller can fill the log.
func (l *accessLog) info(ctx context.Context, msg string, attrs ...slog.Attr) {
	if l.infos.Allow() {
		l.log.LogAttrs(ctx, slog.LevelInfo, msg, attrs...)
	}
}

func (l *accessLog) write(r *request, took time.Duration) {
	level, msg, limiter := slog.LevelDebug, "request", l.outages
	switch {
	case r.answer.status == 500:
		level, msg, limiter = slog.LevelError, "request failed", l.faults
	case r.caller != nil && r.failure != nil && r.failure.Kind == fault.Unavailable:
		level, msg = slog.LevelWarn, "request could not be served"
	}
	if !l.log.Enabled(r.Context(), level) {
		return
	}
	if level > slog.LevelDebug && !limiter.Allow() {
		l.dropped.Add(1)
		return
	}
	attrs := append(make([]slog.Attr, 0, 16), slog.String("request_id", r.id), slog.String("method", r.Method),
		slog.String("route", r.route), slog.Int("status", r.answer.status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000))
	if id, ok := r.vars["sourceId"]; ok {
		attrs = append(attrs, slog.String("source_id", id))
	}
	if id, ok := r.vars["esaId"]; ok {
		attrs = append(attrs, slog.String("esa_id", id))
	}
	if r.caller != nil {
		attrs = append(attrs, slog.String("key_name", r.caller.Name))
		if r.caller.Operator {
			attrs = append(attrs, slog.Int64("customer_id", r.caller.CustomerID))
		}
	}
	if f := r.failure; f != nil {
		attrs = append(attrs, slog.String("code", answerOf[f.Kind].code), slog.String("reason", string(f.Reason)))
		if f.Cause != nil {
			attrs = append(attrs, slog.Any("cause", f.Cause))
		}
	}
	if level > slog.LevelDebug {
		if n := l.dropped.Swap(0); n > 0 {
			attrs = append(attrs, slog.Int64("dropped", n))
		}
	}
	l.log.LogAttrs(r.Context(), level, msg, attrs...)
}
