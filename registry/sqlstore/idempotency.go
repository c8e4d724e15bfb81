package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// onceTries is how often a row may come and go while it is looked at: it goes only
// when it is swept, a day after it came.
const onceTries = 3

// claimOnce makes the row of an idempotency key, first of all in its transaction: of
// two at once, the second waits here for what becomes of the first. It gives the
// replay where the key came before, or nil where the request is to be done.
func (s *Store) claimOnce(ctx context.Context, in scope, once *registry.IdempotencyRecord, now time.Time) (*registry.Creation, error) {
	mark, err := s.sealPrint(in, once)
	if err != nil {
		return nil, err
	}
	for range onceTries {
		made, err := in.exec(ctx, insertOnce, once.Key, mark, nullTime(now))
		if err != nil {
			return nil, fmt.Errorf("claim an idempotency key: %w", err)
		}
		if made == 1 {
			return nil, nil
		}
		var first onceRow
		err = in.queryRow(ctx, scopedStatement{selectOnce.text + s.lock}, once.Key).
			Scan(&first.mark, &first.source, &first.answer, &first.abandoned, instantColumn{&first.begun})
		switch {
		case errors.Is(err, sql.ErrNoRows):
			continue
		case err != nil:
			return nil, fmt.Errorf("read an idempotency key: %w", err)
		}
		var again *registry.Creation
		if now.Before(first.begun.Add(registry.IdempotencyKept)) {
			if again, err = s.repeat(ctx, in, once, first, now); err != nil || again != nil {
				return again, err
			}
		}
		if _, err := in.exec(ctx, renewOnce, once.Key, mark, nullTime(now)); err != nil { // as if it had never come
			return nil, fmt.Errorf("renew an idempotency key: %w", err)
		}
		return nil, nil
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

// repeat says what a later use of an idempotency key is given, or nil where it is as if
// the key had never come: what was abandoned, of which nothing stands, and what makes no
// source and whose answer was lost.
func (s *Store) repeat(ctx context.Context, in scope, once *registry.IdempotencyRecord, first onceRow, now time.Time) (*registry.Creation, error) {
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
	same, err := s.samePrint(in, once, first.mark)
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
		answer, err := s.unseal(first.answer, identity("idempotency", in.customer, 0, once.Key))
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
func (s *Store) sealPrint(in scope, once *registry.IdempotencyRecord) ([]byte, error) {
	if s.vault == nil {
		return once.Fingerprint[:], nil
	}
	return s.seal(once.Fingerprint[:], identity(printIdentity, in.customer, 0, once.Key))
}

// samePrint holds a use of a key against the fingerprint of its first one.
func (s *Store) samePrint(in scope, once *registry.IdempotencyRecord, mark []byte) (bool, error) {
	if len(mark) > len(once.Fingerprint) {
		var err error
		if mark, err = s.unseal(mark, identity(printIdentity, in.customer, 0, once.Key)); err != nil {
			return false, err
		}
	}
	return bytes.Equal(mark, once.Fingerprint[:]), nil
}

// printIdentity sets fingerprints apart from the answers in the same rows.
const printIdentity = "idempotency.fingerprint"

// fillOnce notes what a claimed key has made, and the answer if there is one yet.
func (s *Store) fillOnce(ctx context.Context, in scope, once *registry.IdempotencyRecord, src *registry.Source) error {
	var sealed []byte
	if once.Answer != nil {
		if answer := once.Answer(src); answer != nil {
			var err error
			if sealed, err = s.sealAnswer(in, once.Key, answer); err != nil {
				return err
			}
		}
	}
	if _, err := in.exec(ctx, fillOnce, once.Key, src.ID, sealed); err != nil {
		return fmt.Errorf("note an idempotency key: %w", err)
	}
	return nil
}

func (s *Store) sealAnswer(in scope, key string, answer []byte) ([]byte, error) {
	return s.seal(answer, identity("idempotency", in.customer, 0, key))
}

// ClaimIdempotencyKey claims an idempotency key for a request that makes no source.
func (c customerStore) ClaimIdempotencyKey(ctx context.Context, once registry.IdempotencyRecord) (registry.Creation, error) {
	if !registry.StorableID(once.Key) {
		return registry.Creation{}, registry.ErrInvalid
	}
	var replay *registry.Creation
	err := c.store.writing(ctx, c.customer, func(in scope) (err error) {
		replay, err = c.store.claimOnce(ctx, in, &once, c.store.instant())
		return err
	})
	switch {
	case err != nil:
		return registry.Creation{}, failed("claim an idempotency key", err)
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
	err := c.store.writing(ctx, c.customer, func(in scope) error {
		_, err := in.exec(ctx, forgetOnce, key)
		return err
	})
	if err != nil {
		return failed("forget an idempotency key", err)
	}
	return nil
}

// KeepAnswer keeps the answer of a create whose Once gave none, or of a ClaimIdempotencyKey.
func (c customerStore) KeepAnswer(ctx context.Context, key string, answer []byte) error {
	if answer == nil || !registry.StorableID(key) {
		return nil // nothing to keep, or nothing that it could be of
	}
	err := c.store.writing(ctx, c.customer, func(in scope) error {
		sealed, err := c.store.sealAnswer(in, key, answer)
		if err != nil {
			return err
		}
		_, err = in.exec(ctx, finishOnce, key, sealed)
		return err
	})
	if err != nil {
		return failed("keep an answer", err)
	}
	return nil
}
