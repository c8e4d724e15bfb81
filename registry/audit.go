package registry

import "time"

// AuditKept is how long audit entries are kept if a Store is not told otherwise.
const AuditKept = 90 * 24 * time.Hour

// AuditOutcome says what became of a write.
type AuditOutcome string

// Audit outcomes.
const (
	AuditBegun     AuditOutcome = "begun"     // nothing was noted after: its end is not known
	AuditSucceeded AuditOutcome = "succeeded" // answered with a success
	AuditRefused   AuditOutcome = "refused"   // answered with a 4xx
	AuditFailed    AuditOutcome = "failed"    // answered with a 5xx, or not at all
)

// What is recorded of changes that were made at the sales agent and found there.
const (
	ActorSalesAgent  = "sales agent"
	AuditSwitchedOff = "tenantDeactivated"
	AuditSwitchedOn  = "tenantReactivated"
)

// What is recorded of agents, found by a caller's request: the credentials of a source were refused, or are
// accepted again. Refusals that are alike become one entry, as refused writes do.
const (
	ActorAgent        = "agent"
	AuditAgentRefuses = "agentRefusedCredentials"
	AuditAgentAccepts = "agentAcceptedCredentials"
)

// AuditEntry is the record of one write, or of refused ones that are alike: who, what,
// which source, and what became of it. Nothing of a request's body stands in it but the ids of what it was about.
type AuditEntry struct {
	ID        string // given by the Store; ordered by time of beginning
	At        time.Time
	Actor     string // the caller's name: of a key, or of an access token's subject; or ActorSalesAgent, ActorAgent
	Operator  bool   // the actor was an operator, who acted for the customer
	Operation string // a word of the route table; or one of the words above
	SourceID  string // empty: none, or not known
	ESAID     int64  // 0: none, or not known
	RequestID string // empty: what was recorded is not a request of a caller's
	Outcome   AuditOutcome
	Status    int       // of the answer, or the agent's; 0: none yet
	Code      string    // of an answer that is an error; empty: none
	Count     int       // how many writes it is the record of: more than 1 for refused ones alone
	LastAt    time.Time // when the last of them began; the other fields are the first one's
}

// AuditResult ends an entry. SourceID and ESAID fill in what was not known.
type AuditResult struct {
	SourceID string
	ESAID    int64
	Outcome  AuditOutcome
	Status   int
	Code     string
}

// AuditQuery asks for a page of entries, newest first.
type AuditQuery struct {
	SourceID string // empty: of all
	Before   string // entries older than the one with this ID; empty: from the newest on
	Take     int    // at most MaxPage
}
