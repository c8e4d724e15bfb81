package status

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
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

// TestFacetsAreBounded: the commonest values stay, in their order.
func TestFacetsAreBounded(t *testing.T) {
	counts := map[int64]int64{}
	for id := range int64(maxFacets + 50) {
		counts[id] = 1 + id%2
	}
	got := facets(counts, func(id int64) string { return strconv.FormatInt(id, 10) })
	if len(got) != maxFacets {
		t.Fatalf("%d facets", len(got))
	}
	odd, last := 0, int64(-1)
	for _, f := range got {
		id, err := strconv.ParseInt(f.Value, 10, 64)
		if err != nil || id <= last || f.Count != counts[id] {
			t.Errorf("%+v after %d", f, last)
		}
		if last = id; id%2 == 1 {
			odd++
		}
	}
	if odd != (maxFacets+50)/2 {
		t.Errorf("%d of the commonest", odd)
	}
}
