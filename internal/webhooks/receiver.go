// Package webhooks takes in the sales agent's news of tenants, and keeps the
// subscriptions that bring it (contract, "Webhooks").
package webhooks

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"esagate/internal/fault"
	"esagate/registry"
)

const (
	maxReading = 256             // deliveries whose bodies are read at once: nobody is known by then
	maxAtOnce  = 32              // deliveries that are looked at at once
	patience   = time.Second     // how long another waits for its turn
	comeAgain  = 2 * time.Second // when one that had no turn is worth another try
	quietFor   = time.Minute     // between two log lines about deliveries
)

// Outcome is what became of a delivery, as a metric counts it.
type Outcome string

// The outcomes: all the words there are. Those from unsigned on have one and the same
// answer, which tells nobody which of them it was.
const (
	OutcomeRecorded    Outcome = "recorded"    // it had its effect
	OutcomeDuplicate   Outcome = "duplicate"   // it had it before
	OutcomeIgnored     Outcome = "ignored"     // of a type that is not known here: counted, and nothing else
	OutcomeTest        Outcome = "test"        // likewise
	OutcomeInvalid     Outcome = "invalid"     // signed well, and without what is required
	OutcomeBusy        Outcome = "busy"        // too many at once
	OutcomeUnavailable Outcome = "unavailable" // the registry could not take it

	OutcomeUnsigned   Outcome = "unsigned"   // without the two headers, or with malformed ones
	OutcomeStale      Outcome = "stale"      // from another time than now
	OutcomeUnreadable Outcome = "unreadable" // no JSON, or of no tenant
	OutcomeUnknown    Outcome = "unknown"    // of a tenant that is not here
	OutcomeNoSecret   Outcome = "no_secret"  // of a tenant whose news was never asked for, or whose secret can't be read
	OutcomeMismatch   Outcome = "mismatch"   // signed with another secret
)

// ReceiverDeps are what a Receiver works with.
type ReceiverDeps struct {
	Directory *registry.Directory
	Logger    *slog.Logger  // nil: nothing is logged
	Counted   func(Outcome) // told of each delivery, once; nil: nobody
}

// Receiver takes in deliveries. It is safe for concurrent use.
type Receiver struct {
	dir     *registry.Directory
	log     *slog.Logger
	counted func(Outcome)
	reading chan struct{}
	turns   chan struct{}
	dummy   string // the secret of tenants that have none
	invalid rate.Sometimes
	secret  rate.Sometimes
}

// NewReceiver makes a Receiver.
func NewReceiver(deps ReceiverDeps) *Receiver {
	r := &Receiver{
		dir: deps.Directory, log: deps.Logger, counted: deps.Counted,
		reading: make(chan struct{}, maxReading), turns: make(chan struct{}, maxAtOnce), dummy: rand.Text(),
		invalid: rate.Sometimes{Interval: quietFor}, secret: rate.Sometimes{Interval: quietFor},
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.counted == nil {
		r.counted = func(Outcome) {}
	}
	return r
}

// Receive takes in one delivery: its headers, and its body byte for byte, which is only
// read if the headers are as they should be. nil: it was taken in, or had been before, or tells of nothing that matters here. Errors are
// *fault.Error: Unauthorized, the same one for whatever keeps a delivery from being
// believed; Validation for one that is to be believed and lacks what is required;
// Unavailable when it should be sent again; and those of read.
func (r *Receiver) Receive(ctx context.Context, header http.Header, read func() ([]byte, error)) error {
	outcome, err := r.receive(ctx, header, read)
	r.counted(outcome)
	return err
}

func (r *Receiver) receive(ctx context.Context, header http.Header, read func() ([]byte, error)) (Outcome, error) {
	signed, ok := readSignature(header)
	switch {
	case !ok:
		return OutcomeUnsigned, unauthorized()
	case !signed.fresh(time.Now()):
		return OutcomeStale, unauthorized()
	}
	select {
	case r.reading <- struct{}{}:
		defer func() { <-r.reading }()
	default:
		return OutcomeBusy, busy()
	}
	raw, err := read()
	if err != nil {
		return OutcomeUnreadable, err
	}
	if !r.turn(ctx) {
		return OutcomeBusy, busy()
	}
	defer func() { <-r.turns }()

	tenant, ok := tenantOf(raw)
	if !ok {
		return OutcomeUnreadable, unauthorized()
	}
	target, err := r.dir.WebhookTarget(ctx, tenant)
	known := OutcomeMismatch // what a signature that does not match means
	switch {
	case err == nil && target.Secret != "":
	case err == nil:
		known = OutcomeNoSecret
	case fault.Is(err, fault.NotFound):
		known = OutcomeUnknown
	case errors.Is(err, registry.ErrSecret):
		known = OutcomeNoSecret
		r.secret.Do(func() {
			r.log.LogAttrs(ctx, slog.LevelError, "a delivery can't be verified: the stored secret can't be read", slog.String("tenant", tenant))
		})
	default:
		return OutcomeUnavailable, err
	}
	if known != OutcomeMismatch {
		signed.by(r.dummy, raw) // so that time tells little of which tenants there are
		return known, unauthorized()
	}
	if !signed.by(target.Secret, raw) {
		return OutcomeMismatch, unauthorized()
	}
	return r.record(ctx, target, raw)
}

func busy() error {
	e := fault.New(fault.Unavailable, "Too many deliveries arrive at once.")
	e.RetryAfter = comeAgain
	return e
}

// unauthorized is the one answer to all that is not to be believed.
func unauthorized() error {
	return fault.New(fault.Unauthorized, "The delivery's signature is missing or not valid.")
}

// turn waits a little for a turn, and reports whether it was had.
func (r *Receiver) turn(ctx context.Context) bool {
	select {
	case r.turns <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case r.turns <- struct{}{}:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

// record takes in a delivery that is to be believed.
func (r *Receiver) record(ctx context.Context, target *registry.WebhookTarget, raw []byte) (Outcome, error) {
	d, faulty := parse(raw, time.Now())
	event, outcome := d.event()
	if faulty != nil {
		event = registry.Event{ID: d.countedAs(raw), OccurredAt: time.Now(), Failed: true}
		outcome = OutcomeInvalid
		r.invalid.Do(func() {
			r.log.LogAttrs(ctx, slog.LevelWarn, "a delivery that is signed as it should be can't be processed",
				slog.Int64("customer_id", target.CustomerID), slog.String("source_id", target.SourceID))
		})
	}
	duplicate, _, err := r.dir.RecordEvent(ctx, target.CustomerID, target.ESAID, event)
	switch {
	case fault.Is(err, fault.NotFound): // deleted while we looked
		return OutcomeUnknown, unauthorized()
	case err != nil:
		return OutcomeUnavailable, err
	case faulty != nil:
		return outcome, faulty
	case duplicate:
		return OutcomeDuplicate, nil
	}
	return outcome, nil
}
