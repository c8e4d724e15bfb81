package registry

import (
	"context"
	"errors"
	"time"
)

// target is what a write is about.
type target struct {
	customer int64
	sourceID string // empty: no source, or one that is not known here
	agent    bool   // an AGENT source; a managed one is not found
	none     string // the message when it does not exist
}

func ofSource(customer int64, sourceID string) target {
	return target{customer: customer, sourceID: sourceID, none: noSource}
}

func ofAgent(customer int64, sourceID string) target {
	return target{customer: customer, sourceID: sourceID, agent: true, none: noSource}
}

// ofConnection is the target of a write to a connection.
func ofConnection(d *Directory, customer, esaID int64) target {
	t := target{customer: customer, none: noManaged}
	if r, ok := d.ids.Peek(esaKey(customer, esaID)); ok {
		t.sourceID = r.Doc.is
	}
	return t
}

// write makes a write in the store, which is the caller's own and ends with the
// caller's context. It returns when it began.
func write[T any](ctx context.Context, d *Directory, t target,
	run func(context.Context, CustomerStore) (T, error)) (v T, began int64, err error) {
	var none T
	spent, stop := SpendWriteTime(ctx)
	defer stop()
	bounded, cancel := context.WithTimeout(spent, writeTimeout)
	defer cancel()
	if err := d.health.wait(bounded); err != nil {
		return none, 0, writeFault(storeFault(err, t.none))
	}
	key := sourceKey(t.customer, t.sourceID)
	held, known := d.sources.Peek(key)
	began = d.writes.tick()
	v, err = run(bounded, d.store.Customer(t.customer))
	var refused *callbackError
	if errors.As(err, &refused) { // for what the store has, which the caller may not have read yet
		d.sources.Expire(key)
		return none, began, refused.reason
	}
	switch {
	case ctx.Err() != nil: // a caller that leaves says nothing of the store
	case answered(err):
		d.health.record(nil)
	default: // nor does a write that waited in vain for others; no writer waits for the ping
		d.health.startPing(err)
	}
	d.writes.end(t.customer)
	switch {
	case err == nil:
		return v, began, nil
	case !answered(err): // it may have been made
		d.sources.Expire(key)
	case isNotFound(err) && known && !(t.agent && held.Doc.src.Agent == nil):
		d.sources.Offer(key, sourceDoc{held.Doc.src, true})
	}
	return none, began, writeFault(storeFault(err, t.none))
}

// writeOnly is write for what returns an error alone.
func writeOnly(ctx context.Context, d *Directory, t target, run func(context.Context, CustomerStore) error) error {
	_, _, err := write(ctx, d, t, func(ctx context.Context, c CustomerStore) (none struct{}, err error) {
		return none, run(ctx, c)
	})
	return err
}

// writeSource is write for what returns the source as it then stands.
func writeSource(ctx context.Context, d *Directory, t target,
	run func(context.Context, CustomerStore) (*Source, error)) (*Source, error) {
	held, known := d.sources.Peek(sourceKey(t.customer, t.sourceID))
	src, began, err := write(ctx, d, t, run)
	if err != nil {
		return nil, err
	}
	same := known && !held.Doc.Older(sourceDoc{src: src})
	src = putRead(d, src, began)
	d.writes.end(t.customer, loggedWrite{began: began, src: src, kind: changed})
	if !same {
		written(d, src, false)
	}
	return src, nil
}

// written tells of a write to a source.
func written(d *Directory, src *Source, deleted bool) {
	if src.Connection != nil && d.opts.SourceWritten != nil {
		d.opts.SourceWritten(src, deleted)
	}
}

// callbackError marks an error as a caller's own, which says nothing of the store. It
// unwraps to nothing, so that a store does not take it for one of its own.
type callbackError struct{ reason error }

func (*callbackError) Error() string { return "registry: refused by the caller" }

func fromCallback(err error) error {
	if err == nil {
		return nil
	}
	return &callbackError{err}
}

// deciding marks the errors of a decision as the caller's own.
func deciding[A, B any](decide func(A) (B, error)) func(A) (B, error) {
	return func(was A) (B, error) {
		next, err := decide(was)
		return next, fromCallback(err)
	}
}

// CreateSource makes an AGENT source as CustomerStore does. Conflict when the
// sourceId is taken, when the idempotency key was used for something else, and while
// its first use is still being answered. Unavailable, here and in the other writes,
// says by its RetryAfter when to come again.
func (d *Directory) CreateSource(ctx context.Context, customer int64, s NewSource, once *IdempotencyRecord) (Creation, error) {
	return create(ctx, d, customer, func(ctx context.Context, c CustomerStore) (Creation, error) {
		return c.CreateSource(ctx, s, once)
	})
}

// CreateManaged makes a managed source with its connection as CustomerStore does.
// Conflicts as CreateSource.
func (d *Directory) CreateManaged(ctx context.Context, customer int64, s NewManaged, once *IdempotencyRecord) (Creation, error) {
	return create(ctx, d, customer, func(ctx context.Context, c CustomerStore) (Creation, error) {
		return c.CreateManaged(ctx, s, once)
	})
}

