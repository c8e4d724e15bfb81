package telemetry

import (
	"errors"
	"fmt"
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

// ownErrors logs the errors of OpenTelemetry and of the metrics page at a bounded
// rate, each with how many were dropped since the one before.
type ownErrors struct {
	log     *slog.Logger
	limiter *rate.Limiter
	dropped atomic.Int64
}

// reportOwnErrors sends what OpenTelemetry has to say about itself to a logger
// (the default is standard error, unredacted).
func reportOwnErrors(log *slog.Logger) *ownErrors {
	e := &ownErrors{log: log, limiter: rate.NewLimiter(rate.Every(ownErrorEvery), ownErrorBurst)}
	otel.SetErrorHandler(e)
	otel.SetLogger(logr.Discard()) // what it says besides its errors is about itself
	return e
}

// Handle implements otel.ErrorHandler.
func (e *ownErrors) Handle(err error) {
	if !e.limiter.Allow() {
		e.dropped.Add(1)
		return
	}
	e.log.Warn("telemetry failed", "error", err, "dropped", e.dropped.Swap(0))
}

// Println implements promhttp.Logger.
func (e *ownErrors) Println(v ...any) { e.Handle(errors.New(fmt.Sprint(v...))) }
