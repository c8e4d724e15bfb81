package lifecycle

import (
	"context"
	"log/slog"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

// tested is a test's result and the connection with it.
type tested struct {
	result *wire.TestResult
	m      *registry.ManagedSource
}

// Test tries out the connection to the ad server. A test that fails is a result, and
// is recorded like one that passes; Conflict without a tenant. The connection is as it
// stands after the test, also where its result could not be recorded.
func (l *Lifecycle) Test(ctx context.Context, customer, esaID int64) (*wire.TestResult, *registry.ManagedSource, error) {
	m, err := l.withTenant(ctx, customer, esaID)
	if err != nil {
		return nil, nil, err
	}
	f, err := fly(ctx, l, func(ctx context.Context) (tested, error) { return l.test(ctx, m) })
	if err != nil {
		return nil, nil, err
	}
	t, err := f.wait(ctx)
	return t.result, t.m, err
}

func (l *Lifecycle) test(ctx context.Context, m *registry.ManagedSource) (tested, error) {
	began := now() // what is saved from now on is not what is tested
	call, cancel := context.WithTimeout(ctx, l.cfg.ProbeTimeout)
	defer cancel()
	result, err := l.upstream.TestConnection(call, m.Connection.TenantID)
	if err != nil {
		return tested{}, err
	}
	record := registry.TestResult{At: began, Passed: result.Success}
	if shown := transform.TestResult(result, began); !record.Passed {
		record.ErrorCode, record.Error = codeInternal, transform.LastErrorText(codeInternal)
		if shown.ErrorCode != nil {
			record.ErrorCode = *shown.ErrorCode
		}
		if shown.Error != nil {
			record.Error = *shown.Error
		}
	}
	t := targetOf(m)
	if recorded, err := l.registry.RecordTest(ctx, t.customer, t.esaID, record); err == nil {
		m = recorded
	} else {
		l.note(ctx, slog.LevelWarn, "the result of a connection test could not be recorded", t, slog.Any("error", err))
	}
	if newer := l.touch(ctx, t); newer != nil {
		m = newer
	}
	return tested{result, m}, nil
}

// Refresh has the tenant's syncs run; Conflict without a tenant or with one that is
// deactivated.
func (l *Lifecycle) Refresh(ctx context.Context, customer, esaID int64) (*wire.Refresh, error) {
	m, err := l.withTenant(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	if m.Connection.Provisioning == registry.StatusDeactivated {
		return nil, errDeactivated()
	}
	f, err := fly(ctx, l, func(ctx context.Context) (*wire.Refresh, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		answer, err := l.upstream.Refresh(call, m.Connection.TenantID)
		if err != nil {
			return nil, err
		}
		l.touch(ctx, targetOf(m))
		return answer, nil
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

// withTenant finds a connection that has a tenant.
func (l *Lifecycle) withTenant(ctx context.Context, customer, esaID int64) (*registry.ManagedSource, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	if m.Connection.TenantID == "" {
		return nil, errNoTenant()
	}
	return m, nil
}

// touch makes the snapshots of a tenant old, in all replicas: at once, or in the
// background once the store is back; nil then.
func (l *Lifecycle) touch(ctx context.Context, t target) *registry.ManagedSource {
	write := func(ctx context.Context) (*registry.ManagedSource, error) {
		return l.registry.ChangeConnection(ctx, t.customer, t.esaID, func(cur *registry.ManagedSource) (*registry.Connection, error) {
			c, err := touched(cur.Connection)
			return &c, err
		})
	}
	m, err := write(ctx)
	if err == nil {
		return m
	}
	if fault.Is(err, fault.Unavailable) {
		l.later(ctx, l.idle, func(ctx context.Context) {
			_ = l.untilDone(ctx, t, func(ctx context.Context) error {
				_, err := write(ctx)
				return err
			})
		})
	}
	return nil
}
