package telemetry

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"golang.org/x/time/rate"
)

// At most ownErrorBurst of OpenTelemetry's errors are logged at once, then one
// every ownErrorEvery: a collector that is away fails every batch.
const (
	ownErrorBurst = 3
	ownErrorEvery = 30 * time.Second
)

// reportOwnErrors sends what OpenTelemetry has to say about itself to a logger
// (the default is standard error, unredacted).
func reportOwnErrors(log *slog.Logger) {
	limit := &limitedLog{log: log, limiter: rate.NewLimiter(rate.Every(ownErrorEvery), ownErrorBurst)}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		limit.warn("telemetry failed", err)
	}))
	otel.SetLogger(logr.Discard()) // what it says besides its errors is about itself
}

// limitedLog writes warnings at a bounded rate, and how many it has dropped
// since the last one.
type limitedLog struct {
	log     *slog.Logger
	limiter *rate.Limiter
	dropped atomic.Int64
}

func (l *limitedLog) warn(message string, err error) {
	if !l.limiter.Allow() {
		l.dropped.Add(1)
		return
	}
	l.log.Warn(message, "error", err, "dropped", l.dropped.Swap(0))
}
