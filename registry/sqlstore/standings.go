package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"esagate/registry"
)

// issueLength bounds the code of an issue, in code points.
const issueLength = 255

var (
	// lockConnection comes before what hangs on a connection, which it keeps until the
	// transaction ends.
	lockConnection = scoped(`SELECT id FROM connections WHERE customer_id = $1 AND id = $2`)
	selectStanding = scoped(`SELECT state, since, version, document_at, received_at FROM standings WHERE customer_id = $1 AND connection = $2`)
	keepStanding   = scoped(`INSERT INTO standings (customer_id, connection, state, issue, since, version, document_at, received_at, facts)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (customer_id, connection) DO UPDATE SET state = excluded.state, issue = excluded.issue, since = excluded.since,
			version = excluded.version, document_at = excluded.document_at, received_at = excluded.received_at, facts = excluded.facts`)

	// A state begins where the one before it ends. One that was recorded for later is of a
	// clock that was ahead, and goes.
	dropLaterStates = scoped(`DELETE FROM state_changes WHERE customer_id = $1 AND connection = $2 AND at >= $3`)
	endStates       = scoped(`UPDATE state_changes SET ended_at = $3 WHERE customer_id = $1 AND connection = $2 AND (ended_at IS NULL OR ended_at > $3)`)
	insertState     = scoped(`INSERT INTO state_changes (customer_id, connection, at, state, issue) VALUES ($1, $2, $3, $4, $5)`)
	dropMoreStates  = scoped(`DELETE FROM state_changes WHERE customer_id = $1 AND connection = $2 AND at <=
		(SELECT at FROM state_changes WHERE customer_id = $1 AND connection = $2 ORDER BY at DESC LIMIT 1 OFFSET $3)`)
)

// KeepStandings keeps how sources stand.
func (s *Store) KeepStandings(ctx context.Context, batch []registry.Standing, lapsed time.Time) error {
	if len(batch) > registry.MaxPage {
		return registry.ErrInvalid
	}
	// In one order, so that two of them can't wait for each other; the one that meets
	// KeepSnapshots, whose order is another, may be run again.
	batch = slices.SortedStableFunc(slices.Values(batch), func(a, b registry.Standing) int { return cmp.Compare(a.ESAID, b.ESAID) })
	for i := range batch {
		n := &batch[i]
		n.State, n.Issue = bounded(n.State, issueLength), bounded(n.Issue, issueLength)
		n.Since, n.DocumentAt, n.ReceivedAt = registry.Instant(n.Since), registry.Instant(n.DocumentAt), registry.Instant(n.ReceivedAt)
		if n.State == "" || n.Since.IsZero() || n.ReceivedAt.IsZero() || len(n.Facts) > registry.MaxFacts || !registry.Storable(string(n.Facts)) {
			return registry.ErrInvalid
		}
	}
	lapsed = registry.Instant(lapsed)
	return failed("keep standings", s.writing(ctx, 0, func(in scope) error {
		for _, n := range batch {
			in.customer = n.CustomerID
			if err := in.keepStanding(ctx, n, lapsed); err != nil {
				return err
			}
		}
		return nil
	}))
}

// keepStanding keeps one, in the form that is kept.
func (s scope) keepStanding(ctx context.Context, n registry.Standing, lapsed time.Time) error {
	_, err := s.number(ctx, lockConnection.ending(s.store.lock), n.ESAID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it is gone
	}
	if err != nil {
		return err
	}
	was := registry.Standing{}
	err = s.queryRow(ctx, selectStanding, n.ESAID).Scan(&was.State, instantColumn{&was.Since}, &was.Version,
		instantColumn{&was.DocumentAt}, instantColumn{&was.ReceivedAt})
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case older(&n, &was, lapsed):
		return nil
	case n.State == was.State:
		n.Since = was.Since
	}
	if n.State != was.State {
		if err := s.enterState(ctx, n); err != nil {
			return err
		}
	}
	_, err = s.exec(ctx, keepStanding, n.ESAID, n.State, nullText(n.Issue), nullTime(n.Since), n.Version,
		nullTime(n.DocumentAt), nullTime(n.ReceivedAt), nullText(string(n.Facts)))
	return err
}

// older reports whether a standing was judged by an older state of things than another.
func older(n, than *registry.Standing, lapsed time.Time) bool {
	switch {
	case n.Version != than.Version:
		return n.Version < than.Version
	case n.DocumentAt.IsZero() || than.DocumentAt.IsZero():
		return n.ReceivedAt.Before(than.ReceivedAt)
	}
	return n.DocumentAt.Before(than.DocumentAt) && !than.ReceivedAt.Before(lapsed)
}

// enterState records a change of state.
func (s scope) enterState(ctx context.Context, n registry.Standing) error {
	at := nullTime(n.Since)
	for _, do := range []struct {
		st   statement
		args []any
	}{
		{dropLaterStates, []any{n.ESAID, at}},
		{endStates, []any{n.ESAID, at}},
		{insertState, []any{n.ESAID, at, n.State, nullText(n.Issue)}},
		{dropMoreStates, []any{n.ESAID, registry.MaxStateChanges}},
	} {
		if _, err := s.exec(ctx, do.st, do.args...); err != nil {
			return err
		}
	}
	return nil
}
