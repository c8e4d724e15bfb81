package registry

import (
	"context"
	"errors"
	"slices"
	"time"
)

// storeError is an error of the registry, with nothing of a row or of the database in it.
type storeError string

// Error implements error.
func (e storeError) Error() string { return "registry: " + string(e) }

// OwnWords is the error, which may be shown whatever it stands in.
func (e storeError) OwnWords() string { return e.Error() }

// Sentinel errors of a Store. Any other error means that the store itself could
// not be asked or could not do it.
var (
	// ErrNotFound: the customer has no such row. Another customer's row is not found either.
	ErrNotFound error = storeError("not found")
	// ErrTenantTaken: the tenant belongs to another connection already.
	ErrTenantTaken error = storeError("the tenant belongs to another connection")
	// ErrIDTaken: the wanted esaId belongs to another connection already, or did
	// once: ids never repeat.
	ErrIDTaken error = storeError("the esaId belongs or belonged to another connection")
	// ErrSourceTaken: the customer has a source with this sourceId.
	ErrSourceTaken error = storeError("the sourceId belongs to another source")
	// ErrNameTaken: the customer has a key of this name that is not revoked.
	ErrNameTaken error = storeError("the name belongs to another key")
	// ErrKeyReused: the idempotency key came before, with something else to do.
	ErrKeyReused error = storeError("the idempotency key was used for something else")
	// ErrAnswerPending: the first use of the idempotency key is still being answered.
	ErrAnswerPending error = storeError("the idempotency key's first answer is still to come")
	// ErrStale: what the change was decided on has changed since.
	ErrStale error = storeError("the row has changed")
	// ErrTooMany: the customer has [MaxLaunches] launches that wait to be opened.
	ErrTooMany error = storeError("too many launches wait to be opened")
	// ErrSecret: a stored secret can't be opened with the keys at hand.
	ErrSecret error = storeError("a stored secret can't be opened with this encryption key")
	// ErrOutcomeUnknown: a write was on its way to the disk when the store stopped
	// answering: it may stand or not. After any other error of a write nothing has
	// changed.
	ErrOutcomeUnknown error = storeError("whether the change was made is not known")
	// ErrInvalid: a value that no store keeps: text for which [Storable] is false,
	// an id that is empty or longer than [MaxIDLength], an esaId outside of 1 to
	// [MaxESAID]. The value is not part of the error.
	ErrInvalid error = storeError("a value that can't be stored")
)

// refusals are the errors of a store that could be asked and said no.
var refusals = []error{
	ErrNotFound, ErrInvalid, ErrTenantTaken, ErrIDTaken, ErrSourceTaken, ErrNameTaken,
	ErrKeyReused, ErrAnswerPending, ErrStale, ErrTooMany, ErrSecret,
}

// Refusal reports whether a Store could be asked and said no: err is one of the
// sentinels above, but for [ErrOutcomeUnknown].
func Refusal(err error) bool {
	return slices.ContainsFunc(refusals, func(refusal error) bool { return errors.Is(err, refusal) })
}

// MaxPage is how many rows a list gives at most, whatever it was asked for.
const MaxPage = 200

