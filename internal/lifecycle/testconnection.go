package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"esagate/internal/background"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// testOutcome is a test's result and the connection after it.
type testOutcome struct {
	result *wire.TestResult
	source *registry.Source
	began  time.Time
}

// Test tests the connection to the ad server. A test that fails is a result, and is
// recorded like one that passes; Conflict without a tenant. The connection is given as it
// is after the test, also where its result could not be recorded. This process makes one
// test of a connection at a time; callers in the meantime share its result, unless a config
// was saved after it began.
func (l *Lifecycle) Test(ctx context.Context, customer, esaID int64) (*wire.TestResult, *registry.Source, error) {
	m, err := l.withTenant(ctx, customer, esaID)
	if err != nil {
		return nil, nil, err
	}
	for {
		out, shared, err := l.tests.Do(ctx, strconv.FormatInt(m.Connection.ID, 10), func(ctx context.Context) (testOutcome, error) {
			if !l.slots.Take(customer) {
				return testOutcome{}, errTooMany
			}
			defer l.slots.Give(customer)
			return l.test(ctx, m)
		})
		if shared && out.began.Before(m.Connection.AdServerSavedAt) && ctx.Err() == nil {
			continue // it was of the earlier config
		}
		switch {
		case errors.Is(err, background.ErrClosed):
			err = errStopping
		case errors.Is(err, background.ErrPanicked):
			err = errPanicked
		case err != nil && ctx.Err() != nil:
			err = errUnderWay(ctx.Err())
		}
		l.checkRefused(m, err)
		return out.result, out.source, err
	}
}

func (l *Lifecycle) test(ctx context.Context, m *registry.Source) (testOutcome, error) {
	out := testOutcome{source: m, began: now()} // what is saved from now on is not what is tested
	ctx = upstream.WithDemand(ctx, upstream.Demand{Customer: m.Connection.CustomerID})
	result, err := l.upstream.TestConnection(ctx, m.Connection.TenantID)
	if err != nil {
		return testOutcome{began: out.began}, asUpstreamFault(err)
	}
	transform.TestedAt(result, out.began)
	out.result = result
	t := targetOf(m)
	recorded, err := l.expireSnapshots(ctx, t, then(tested(result, out.began), keepLastError(*m.Connection)))
	if err != nil {
		l.logAbout(ctx, slog.LevelWarn, "the result of a connection test could not be recorded", t, slog.Any("error", err))
		return out, nil
	}
	out.source = recorded
	return out, nil
}

// tested records the result of a test that began at a time, if it is newer than the last one.
func tested(result *wire.TestResult, at time.Time) transition {
	return func(c registry.Connection) (registry.Connection, error) {
		if !at.After(c.LastTestedAt) {
			return c, nil
		}
		shown := transform.TestResult(result)
		c.LastTestedAt, c.LastTestPassed, c.LastTestTime = at, result.Success, shown.TestedAt.String()
		if at.Before(c.AdServerSavedAt) { // it was a test of another config than the saved one
			return c, nil
		}
		c.LastError, c.LastErrorCode = "", ""
		if !result.Success {
			c.LastError, c.LastErrorCode = *shown.Error, *shown.ErrorCode
		}
		return c, nil
	}
}

// keepLastError says again what is still to be settled, where a test that passed has
// cleared it; before is the connection as it was.
func keepLastError(before registry.Connection) transition {
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
