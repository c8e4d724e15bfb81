package registry

import "time"

// MaxFacts is the length, in bytes, of the longest Facts that a Store keeps.
const MaxFacts = 64 << 10

// StatesKept is how long changes of state are kept.
const StatesKept = 7 * 24 * time.Hour

// Standing is how a connection's source stood when it was last judged, in short: what an overview
// shows without its document. A Store does not look into State, Issue and Facts.
type Standing struct {
	CustomerID int64
	ESAID      int64
	State      string    // a word
	Issue      string    // the code of the worst issue; empty: none
	Since      time.Time // when it entered State
	DocumentAt time.Time // the own time of the document that it was judged by; zero: none
	ReceivedAt time.Time // when that was received; without one, when it was judged
	Facts      []byte    // text; nil: nothing is known

	// ChangedBy, ByOperator and ChangedAt are of the last write that succeeded (AuditEntry); a
	// Store takes them from the audit alone. Empty: none.
	ChangedBy  string
	ByOperator bool
	ChangedAt  time.Time
}

// StateChange is when a source entered a state.
type StateChange struct {
	CustomerID int64
	ESAID      int64
	State      string
	Issue      string
	At         time.Time
}
