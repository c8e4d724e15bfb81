package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"

	"esagate/internal/fault"
	"esagate/internal/telemetry"
	"esagate/registry"
)

// TestCausesAreLogged: of an error whose text may not be shown as a whole, what our own
// errors and the connection's say is.
func TestCausesAreLogged(t *testing.T) {
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	secret := func(err error) error {
		return fmt.Errorf("password=%s at https://ann:%s@db.example: %w", plainCanary, canary, err)
	}
	for name, c := range map[string]struct {
		err  error
		says []string
	}{
		"the store is away":             {secret(registry.ErrOutcomeUnknown), []string{"registry: whether the change was made is not known"}},
		"one of ours":                   {secret(fault.Wrap(fault.Unavailable, "The registry can't be reached.", secret(refused))), []string{"The registry can't be reached.", "connection refused"}},
		"of the sales agent":            {secret(fault.Upstream(fault.UpstreamTimeout, "The sales agent did not answer in time.", secret(context.DeadlineExceeded))), []string{"The sales agent did not answer in time.", "context deadline exceeded"}},
		"joined":                        {errors.Join(secret(registry.ErrStale), secret(refused)), []string{"registry: the row has changed", "connection refused"}},
		"a message that holds a secret": {secret(fault.New(fault.Internal, "token="+canary)), []string{"[redacted]"}},
		"no words of ours":              {secret(errors.New("CANARY-other")), []string{"[redacted]"}},
	} {
		out := &bytes.Buffer{}
		telemetry.NewLogger(out, telemetry.FormatJSON, slog.LevelInfo).Warn("it failed", slog.Any("error", c.err))
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing in %s", name, want, out)
			}
		}
		if strings.Contains(out.String(), "CANARY") || strings.Contains(out.String(), "ann:") {
			t.Errorf("%s: a secret is logged: %s", name, out)
		}
	}
}
