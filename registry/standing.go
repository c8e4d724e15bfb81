package registry

import "time"

// MaxFacts is the length, in bytes, of the longest Facts that a Store keeps.
const MaxFacts = 64 << 10

// StatesKept is how long a state is kept after it ended, and MaxStateChanges of how many a Store
// keeps at most for each connection: the last ones.
const (
	StatesKept      = 7 * 24 * time.Hour
	MaxStateChanges = 200
)

// Standing is how a connection's source stood when it was last judged, in short: what an overview
// shows without its document. A Store does not look into State, Issue and Facts.
type Standing struct {
	CustomerID int64
	ESAID      int64
	State      string    // a word
	Issue      string    // the code of the worst issue; empty: none
	Since      time.Time // when it entered State
	Version    int64     // of the connection that it was judged by
	DocumentAt time.Time // the own time of the document that it was judged by; zero: none
	ReceivedAt time.Time // when that was received; without one, when it was judged
	Facts      []byte    // text; nil: nothing is known

	// ChangedBy, ByOperator and ChangedAt are of the last write that succeeded (AuditEntry); a
	// Store takes them from the audit alone. Empty: none.
	ChangedBy  string
	ByOperator bool
	ChangedAt  time.Time
}

// SourceStanding is a managed source as an overview shows it.
type SourceStanding struct {
	*Source
	Standing Standing // without a State: it was never judged
}

// StateChange is when a source entered a state.
type StateChange struct {
	CustomerID int64
	ESAID      int64
	State      string
	Issue      string // as it was then
	At         time.Time
}