// Store keeps sources and connections. Every implementation passes the suite in
// registry/registrytest. All methods are safe for concurrent use, honour their
// context, and have their writes on disk when they return. Instants are kept to
// the microsecond, in UTC.
type Store interface {
	// Customer returns access to one customer's rows and to no others: the only way
	// to read or change rows on a caller's behalf.
	Customer(id int64) CustomerStore
	// All returns overviews of all customers' sources, for operators: nothing of them may
	// reach another caller.
	All() OverviewStore
	// Adopt takes over one managed source of the config (contract 5.13).
	Adopt(ctx context.Context, s ConfigSource) (Adoption, error)
	// TakeConsent returns the consent that was begun with a state of this SHA-256, and
	// forgets it. ErrNotFound when there is none, when it has expired, and when its
	// source was deleted or changed since in how its agent is asked.
	TakeConsent(ctx context.Context, state [32]byte) (*TakenConsent, error)
	// WebhookTarget tells who deliveries for a tenant are for; ErrNotFound, ErrSecret.
	// It searches all customers, because a delivery names none: nothing of it may reach
	// the sender.
	WebhookTarget(ctx context.Context, tenantID string) (*WebhookTarget, error)
	// TakeLaunch returns the launch whose token has this SHA-256, and forgets it: one of two calls
	// gets it, whatever replicas they come from. ErrNotFound when there is none, when it has expired,
	// and when its source was deleted.
	TakeLaunch(ctx context.Context, token [32]byte) (*TakenLaunch, error)
	// Changes calls each for every managed source that was made, deleted, or given a new Version or
	// Epoch since a cursor, by whatever process, and gives the cursor of what is told then; in the order
	// in which they were written, at least once, each as it is when it is read. gap: what was written
	// before next is not known, as with an empty cursor, or where the database's server is another one;
	// nothing was told then. After an error some may have been told.
	Changes(ctx context.Context, since string, each func(Change)) (next string, gap bool, err error)
	UpkeepStore
	SnapshotStore
	// RewriteSecrets encrypts what is not under the primary encryption key anew, some
	// rows a transaction, and gives how many it rewrote.
	RewriteSecrets(ctx context.Context) (int, error)
	// APIKeys returns the keys that were made at run time, of all customers.
	APIKeys() KeyStore
	// Ping asks whether the store can be reached.
	Ping(ctx context.Context) error
	Close() error
}

// Change is a managed source that was written.
type Change struct {
	CustomerID int64
	SourceID   string
	ESAID      int64
	Source     *Source // nil: it was deleted
}

// Precondition says by its error why a change may not be made to a source as it stands. It waits
// for nothing, and may be called more than once; nil: whatever the source is.
type Precondition func(*Source) error

// Check returns the error of the precondition, if there is one.
func (p Precondition) Check(s *Source) error {
	if p == nil {
		return nil
	}
	return p(s)
}

