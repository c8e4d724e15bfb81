package registry

import "time"

// MaxSnapshot is the length, in bytes, of the longest document that a Store keeps.
const MaxSnapshot = 1 << 20

// Snapshot is the last good status of a tenant that a connection has, as it outlives the
// process that got it. A Store does not look into the document.
type Snapshot struct {
	TenantID   string
	Epoch      int64     // the connection's, as it was known when the document was asked for
	At         time.Time // the document's own time
	ReceivedAt time.Time
	Document   []byte // text
}
