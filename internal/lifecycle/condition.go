package lifecycle

import (
	"context"

	"esagate/registry"
)

// If returns a Lifecycle that makes its changes of a connection on a precondition, whose error is
// returned as it is. It is checked in a transaction before upstream is asked for anything, and, of a
// change that is recorded as an operation, again in the transaction that records it: another change may
// have come in between. A Connect, which makes a connection, has none.
func (l *Lifecycle) If(precondition registry.Precondition) *Lifecycle {
	conditional := *l
	conditional.precondition = precondition
	return &conditional
}

// connection finds the connection that is to be changed. With a precondition it reads the store, and
// checks the precondition there.
func (l *Lifecycle) connection(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	if l.precondition == nil {
		return l.registry.ManagedSourceByID(ctx, customer, esaID)
	}
	return l.registry.ChangeConnection(ctx, customer, esaID, func(m *registry.Source) (*registry.Connection, error) {
		return nil, l.precondition(m)
	})
}

// withTenant is connection, and refuses one that has no tenant.
func (l *Lifecycle) withTenant(ctx context.Context, customer, esaID int64) (*registry.Source, error) {
	m, err := l.connection(ctx, customer, esaID)
	if err != nil {
		return nil, err
	}
	if m.Connection.TenantID == "" {
		return nil, errWithoutTenant(m.Connection)
	}
	return m, nil
}
