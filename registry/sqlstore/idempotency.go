package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"esagate/registry"
)

var (
	insertOnce = scoped(`INSERT INTO idempotency (customer_id, name, fingerprint, begun_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`)
	selectOnce = scoped(`SELECT fingerprint, source, sealed, abandoned, begun_at FROM idempotency WHERE customer_id = $1 AND name = $2`)
	renewOnce  = scoped(`UPDATE idempotency SET fingerprint = $3, begun_at = $4, source = NULL, sealed = NULL, abandoned = FALSE
		WHERE customer_id = $1 AND name = $2`)
	fillOnce   = scoped(`UPDATE idempotency SET source = $3, sealed = $4 WHERE customer_id = $1 AND name = $2`)
	finishOnce = scoped(`UPDATE idempotency SET sealed = $3 WHERE customer_id = $1 AND name = $2 AND sealed IS NULL`)
	forgetOnce = scoped(`UPDATE idempotency SET abandoned = TRUE WHERE customer_id = $1 AND name = $2 AND sealed IS NULL`)
)

// onceTries bounds how often a row can appear and be swept again between two statements.
const onceTries = 3

// claimOnce inserts the row of an idempotency key, as the first statement of its
// transaction: of two at once, the second waits here for the end of the first. It returns
// the replay of a key that was used before, or nil when the request is to be done.
func claimOnce(ctx context.Context, in scope, once *registry.IdempotencyRecord, now time.Time) (*registry.Creation, error) {
	mark, err := sealPrint(in, once)
	if err != nil {
		return nil, err
	}
	for range onceTries {
		made, err := in.exec(ctx, insertOnce, once.Key, mark, nullTime(now))
		if err != nil || made == 1 {
			return nil, err
		}
		var first onceRow
		err = in.queryRow(ctx, selectOnce.ending(in.store.lock), once.Key).
			Scan(&first.mark, &first.source, &first.answer, &first.abandoned, instantColumn{&first.begun})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, err
		}
		var again *registry.Creation
		if now.Before(first.begun.Add(registry.IdempotencyKept)) {
			if again, err = repeat(ctx, in, once, first, now); err != nil || again != nil {
				return again, err
			}
		}
		_, err = in.exec(ctx, renewOnce, once.Key, mark, nullTime(now)) // as if it had never come
		return nil, err
	}
	return nil, errors.New("an idempotency key comes and goes")
}

// onceRow is the row of an idempotency key's first use.
type onceRow struct {
	mark, answer []byte // the answer is nil while it is still to come
	source       sql.NullInt64
	abandoned    bool // the answer will never come
	begun        time.Time
}

// repeat returns the answer to a repeated use of an idempotency key, or nil when the
// request is to be done anew: an abandoned one that left no source, and one that makes no
// source and lost its answer.
func repeat(ctx context.Context, in scope, once *registry.IdempotencyRecord, first onceRow,
	now time.Time) (*registry.Creation, error) {
	abandoned := first.abandoned && first.answer == nil
	var made *registry.Source
	if first.source.Valid {
		var err error
		made, err = in.source(ctx, selectAnyByRow, first.source.Int64)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
	}
	if abandoned && made == nil {
		return nil, nil
	}
	same, err := samePrint(in, once, first.mark)
	switch {
	case err != nil:
		return nil, err
	case !same:
		return nil, registry.ErrKeyReused
	case abandoned, first.answer != nil:
	case now.Before(first.begun.Add(cmp.Or(once.Pending, registry.AnswerPending))):
		return nil, registry.ErrAnswerPending
	case !first.source.Valid:
		return nil, nil
	}
	again := registry.Creation{Source: made, Replayed: true}
	if first.answer != nil {
		answer, err := in.store.unseal(first.answer, identity("idempotency", in.customer, 0, once.Key))
		if err != nil {
			return nil, err
		}
		again.Answer = append([]byte{}, answer...) // never nil: an empty answer is one
	}
	return &again, nil
}

// sealPrint encrypts a fingerprint, because it can be one of credentials: with all
// else of the request known, a weak password could be found by trying. Without a
// vault there are none, and it stands as it is.
func sealPrint(in scope, once *registry.IdempotencyRecord) ([]byte, error) {
	if in.store.vault == nil {
		return once.Fingerprint[:], nil
	}
	return in.store.seal(once.Fingerprint[:], identity(printIdentity, in.customer, 0, once.Key))
}

// samePrint holds a use of a key against the fingerprint of its first one.
func samePrint(in scope, once *registry.IdempotencyRecord, mark []byte) (bool, error) {
	if len(mark) > len(once.Fingerprint) {
		var err error
		if mark, err = in.store.unseal(mark, identity(printIdentity, in.customer, 0, once.Key)); err != nil {
			return false, err
		}
	}
	return bytes.Equal(mark, once.Fingerprint[:]), nil
}

// printIdentity sets fingerprints apart from the answers in the same rows.
const printIdentity = "idempotency.fingerprint"

// recordCreation records the source that a claimed key has made, and the answer if there is one yet.
func recordCreation(ctx context.Context, in scope, once *registry.IdempotencyRecord, src *registry.Source) error {
	var sealed []byte
	if once.Answer != nil {
		if answer := once.Answer(src); answer != nil {
			var err error
			if sealed, err = sealAnswer(in, once.Key, answer); err != nil {
				return err
			}
		}
	}
	_, err := in.exec(ctx, fillOnce, once.Key, src.ID, sealed)
	return err
}

func sealAnswer(in scope, key string, answer []byte) ([]byte, error) {
	return in.store.seal(answer, identity("idempotency", in.customer, 0, key))
}

// ClaimIdempotencyKey claims an idempotency key for a request that makes no source.
func (c customerStore) ClaimIdempotencyKey(ctx context.Context, once registry.IdempotencyRecord) (registry.Creation, error) {
	if !registry.StorableID(once.Key) {
		return registry.Creation{}, registry.ErrInvalid
	}
	replay, err := write(ctx, c.store, c.customer, "claim an idempotency key", func(in scope) (*registry.Creation, error) {
		return claimOnce(ctx, in, &once, c.store.instant())
	})
	switch {
	case err != nil:
		return registry.Creation{}, err
	case replay != nil:
		return *replay, nil
	}
	c.store.sweep(ctx, expiredOnce)
	return registry.Creation{}, nil
}

// ReleaseIdempotencyKey takes note that a request without a kept answer came to nothing.
func (c customerStore) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	if !registry.StorableID(key) {
		return nil // nothing that it could be of
	}
	return failed("release an idempotency key", c.store.writing(ctx, c.customer, func(in scope) error {
		_, err := in.exec(ctx, forgetOnce, key)
		return err
	}))
}

// KeepAnswer keeps the answer of a create whose Once gave none, or of a ClaimIdempotencyKey.
func (c customerStore) KeepAnswer(ctx context.Context, key string, answer []byte) error {
	if answer == nil || !registry.StorableID(key) {
		return nil // nothing to keep, or nothing that it could be of
	}
	return failed("keep an answer", c.store.writing(ctx, c.customer, func(in scope) error {
		sealed, err := sealAnswer(in, key, answer)
		if err != nil {
			return err
		}
		_, err = in.exec(ctx, finishOnce, key, sealed)
		return err
	}))
}
