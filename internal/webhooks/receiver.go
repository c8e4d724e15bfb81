// Package webhooks receives the sales agent's signed events (Receiver), and keeps the
// subscriptions that they come by (Subscriber); contract 2.14 and 5.12.
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
	maxAtOnce  = 32              // deliveries that are checked and recorded at once
	patience   = time.Second     // how long another delivery waits for its turn
	retryAfter = 2 * time.Second // when one that had no turn should come again
	logEvery   = time.Minute     // between two log lines about deliveries
)

// Outcome is what became of a delivery, as a metric counts it.
type Outcome string

// The outcomes. Those from unsigned on have the same answer, so that a sender does not
// learn which of them it was.
const (
	OutcomeRecorded    Outcome = "recorded"    // recorded now
	OutcomeDuplicate   Outcome = "duplicate"   // recorded before
	OutcomeIgnored     Outcome = "ignored"     // of an unknown type: counted, without effect
	OutcomeTest        Outcome = "test"        // a test delivery: counted, without effect
	OutcomeInvalid     Outcome = "invalid"     // the signature is right, the body is not, or lacks something required
	OutcomeBusy        Outcome = "busy"        // too many at once
	OutcomeUnavailable Outcome = "unavailable" // the registry could not record it

	OutcomeUnsigned   Outcome = "unsigned"   // without the two headers, or with malformed ones
	OutcomeStale      Outcome = "stale"      // the timestamp is too old, or in the future
	OutcomeUnreadable Outcome = "unreadable" // it did not come in whole, or no tenant is found in it
	OutcomeUnknown    Outcome = "unknown"    // of a tenant that is not known
	OutcomeNoSecret   Outcome = "no_secret"  // of a tenant without a subscription, or whose secret can't be read
	OutcomeMismatch   Outcome = "mismatch"   // signed with another secret
)

// ReceiverDeps are what a Receiver works with.
type ReceiverDeps struct {
	Directory *registry.Directory
	Logger    *slog.Logger  // nil: nothing is logged
	Counted   func(Outcome) // called once for each delivery; may be nil
}

// Receiver receives deliveries. It is safe for concurrent use.
type Receiver struct {
	deps    ReceiverDeps
	turns   chan struct{}
	dummy   string // checked in place of a secret where there is none
	invalid rate.Sometimes
	secret  rate.Sometimes
}

// NewReceiver makes a Receiver.
func NewReceiver(deps ReceiverDeps) *Receiver {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	if deps.Counted == nil {
		deps.Counted = func(Outcome) {}
	}
	return &Receiver{
		deps: deps, turns: make(chan struct{}, maxAtOnce), dummy: rand.Text(),
		invalid: rate.Sometimes{Interval: logEvery}, secret: rate.Sometimes{Interval: logEvery},
	}
}

// Receive handles one delivery: its headers, and its body byte for byte, which is read
// only if the headers are right; the caller bounds how many are read at once, and for how
// long. It returns nil if the delivery was recorded, now or
// before, or has no effect here. Errors are *fault.Error: Unauthorized, the same one for
// every reason not to trust a delivery; BadRequest or Validation for a trusted one that can't
// be read or lacks something required; Unavailable when it should be sent again; and those of read.
func (r *Receiver) Receive(ctx context.Context, header http.Header, read func() ([]byte, error)) error {
	outcome, err := r.receive(ctx, header, read)
	r.deps.Counted(outcome)
	return err
}

func (r *Receiver) receive(ctx context.Context, header http.Header, read func() ([]byte, error)) (Outcome, error) {
	signed, ok := readSignature(header)
	switch {
	case !ok:
		return OutcomeUnsigned, errUntrusted
	case !signed.fresh(time.Now()):
		return OutcomeStale, errUntrusted
	}
	raw, err := read() // without a turn, which a slow sender would hold
	if err != nil {
		return OutcomeUnreadable, err
	}
	if !r.turn(ctx) {
		return OutcomeBusy, errBusy
	}
	defer func() { <-r.turns }()

	tenant := idIn(raw, "tenant_id")
	if tenant == "" {
		return OutcomeUnreadable, errUntrusted
	}
	target, err := r.deps.Directory.WebhookTarget(ctx, tenant)
	secret, outcome := r.dummy, OutcomeNoSecret // checking the dummy takes as long as for a known tenant
	switch {
	case err == nil && target.Secret != "":
		secret, outcome = target.Secret, OutcomeMismatch
	case err == nil:
	case fault.Is(err, fault.NotFound):
		outcome = OutcomeUnknown
	case errors.Is(err, registry.ErrSecret):
		r.secret.Do(func() {
			r.deps.Logger.LogAttrs(ctx, slog.LevelError, "a delivery can't be verified: the stored secret can't be read",
				slog.String("tenant", tenant))
		})
	default:
		return OutcomeUnavailable, err
	}
	if !signed.by(secret, raw) || outcome != OutcomeMismatch {
		return outcome, errUntrusted
	}
	return r.record(ctx, target, tenant, raw)
}

var (
	errBusy = &fault.Error{Kind: fault.Unavailable, Message: "Too many deliveries arrive at once.", RetryAfter: retryAfter}
	// errUntrusted is the one answer to every delivery that is not trusted.
	errUntrusted = fault.New(fault.Unauthorized, "The delivery's signature is missing or not valid.")
)

// turn takes one of the turns, waiting for it up to patience, and reports whether it
// got one. A turn that is free is taken although ctx has ended.
func (r *Receiver) turn(ctx context.Context) bool {
	select {
	case r.turns <- struct{}{}:
		return true
	default:
	}
	select {
	case r.turns <- struct{}{}:
		return true
	case <-time.After(patience):
	case <-ctx.Done():
	}
	return false
}

// record records a delivery whose signature is right.
func (r *Receiver) record(ctx context.Context, target *registry.WebhookTarget, tenant string, raw []byte) (Outcome, error) {
	d, faulty := parse(raw, tenant, time.Now())
	event, outcome := d.event()
	if faulty != nil {
		event = registry.Event{ID: d.id, OccurredAt: time.Now(), Failed: true}
		outcome = OutcomeInvalid
		r.invalid.Do(func() {
			r.deps.Logger.LogAttrs(ctx, slog.LevelWarn, "a delivery with a valid signature can't be processed",
				slog.Int64("customer_id", target.CustomerID), slog.String("source_id", target.SourceID))
		})
	}
	duplicate, _, err := r.deps.Directory.RecordEvent(ctx, target.CustomerID, target.ESAID, event)
	switch {
	case fault.Is(err, fault.NotFound): // deleted meanwhile
		return OutcomeUnknown, errUntrusted
	case err != nil:
		return OutcomeUnavailable, err
	case faulty != nil:
		return outcome, faulty
	case duplicate:
		return OutcomeDuplicate, nil
	}
	return outcome, nil
}
