package registry

import "time"

// SourceStatus is the status of an AGENT source. That of a managed
// source follows from its connection (contract 5.2).
type SourceStatus string

// Source statuses.
const (
	SourcePending  SourceStatus = "PENDING"
	SourceActive   SourceStatus = "ACTIVE"
	SourceDisabled SourceStatus = "DISABLED"
)

// Source returns the status of the source that a connection stands behind.
func (p ProvisioningStatus) Source() SourceStatus {
	switch p {
	case StatusActive:
		return SourceActive
	case StatusDeactivated:
		return SourceDisabled
	}
	return SourcePending
}

// AuthenticationType is how requests to a source's agent are authenticated.
type AuthenticationType string

// Authentication types.
const (
	AuthAPIKey AuthenticationType = "API_KEY"
	AuthNone   AuthenticationType = "NO_AUTH"
	AuthJWT    AuthenticationType = "JWT"
	AuthOAuth  AuthenticationType = "OAUTH"
	AuthBasic  AuthenticationType = "BASIC_AUTH"
)

// Agent is what an AGENT source says of its agent. CredentialID is the opaque id of
// the stored credentials, empty while there are none; the credentials themselves
// are read with [CustomerStore.Credential] alone. AuthVersion grows with every
// change of the agent's authentication: a consent begun under an older one is void. RefusedAt is
// when the agent first refused those credentials since they were last good, or refused to be asked
// without any; zero: it has not ([CustomerStore.MarkRefused]).
type Agent struct {
	Status         SourceStatus
	AgentID        string // unique over all customers
	Type           string // SALES, SIGNAL, CREATIVE or OUTCOME
	EndpointURL    string
	Protocol       string // MCP or A2A
	Description    string // empty: none
	Authentication AuthenticationType
	OAuthAudience  string // AuthOAuth: the resource that was named; empty: found by discovery
	CredentialID   string
	AuthVersion    int64
	RefusedAt      time.Time
}

// NewSource is an AGENT source to be made. With a SourceID it gets that one or
// none; without, it gets Slug, or the first of Slug-2, Slug-3 … that is free (far on,
// a gap that a deletion left may be passed over), cut so that it fits [MaxIDLength].
type NewSource struct {
	SourceID   string
	Slug       string
	Name       string
	Agent      Agent         // AgentID, CredentialID, AuthVersion and RefusedAt are ignored
	AgentID    func() string // gives another id with each call; asked again while one is taken
	Credential *Credential   // nil: none
}

// SourceChange is what becomes of a source; the zero value changes nothing.
type SourceChange struct {
	Name  *string
	Agent *Agent // the whole new state; AgentID, CredentialID, AuthVersion and RefusedAt are ignored
	// Credential replaces the stored credentials; EraseCredential takes them away.
	Credential      *Credential
	EraseCredential bool
	// NewConsent raises AuthVersion, and so voids a consent that is under way. What
	// changes the credentials, Authentication or OAuthAudience does so by itself.
	NewConsent bool
}

// IdempotencyRecord makes a create safe to repeat (contract 6.7): the same Key
// of the same customer makes one source within [IdempotencyKept]. Fingerprint is a hash of
// all that was asked for. Answer, unless nil, is called before the source stands,
// with the source as it will be, and gives the answer to keep; where it is nil, or
// gives nil, [CustomerStore.KeepAnswer] brings the answer later.
type IdempotencyRecord struct {
	Key         string
	Fingerprint [32]byte
	Answer      func(*Source) []byte
	// Pending is how long a repetition waits for an answer that is still to come; zero
	// means [AnswerPending].
	Pending time.Duration
}

// IdempotencyKept is how long an idempotency key is remembered, AnswerPending how long as a
// rule a repetition waits for an answer that is still to come; after that it is taken
// for lost, and the source as it stands is the answer.
const (
	IdempotencyKept = 24 * time.Hour
	AnswerPending   = time.Minute
)

// Creation is what became of a create. Replayed: an earlier one with the same key
// made the source; Answer is what was kept of it, nil if nothing was, and Source is
// nil if it has been deleted since.
type Creation struct {
	Source   *Source
	Replayed bool
	Answer   []byte
}
