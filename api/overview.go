package api

// Overview is how a caller's managed sources stand, the worst first. Counts and Headline are of all
// of them; Total counts those that match the filters, Items is a page of these.
type Overview struct {
	Headline string         `json:"headline"`
	Counts   StateCounts    `json:"counts"`
	Items    []OverviewItem `json:"items"` // never null
	Total    int64          `json:"total"`

	AgentIssues []AgentIssue `json:"agentIssues"` // of AGENT sources, which are no items; never null
}

// AgentIssue says that something is wrong with the agent of an AGENT source.
type AgentIssue struct {
	SourceID   string    `json:"sourceId"`
	Name       string    `json:"name"`
	CustomerID int64     `json:"customerId"`
	Code       string    `json:"code"`
	Severity   string    `json:"severity"`
	Message    string    `json:"message"`
	Since      Timestamp `json:"since"`
}

// StateCounts counts sources by their state, the worst first.
type StateCounts struct {
	Down        int64 `json:"down"`
	Blocked     int64 `json:"blocked"`
	Unknown     int64 `json:"unknown"`
	Degraded    int64 `json:"degraded"`
	Pending     int64 `json:"pending"`
	Live        int64 `json:"live"`
	Deactivated int64 `json:"deactivated"`
}

// Of gives the count of a state; what is none counts as unknown.
func (c *StateCounts) Of(state string) *int64 {
	switch state {
	case "down":
		return &c.Down
	case "blocked":
		return &c.Blocked
	case "degraded":
		return &c.Degraded
	case "pending":
		return &c.Pending
	case "live":
		return &c.Live
	case "deactivated":
		return &c.Deactivated
	}
	return &c.Unknown
}

// OverviewItem is one managed source in short.
type OverviewItem struct {
	SourceID   string    `json:"sourceId"`
	ESAID      string    `json:"esaId"` // a BIGINT
	Name       string    `json:"name"`
	CustomerID int64     `json:"customerId"`
	State      string    `json:"state"` // a name of StateCounts
	Since      Timestamp `json:"since"` // when it entered that state; null where that is not known
	OverviewFacts
	FetchedAt Timestamp   `json:"fetchedAt"` // the document's own time; null without one
	Age       *int64      `json:"age"`       // of the gateway's copy of it, in seconds; nil without one
	Stale     bool        `json:"stale"`     // a refresh has failed since
	Breaker   string      `json:"breaker"`   // of the tenant: closed or open
	ChangedBy *ChangedBy  `json:"changedBy"` // nil: by nobody, as far as the audit goes back
	History   []StateSpan `json:"history,omitzero"`
}

// OverviewFacts are the part of an OverviewItem that its status document says. They are what is
// kept of it beside the document itself.
type OverviewFacts struct {
	AdServer     *string           `json:"adServer"` // its type
	Issue        *OverviewIssue    `json:"issue"`    // the worst; nil: there is none
	IssueCount   int64             `json:"issueCount"`
	Blockers     []OverviewBlocker `json:"blockers"` // open ones, never null
	BlockerCount int64             `json:"blockerCount"`
	Syncs        OverviewSyncs     `json:"syncs"` // never null
}

// OverviewIssue is the worst issue of a source.
type OverviewIssue struct {
	Code          string  `json:"code"`
	Severity      string  `json:"severity"` // warning or critical
	Message       string  `json:"message"`
	ConfigurePath *string `json:"configurePath,omitzero"`
}

// OverviewBlocker is a setup task that keeps a source from selling.
type OverviewBlocker struct {
	ID            string  `json:"id"`
	Name          string  `json:"name"`
	ConfigurePath *string `json:"configurePath"`
}

// OverviewSyncs holds the last sync of each stream, in the order of Syncs.
type OverviewSyncs = Members[OverviewSync]

// OverviewSync is the last sync of a stream.
type OverviewSync struct {
	Status        string    `json:"status"`
	LastRunAt     Timestamp `json:"lastRunAt"`
	LastSuccessAt Timestamp `json:"lastSuccessAt"`
	ItemCount     *int64    `json:"itemCount"`
}

// ChangedBy says who last made a successful change to a source.
type ChangedBy struct {
	Actor    string    `json:"actor"`
	Operator bool      `json:"operator"` // who acted for the customer
	At       Timestamp `json:"at"`
}

// StateSpan is a time that a source spent in one state.
type StateSpan struct {
	State string    `json:"state"`
	Issue *string   `json:"issue"` // the code of the worst issue when the state began; nil: none
	From  Timestamp `json:"from"`
	To    Timestamp `json:"to"` // null: it lasts
}
