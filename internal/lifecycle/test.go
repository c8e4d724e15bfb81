package lifecycle

import (
	"context"
	"log/slog"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

// tested is a test's result and the connection with it.
type tested struct {
	result *wire.TestResult
	m      *registry.Source
}

// testRun is a test that is under way.
type testRun struct {
	*flight[tested]
	began time.Time
}

// Test tries out the connection to the ad server. A test that fails is a result, and
// is recorded like one that passes; Conflict without a tenant. The connection is as it
// stands after the test, also where its result could not be recorded. There is one at a
// time a connection in this process, whose result is everybody's who asks meanwhile.
func (l *Lifecycle) Test(ctx context.Context, customer, esaID int64) (*wire.TestResult, *registry.Source, error) {
	m, err := l.withTenant(ctx, customer, esaID)
	if err != nil {
		return nil, nil, err
	}
	for {
		t, shared, err := l.joinTest(ctx, m)
		if err != nil {
			return nil, nil, err
		}
		got, err := t.wait(ctx)
		if shared || ctx.Err() != nil {
			return got.result, got.m, err
		}
	}
}

// joinTest gives the connection's test that is under way, or begins one. It is not
// shared if a config was saved after it began: it is only to be waited for.
func (l *Lifecycle) joinTest(ctx context.Context, m *registry.Source) (t *testRun, shared bool, err error) {
	id := m.Connection.ID
	l.testing.Lock()
	defer l.testing.Unlock()
	if t := l.tests[id]; t != nil {
		return t, !t.began.Before(m.Connection.AdServerSavedAt), nil
	}
	t = &testRun{began: now()}
	t.flight, err = fly(ctx, l, m.Connection.CustomerID, func(ctx context.Context) (tested, error) {
		defer func() {
			l.testing.Lock()
			defer l.testing.Unlock()
			delete(l.tests, id)
		}()
		return l.test(ctx, m)
	})
	if err != nil {
		return nil, false, err
	}
	if l.tests == nil {
		l.tests = map[int64]*testRun{}
	}
	l.tests[id] = t
	return t, true, nil
}

func (l *Lifecycle) test(ctx context.Context, m *registry.Source) (tested, error) {
	began := now() // what is saved from now on is not what is tested
	call, cancel := context.WithTimeout(ctx, l.cfg.ProbeTimeout)
	defer cancel()
	result, err := l.upstream.TestConnection(call, m.Connection.TenantID)
	if err != nil {
		return tested{}, gatewaysOwn(err)
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
	t, before := targetOf(m), *m.Connection
	if recorded, err := l.registry.RecordTest(ctx, t.customer, t.esaID, record); err == nil {
		m = recorded
	} else {
		l.note(ctx, slog.LevelWarn, "the result of a connection test could not be recorded", t, slog.Any("error", err))
	}
	if newer := l.touch(ctx, t, then(touched, reminded(before))); newer != nil {
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
	f, err := fly(ctx, l, customer, func(ctx context.Context) (*wire.Refresh, error) {
		call, cancel := context.WithTimeout(ctx, callTimeout)
		defer cancel()
		answer, err := l.upstream.Refresh(call, m.Connection.TenantID)
		if err != nil {
			return nil, gatewaysOwn(err)
		}
		l.touch(ctx, targetOf(m), touched)
		return answer, nil
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

// withTenant finds a connection that has a tenant.
func (l *Lifecycle) withTenant(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	m, err := l.registry.ManagedSourceByID(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	if m.Connection.TenantID == "" {
		return nil, withoutTenant(m.Connection)
	}
	return m, nil
}

// withoutTenant says why there is none: it is being made, or nobody has asked for it.
func withoutTenant(c *registry.Connection) error {
	if underWay(c) {
		return busy(c.Operation, now())
	}
	return errNoTenant()
}

// reminded says again what a change has left to be settled, where a test that passed has
// wiped it; before is the connection as it was.
func reminded(before registry.Connection) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if op := before.Operation; op != nil && holds(&c, op.ID) && c.LastError == "" {
			switch before.LastError {
			case textConfigLost, textSettings:
				c.LastError, c.LastErrorCode = before.LastError, before.LastErrorCode
			}
		}
		return c, nil
	}
}

// touch makes the snapshots of a tenant old, in all replicas: at once, or in the
// background once the store is back; nil then. became is touched, or more.
func (l *Lifecycle) touch(ctx context.Context, t target, became transition) *registry.Source {
	write := func(ctx context.Context) (*registry.Source, error) {
		return l.registry.ChangeConnection(ctx, t.customer, t.esaID, func(cur *registry.Source) (*registry.Connection, error) {
			c, err := became(*cur.Connection)
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