func create(ctx context.Context, d *Directory, customer int64,
	run func(context.Context, CustomerStore) (Creation, error)) (Creation, error) {
	made, began, err := write(ctx, d, ofSource(customer, ""), run)
	if err != nil {
		return Creation{}, err
	}
	if made.Source != nil {
		putRead(d, made.Source, began)
		if made.Replayed {
			began = 0 // whether a total counts it is not known
		}
		d.writes.end(customer, loggedWrite{began: began, src: made.Source, kind: created})
		if !made.Replayed {
			written(d, made.Source, false)
		}
	}
	return made, nil
}

// UpdateSource changes a source of either kind as CustomerStore does. An error of
// decide is returned as it is, here and in the other writes that take a decision.
func (d *Directory) UpdateSource(ctx context.Context, customer int64, sourceID string,
	decide func(*Source) (SourceChange, error)) (*Source, error) {
	return writeSource(ctx, d, ofSource(customer, sourceID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.UpdateSource(ctx, sourceID, deciding(decide))
	})
}

// DeleteSource deletes a source of either kind as CustomerStore does.
func (d *Directory) DeleteSource(ctx context.Context, customer int64, sourceID string,
	allow func(*Source) error) (*Source, error) {
	src, began, err := write(ctx, d, ofSource(customer, sourceID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.DeleteSource(ctx, sourceID, func(was *Source) error { return fromCallback(allow(was)) })
	})
	if err != nil {
		return nil, err
	}
	d.sources.Offer(sourceKey(customer, sourceID), sourceDoc{src, true})
	d.writes.end(customer, loggedWrite{began: began, src: src, kind: deleted})
	written(d, src, true)
	return src, nil
}

// EndConsent stores what a consent brought, as CustomerStore does. Conflict over
// ErrStale, Internal over ErrSecret and ErrInvalid; what the store said is found in
// an error by errors.Is, here and in ReplaceCredential.
func (d *Directory) EndConsent(ctx context.Context, customer int64, sourceID string, consent Consent,
	tokens OAuthCredential) (*Source, error) {
	return writeSource(ctx, d, ofAgent(customer, sourceID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.EndConsent(ctx, sourceID, consent, tokens)
	})
}

// ReplaceCredential stores new credentials in the place of those with an id, or with
// nil erases them, as CustomerStore does. Conflict over ErrStale.
func (d *Directory) ReplaceCredential(ctx context.Context, customer int64, sourceID, credentialID string,
	next *Credential) (*Source, error) {
	return writeSource(ctx, d, ofAgent(customer, sourceID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ReplaceCredential(ctx, sourceID, credentialID, next)
	})
}

// MarkRefused records that an agent refused credentials, or that they are good again, as CustomerStore
// does. Conflict over ErrStale.
func (d *Directory) MarkRefused(ctx context.Context, customer int64, sourceID, credentialID string, at time.Time) (*Source, error) {
	return writeSource(ctx, d, ofAgent(customer, sourceID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.MarkRefused(ctx, sourceID, credentialID, at)
	})
}

// ChangeConnection changes a connection as CustomerStore does. Conflict over
// ErrTenantTaken.
func (d *Directory) ChangeConnection(ctx context.Context, customer, esaID int64,
	decide func(*Source) (*Connection, error)) (*Source, error) {
	return writeSource(ctx, d, ofConnection(d, customer, esaID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ChangeConnection(ctx, esaID, deciding(decide))
	})
}

// ChangeAudited changes a connection without a request, as CustomerStore does. Conflict
// over ErrTenantTaken.
func (d *Directory) ChangeAudited(ctx context.Context, customer, esaID int64, e AuditEntry,
	decide func(*Source) (*Connection, error)) (*Source, error) {
	return writeSource(ctx, d, ofConnection(d, customer, esaID), func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ChangeAudited(ctx, esaID, e, deciding(decide))
	})
}

// observePause bounds how often signals that say nothing new are written: the store's
// ObservedAt may be this much older than the newest signal.
const observePause = time.Minute

// ObserveInventorySync records a signal as CustomerStore does, but writes one that
// changes no state at most once a minute. While the store is away it fails at once: the
// next snapshot brings the next signal.
func (d *Directory) ObserveInventorySync(ctx context.Context, customer, esaID int64, signal InventorySync) (*Source, error) {
	signal = signal.Kept()
	t := ofConnection(d, customer, esaID)
	if r, ok := d.sources.Peek(sourceKey(customer, t.sourceID)); ok && saysNothingNew(d, esaKey(customer, esaID), r.Doc.src, signal) {
		return r.Doc.src, nil
	}
	if d.health.away.Load() {
		return nil, storeFault(errAway, noManaged)
	}
	return writeSource(ctx, d, t, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ObserveInventorySync(ctx, esaID, signal)
	})
}

// saysNothingNew reports whether a signal need not be written: it is not newer than the
// last one, or changes no state, a short time after what the store has.
func saysNothingNew(d *Directory, key string, src *Source, signal InventorySync) bool {
	if src.Connection == nil || src.Connection.InventorySync == nil {
		return false
	}
	last := src.Connection.InventorySync
	seen, _ := d.observed.Get(key) // what was not written, but is known
	if !signal.ObservedAt.After(last.ObservedAt) || !signal.ObservedAt.After(seen) {
		return true
	}
	state := signal.Following(last)
	if !last.SameState(&state) || signal.ObservedAt.Sub(last.ObservedAt) >= observePause {
		return false
	}
	d.observed.Add(key, signal.ObservedAt)
	return true
}
