package registry

import (
	"cmp"
	"reflect"
	"time"
)

// OperationKind is what a change of a connection's tenant does upstream.
type OperationKind string

// Operation kinds.
const (
	OperationProvision  OperationKind = "provision"  // makes the tenant
	OperationConfigure  OperationKind = "configure"  // replaces its ad-server config
	OperationDeactivate OperationKind = "deactivate" // switches it off
	OperationReactivate OperationKind = "reactivate" // and on again
)

// Operation is a change of a connection's tenant that is under way. It is written down
// before upstream is called and taken away with the outcome, so that there is one at a
// time a connection, across replicas, and one that a crash cut short is found.
type Operation struct {
	Kind  OperationKind
	ID    string    // random; an operation is ended by the one that began it
	Begun time.Time // when
	Until time.Time // the operation is abandoned after this time; any replica may then settle it
}

// NewManaged is a managed source to be made, with its connection in status
// provisioning and an operation under way. SourceID and Slug are as in [NewSource].
type NewManaged struct {
	SourceID            string
	Slug                string
	Name                string
	AdServer            AdServer
	ServiceAccountEmail string
	Operation           Operation
}

// LearnAdServer decides, for ChangeConnection, to record upstream's ad-server view where
// there is none yet, and the e-mail where there is none. It replaces neither.
func LearnAdServer(view AdServer, email string) func(*Source) (*Connection, error) {
	return func(current *Source) (*Connection, error) {
		next := *current.Connection
		if next.AdServer == nil && view.Type != "" {
			next.AdServer = &view
		}
		next.ServiceAccountEmail = cmp.Or(next.ServiceAccountEmail, email)
		return &next, nil
	}
}

// Changed reports whether two states of a connection differ, and whether a reader could
// see it. Their times are as a Store keeps them.
func (c *Connection) Changed(to *Connection) (changed, visible bool) {
	shown := *to
	shown.ExternalOrgID, shown.Operation, shown.UnsettledSince, shown.Epoch = c.ExternalOrgID, c.Operation, c.UnsettledSince, c.Epoch
	return !reflect.DeepEqual(c, to), !reflect.DeepEqual(c, &shown)
}