// CustomerStore is a Store narrowed to one customer.
type CustomerStore interface {
	OverviewStore
	// Source finds a source of either kind by its sourceId; ErrNotFound.
	Source(ctx context.Context, sourceID string) (*Source, error)
	// Sources lists sources of both kinds by id, skip passed over, at most take and
	// never more than [MaxPage], with how many there are in all.
	Sources(ctx context.Context, skip, take int) ([]*Source, int, error)
	// CreateSource makes an AGENT source; once may be nil. ErrSourceTaken,
	// ErrKeyReused, ErrAnswerPending, ErrInvalid.
	CreateSource(ctx context.Context, s NewSource, once *IdempotencyRecord) (Creation, error)
	// CreateManaged makes a managed source with its connection, whose esaId is the next
	// one; once may be nil. Errors as CreateSource.
	CreateManaged(ctx context.Context, s NewManaged, once *IdempotencyRecord) (Creation, error)
	// ClaimIdempotencyKey claims a key for a request that makes no source. The result is
	// Replayed, with the Answer, when the key was used before; else the request is to be
	// done, also when an earlier answer was lost. ErrKeyReused, ErrAnswerPending, ErrInvalid.
	ClaimIdempotencyKey(ctx context.Context, once IdempotencyRecord) (Creation, error)
	// KeepAnswer keeps the answer of a create whose [IdempotencyRecord] gave none, or of a
	// request that claimed the key. Without such a request it does nothing.
	KeepAnswer(ctx context.Context, key string, answer []byte) error
	// ReleaseIdempotencyKey records that a request without a kept answer failed. If it made
	// a source, a repetition gets that at once, Replayed and without an Answer; else the key
	// is free again. An answer that is kept stays.
	ReleaseIdempotencyKey(ctx context.Context, key string) error
	// UpdateSource changes a source of either kind in one transaction: decide gets the
	// locked source and returns the change. Its error is returned as it is, and nothing has
	// changed then. It must not wait for anything, and may be called more than once. A
	// change of name makes the name the API's own
	// (contract 5.13). UpdatedAt moves only with a change, and that of an AGENT source
	// then always grows.
	UpdateSource(ctx context.Context, sourceID string, decide func(*Source) (SourceChange, error)) (*Source, error)
	// DeleteSource deletes a source of either kind with its connection, credentials and
	// consents, unless allow returns an error. It returns the source as it was.
	DeleteSource(ctx context.Context, sourceID string, allow func(*Source) error) (*Source, error)
	// Credential returns a source's credentials and their id; ErrNotFound where none
	// are stored, ErrSecret.
	Credential(ctx context.Context, sourceID string) (*Credential, string, error)
	// ReplaceCredential stores new credentials in the place of those with an id, which
	// are erased; ErrStale if others are stored by now, or none. With nil it erases
	// them; an ACTIVE source then becomes PENDING.
	ReplaceCredential(ctx context.Context, sourceID, credentialID string, next *Credential) (*Source, error)
	// LeaseRefresh leases the refresh of the credentials with an id until a time, to one
	// caller at a time: it returns true to that one. ErrStale as above.
	LeaseRefresh(ctx context.Context, sourceID, credentialID string, until time.Time) (bool, error)
	// BeginConsent keeps a consent, in place of any other of the source; ErrStale if
	// the source is another row than the consent's, or its agent's AuthVersion another.
	BeginConsent(ctx context.Context, sourceID string, state [32]byte, consent Consent) error
	// EndConsent stores what a consent brought, in place of the credentials that there
	// are; ErrStale as BeginConsent.
	EndConsent(ctx context.Context, sourceID string, consent Consent, tokens OAuthCredential) (*Source, error)
	// MarkRefused records that a source's agent refused its credentials at a time, or with the zero
	// time that they are good again; the earliest time stays. credentialID is that of the credentials,
	// empty where it was asked without: ErrStale if others are stored by now. Other credentials and
	// another way to authenticate are not refused yet. UpdatedAt stays.
	MarkRefused(ctx context.Context, sourceID, credentialID string, at time.Time) (*Source, error)

	// ManagedSourceByID finds a managed source by its connection's id.
	ManagedSourceByID(ctx context.Context, esaID int64) (*Source, error)
	// ManagedSources lists managed sources by connection id, else as Sources does.
	ManagedSources(ctx context.Context, skip, take int) ([]*Source, int, error)
	// ObserveInventorySync records a signal of the inventory sync if it is newer
	// (ObservedAt) than the last one recorded, and returns the source as it then is. A
	// signal of the same run keeps an earlier LastRunAt (contract 5.1). One that changes no
	// state moves ObservedAt alone: no new Version, no new UpdatedAt of either.
	// Connection.UpdatedAt never moves here.
	// The sync's UpdatedAt becomes the ObservedAt of the signal that changed it,
	// whatever the signal's own says; a signal without ObservedAt is the oldest.
	ObserveInventorySync(ctx context.Context, esaID int64, signal InventorySync) (*Source, error)
	// ChangeConnection changes a connection in one transaction: decide gets the locked
	// source and returns the new connection, or nil to leave it. It can't change ids,
	// CreatedAt, InventorySync and Version. Its error is returned as it is, and nothing has
	// changed then. It must not wait for anything, and may be called more than once. Any
	// change is a new Version; UpdatedAt moves with what a reader could see. ErrTenantTaken, ErrInvalid.
	ChangeConnection(ctx context.Context, esaID int64, decide func(*Source) (*Connection, error)) (*Source, error)
	// ChangeAudited is ChangeConnection for a change that no request makes. If the status of
	// the connection changes, the same transaction adds e to the audit, as succeeded; its
	// SourceID and ESAID are the connection's.
	ChangeAudited(ctx context.Context, esaID int64, e AuditEntry, decide func(*Source) (*Connection, error)) (*Source, error)
	// KeepSettings keeps, encrypted, the ad-server settings that an operation has read
	// and is to put back; nil forgets them. Settings gives them, ErrNotFound without.
	KeepSettings(ctx context.Context, esaID int64, settings []byte) error
	Settings(ctx context.Context, esaID int64) ([]byte, error)
	// KeepLaunch keeps a launch into a managed source until it is taken or has expired; ErrStale if
	// the source is another row than the launch's, ErrTooMany, ErrInvalid.
	KeepLaunch(ctx context.Context, sourceID string, token [32]byte, launch Launch) error

	// Subscription returns a connection's subscription; ErrNotFound without, ErrSecret.
	Subscription(ctx context.Context, esaID int64) (*Subscription, error)
	// ChangeSubscription changes it as ChangeConnection does: decide is given nil where
	// there is none, and gives it as it is to be, or nil to leave it. Where Lives changes,
	// the connection gets a new Version. A secret that can't be opened is given as none.
	ChangeSubscription(ctx context.Context, esaID int64, decide func(*Subscription) (*Subscription, error)) (*Subscription, error)
	// RecordEvent takes in a delivery, all of it in one transaction: the event is counted,
	// its state of the inventory sync recorded if it is newer, the subscription's AnnouncedAt
	// moved forward, and Epoch raised. duplicate: it was processed before, and has no effect
	// now; m is then the source as it is. ErrInvalid for an ID that no store keeps.
	RecordEvent(ctx context.Context, esaID int64, e Event) (duplicate bool, m *Source, err error)
	// DeliveryCounts counts a connection's deliveries.
	DeliveryCounts(ctx context.Context, esaID int64) (DeliveryCounts, error)

	// BeginAudit records that a write begins and gives the entry's ID. At and ID are
	// the Store's to give, Outcome is [AuditBegun].
	BeginAudit(ctx context.Context, e AuditEntry) (id string, err error)
	// FinishAudit records what became of it; ErrNotFound. A refused write becomes part of the
	// entry of those of the same clock hour that are alike, in actor, operation, source, status
	// and code: its own entry then goes.
	FinishAudit(ctx context.Context, id string, result AuditResult) error
	// Audit returns a page of entries, newest first, and whether there are older ones.
	Audit(ctx context.Context, q AuditQuery) (page []AuditEntry, more bool, err error)
}

