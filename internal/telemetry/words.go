package telemetry

// The words that label the metrics. An event with a word that is not among
// them is not counted.

// ReadResult says what a read of a snapshot found.
type ReadResult string

// The results of a read.
const (
	ReadHit      ReadResult = "hit"      // a fresh copy
	ReadStale    ReadResult = "stale"    // a copy past its freshness
	ReadMiss     ReadResult = "miss"     // nothing; the sales agent was asked
	ReadNegative ReadResult = "negative" // the remembered answer that there is no such tenant
	ReadError    ReadResult = "error"    // nothing to serve, an error was answered
	ReadNone     ReadResult = "none"     // no snapshot was needed: the source has no tenant yet
)

var readResults = []ReadResult{ReadHit, ReadStale, ReadMiss, ReadNegative, ReadError, ReadNone}

// RefreshOutcome says what became of a refresh.
type RefreshOutcome string

// The outcomes of a refresh.
const (
	RefreshStored    RefreshOutcome = "stored"    // a newer document was stored
	RefreshDiscarded RefreshOutcome = "discarded" // an older document than the newest served
	RefreshTaken     RefreshOutcome = "taken"     // another replica had published a newer one meanwhile
	RefreshFailed    RefreshOutcome = "failed"    // no document that counts
	RefreshNotFound  RefreshOutcome = "not_found" // the sales agent has no such tenant
	RefreshRefused   RefreshOutcome = "refused"   // not made: too many others were waiting
)

var refreshOutcomes = []RefreshOutcome{RefreshStored, RefreshDiscarded, RefreshTaken, RefreshFailed, RefreshNotFound, RefreshRefused}

// LookOutcome is what came of a look at what other replicas have published of a tenant.
type LookOutcome string

// Outcomes of a look.
const (
	LookSame   LookOutcome = "same"   // nothing newer than what is here
	LookNewer  LookOutcome = "newer"  // a document, which was taken
	LookFailed LookOutcome = "failed" // Redis did not answer in time
)

var lookOutcomes = []LookOutcome{LookSame, LookNewer, LookFailed}

// Refusal says why a request's key or token was refused. For a token it is the
// auth.Reason.
type Refusal string

// The refusals of keys.
const (
	RefusalMissing  Refusal = "missing"   // no key
	RefusalUnknown  Refusal = "unknown"   // no such key
	RefusalReadOnly Refusal = "read_only" // a read-only key on a write

	// RefusalOtherCustomer: a customer's key or token, with the id of another customer.
	RefusalOtherCustomer Refusal = "other_customer"
	// RefusalCrossSite: what a browser was made to send by a page of somebody else's.
	RefusalCrossSite Refusal = "cross_site"
)

var refusals = []Refusal{RefusalMissing, RefusalUnknown, RefusalReadOnly, RefusalOtherCustomer, RefusalCrossSite,
	"malformed", "bad_signature", "expired", "not_yet_valid", "wrong_issuer", "wrong_audience", "bad_claims"}

// LimitedKind says which rate limit a request was refused for.
type LimitedKind string

// The rate limits.
const (
	LimitedReads     LimitedKind = "reads"
	LimitedWrites    LimitedKind = "writes"
	LimitedWrongKeys LimitedKind = "wrong_keys"
	LimitedStreams   LimitedKind = "streams"
	LimitedCalls     LimitedKind = "calls" // that are passed on
	LimitedWaits     LimitedKind = "waits" // for the sales agent, without a copy
)

var limitedKinds = []LimitedKind{LimitedReads, LimitedWrites, LimitedWrongKeys, LimitedStreams, LimitedCalls, LimitedWaits}

// ConsentOutcome says what became of a consent with an agent's authorization server.
type ConsentOutcome string

// The outcomes of a consent.
const (
	ConsentBegun    ConsentOutcome = "begun"     // an address was given out
	ConsentNotBegun ConsentOutcome = "not_begun" // none could be found out
	ConsentGiven    ConsentOutcome = "given"     // tokens are stored
	ConsentRefused  ConsentOutcome = "refused"   // denied, not known, run out, or refused by the server
	ConsentStale    ConsentOutcome = "stale"     // the source had changed
	ConsentFailed   ConsentOutcome = "failed"    // the server or the store could not be asked
)

var consentOutcomes = []ConsentOutcome{ConsentBegun, ConsentNotBegun, ConsentGiven, ConsentRefused, ConsentStale, ConsentFailed}

// operation is what was done and how it ended.
type operation struct{ name, outcome string }

// Words of the packages that count.
var (
	okOutcomes       = []string{"ok", "failed"}
	deliveryOutcomes = []string{"recorded", "duplicate", "ignored", "test", "invalid", "busy", "unavailable",
		"unsigned", "stale", "unreadable", "unknown", "no_secret", "mismatch"}
	deliveriesTaken  = deliveryOutcomes[:4]
	tenantOperations = operations([]string{"provision", "configure", "deactivate", "reactivate"},
		[]string{"done", "adopted", "refused", "rejected", "not_sent", "unknown", "lost"})
	sourceStates      = []string{"down", "blocked", "unknown", "degraded", "pending", "live", "deactivated"}
	subscriptionSteps = operations([]string{"subscribe", "unsubscribe", "dead"}, okOutcomes)
)

func operations(names, outcomes []string) (all []operation) {
	for _, name := range names {
		for _, outcome := range outcomes {
			all = append(all, operation{name, outcome})
		}
	}
	return all
}

func okWord(ok bool) string {
	if ok {
		return "ok"
	}
	return "failed"
}
