package status

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/snapshot"
)

// TestHistoryPanics: a panic in a call for one stream fails that call.
func TestHistoryPanics(t *testing.T) {
	s := &Service{log: slog.New(slog.DiscardHandler)} // without a client
	if _, err := s.historyFetcher(&registry.Connection{TenantID: "t"}, []string{"inventory"}, nil)(t.Context(), snapshot.Demand{}); !errors.Is(err, background.ErrPanicked) {
		t.Error(err)
	}
}

func TestUnavailableKeepsTheReason(t *testing.T) {
	refused := fault.Upstream(fault.CircuitOpen, "refused", nil)
	tests := map[string]struct {
		err    error
		reason fault.Reason
		kind   fault.Kind
	}{
		"a reason":     {&snapshot.UnavailableError{Cause: refused, RetryAfter: 7 * time.Second}, fault.CircuitOpen, fault.Unavailable},
		"no answer":    {&snapshot.UnavailableError{Cause: snapshot.ErrNoAnswer, RetryAfter: 7 * time.Second}, fault.UpstreamTimeout, fault.Unavailable},
		"queued":       {&snapshot.UnavailableError{Cause: snapshot.ErrQueued, RetryAfter: 7 * time.Second}, "", fault.Unavailable},
		"an unknown":   {&snapshot.UnavailableError{Cause: errors.New("?"), RetryAfter: 7 * time.Second}, fault.UpstreamError, fault.Unavailable},
		"not found":    {&fault.Error{Kind: fault.NotFound, Reason: fault.TenantNotFound}, fault.TenantNotFound, fault.NotFound},
		"another kind": {fmt.Errorf("wrapped: %w", fault.New(fault.Conflict, "no")), "", fault.Conflict},
	}
	for name, test := range tests {
		got := fault.As(unavailable(test.err))
		if got.Reason != test.reason || got.Kind != test.kind {
			t.Errorf("%s: %+v", name, got)
		}
		if test.kind == fault.Unavailable && got.RetryAfter != 7*time.Second {
			t.Errorf("%s: next try in %s", name, got.RetryAfter)
		}
	}
	if refused.RetryAfter != 0 {
		t.Error("a shared error was changed")
	}
}