// ConfigSource is one entry of the config's `sources`. ESAID 0 lets the store
// assign one, larger than any before it; an empty TenantID makes the connection
// pending. Labels say all labels: none clears them. An empty e-mail clears one
// that the config set, and leaves one that was learned from upstream.
type ConfigSource struct {
	CustomerID          int64
	SourceID            string
	Name                string
	ESAID               int64
	TenantID            string
	AdServer            *AdServer
	ServiceAccountEmail string
	Labels              map[string]string
}

// Adoption says what became of a ConfigSource.
type Adoption struct {
	Outcome AdoptionOutcome
	Managed *Source // nil when Outcome is AdoptionDeleted or AdoptionNotManaged
}

// AdoptionOutcome is what Adopt did.
type AdoptionOutcome string

// Adoption outcomes. An entry that exists keeps its tenant, ad server, esaId and
// status; labels and e-mail follow the config, and the name does until the API
// changes it.
const (
	AdoptionCreated    AdoptionOutcome = "created"
	AdoptionUpdated    AdoptionOutcome = "updated"
	AdoptionUnchanged  AdoptionOutcome = "unchanged"
	AdoptionDeleted    AdoptionOutcome = "deleted"     // the API deleted it: it stays deleted
	AdoptionNotManaged AdoptionOutcome = "not_managed" // an AGENT source holds the sourceId
)
