package telemetry

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// ReadResult says what a read of a snapshot found.
type ReadResult uint8

// The results of a read.
const (
	ReadHit      ReadResult = iota // a fresh copy
	ReadStale                      // a copy past its freshness
	ReadMiss                       // nothing; the sales agent was asked
	ReadNegative                   // the remembered answer that there is no such tenant
	ReadError                      // nothing to serve, an error was answered
	ReadNone                       // no snapshot was needed: the source has no tenant yet
)

var readResults = [...]string{"hit", "stale", "miss", "negative", "error", "none"}

// RefreshOutcome says what became of an answered or failed refresh.
type RefreshOutcome uint8

// The outcomes of a refresh.
const (
	RefreshStored    RefreshOutcome = iota // a newer document was stored
	RefreshDiscarded                       // an older document than the newest served
	RefreshFailed                          // no document that counts
	RefreshNotFound                        // the sales agent has no such tenant
)

var refreshOutcomes = [...]string{"stored", "discarded", "failed", "not_found"}

// Refusal says why a request's key was refused.
type Refusal uint8

// The refusals.
const (
	RefusalMissing  Refusal = iota // no key
	RefusalUnknown                 // a key of nobody
	RefusalReadOnly                // a read-only key on a write

	// An access token that is not good.
	RefusalMalformed
	RefusalBadSignature
	RefusalExpired
	RefusalNotYetValid
	RefusalWrongIssuer
	RefusalWrongAudience
	RefusalBadClaims
)

var refusals = [...]string{"missing", "unknown", "read_only", "malformed", "bad_signature", "expired", "not_yet_valid",
	"wrong_issuer", "wrong_audience", "bad_claims"}

// FetchOutcome says whether the issuer of access tokens gave its keys.
type FetchOutcome uint8

// The outcomes of asking for the issuer's keys.
const (
	FetchOK FetchOutcome = iota
	FetchFailed
)

var fetchOutcomes = [...]string{"ok", "failed"}

// ConsentOutcome says what became of a consent with an agent's authorization server.
type ConsentOutcome uint8

// The outcomes of a consent.
const (
	ConsentBegun    ConsentOutcome = iota // an address was given out
	ConsentNotBegun                       // none could be found out
	ConsentGiven                          // tokens are stored
	ConsentRefused                        // denied, not known, run out, or refused by the server
	ConsentStale                          // the source had changed
	ConsentFailed                         // the server or the store could not be asked
)

var consentOutcomes = [...]string{"begun", "not_begun", "given", "refused", "stale", "failed"}

// counters is a counter with one label of fixed words, W their numbers.
type counters[W ~uint8] struct {
	counter metric.Int64Counter
	words   []*options
}

func newCounters[W ~uint8](b *builder, name, description, label string, words []string) counters[W] {
	c := counters[W]{counter: b.counter(name, description)}
	for _, word := range words {
		o := newOptions(attribute.NewSet(attribute.String(label, word)))
		c.counter.Add(background, 0, o.add...)
		c.words = append(c.words, o)
	}
	return c
}

// add counts 1; a number without a word is not counted.
func (c counters[W]) add(word W) {
	if int(word) < len(c.words) {
		c.counter.Add(background, 1, c.words[word].add...)
	}
}
