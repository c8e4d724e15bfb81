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

// ownErrors logs the errors of OpenTelemetry, or of the metrics page, at a bounded
// rate, each with how many were dropped since the one before.
type ownErrors struct {
	log     *slog.Logger
	message string
	limiter *rate.Limiter
	dropped atomic.Int64
}

func newOwnErrors(log *slog.Logger, message string) *ownErrors {
	return &ownErrors{log: log, message: message, limiter: rate.NewLimiter(rate.Every(ownErrorEvery), ownErrorBurst)}
}

// reportOwnErrors sends what OpenTelemetry has to say about itself to a logger
// (the default is standard error, unredacted).
func reportOwnErrors(log *slog.Logger) {
	otel.SetErrorHandler(otelErrors{newOwnErrors(log, "telemetry failed")})
	otel.SetLogger(logr.Discard()) // what it says besides its errors is about itself
}

// Handle logs an error.
func (e *ownErrors) Handle(err error) {
	if !e.limiter.Allow() {
		e.dropped.Add(1)
		return
	}
	e.log.Warn(e.message, "error", err, "dropped", e.dropped.Swap(0))
}

// otelErrors logs OpenTelemetry's errors. Of those that are no exportError it logs only the type, as their text can
// come from anywhere.
type otelErrors struct{ *ownErrors }

// Handle implements otel.ErrorHandler.
func (e otelErrors) Handle(err error) {
	if known, ok := errors.AsType[*exportError](err); ok {
		err = known
	} else {
		err = fmt.Errorf("OpenTelemetry failed (%T)", err)
	}
	e.ownErrors.Handle(err)
}

// Println implements promhttp.Logger.
func (e *ownErrors) Println(v ...any) { e.Handle(errors.New(fmt.Sprint(v...))) }
