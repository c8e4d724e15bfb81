package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"time"

	"esagate/registry"
)

var (
	insertAdopted = scoped(`INSERT INTO adopted (customer_id, source_id, adopted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`)
	selectSource  = scoped(`SELECT execution_type FROM sources WHERE customer_id = $1 AND source_id = $2`)
	updateSource  = scoped(`UPDATE sources SET name = $3, labels = $4, updated_at = $5 WHERE customer_id = $1 AND id = $2`)

	nextID = global(`UPDATE sequences SET last_value = last_value + 1 WHERE name = $1 RETURNING last_value`)
	skipID = global(`UPDATE sequences SET last_value = $2 WHERE name = $1 AND last_value < $2`)
	takeID = global(`INSERT INTO esa_ids (id) VALUES ($1) ON CONFLICT DO NOTHING`)
)

// Adopt takes over one managed source of the config.
//
// Uniqueness is left to the tables' constraints (ON CONFLICT DO NOTHING, then a
// look at what was in the way), so that it holds between processes too.
func (s *Store) Adopt(ctx context.Context, entry registry.ConfigSource) (registry.Adoption, error) {
	if err := checkEntry(entry); err != nil {
		return registry.Adoption{}, err
	}
	done, err := write(ctx, s, entry.CustomerID, "adopt a source", func(in scope) (registry.Adoption, error) {
		return adopt(ctx, in, entry)
	})
	if errors.Is(err, errNotManaged) {
		return registry.Adoption{Outcome: registry.AdoptionNotManaged}, nil
	}
	return done, err
}

// errNotManaged rolls an adoption back: an entry that an AGENT source keeps out was
// not taken over, and may be once that source is gone.
var errNotManaged = errors.New("not managed")

func adopt(ctx context.Context, in scope, entry registry.ConfigSource) (registry.Adoption, error) {
	now := in.store.instant()
	// The mark comes first: of two adoptions of one entry, the second waits here.
	first, err := in.exec(ctx, insertAdopted, entry.SourceID, nullTime(now))
	if err != nil {
		return registry.Adoption{}, err
	}
	var kind registry.ExecutionType
	switch err := in.queryRow(ctx, selectSource, entry.SourceID).Scan(&kind); {
	case errors.Is(err, sql.ErrNoRows) && first == 0:
		return registry.Adoption{Outcome: registry.AdoptionDeleted}, nil
	case errors.Is(err, sql.ErrNoRows):
		return createAdopted(ctx, in, entry, now)
	case err != nil:
		return registry.Adoption{}, err
	case kind != registry.ExecutionManaged:
		return registry.Adoption{}, errNotManaged
	}
	done, err := follow(ctx, in, entry, now)
	if errors.Is(err, registry.ErrNotFound) { // it was deleted meanwhile
		return registry.Adoption{Outcome: registry.AdoptionDeleted}, nil
	}
	return done, err
}

// createAdopted makes the source and its connection.
func createAdopted(ctx context.Context, in scope, entry registry.ConfigSource, now time.Time) (registry.Adoption, error) {
	esaID, err := giveESAID(ctx, in, entry.ESAID)
	if err != nil {
		return registry.Adoption{}, err
	}
	id, err := in.number(ctx, nextID, "source")
	if err != nil {
		return registry.Adoption{}, err
	}
	conn := &registry.Connection{ID: esaID, Provisioning: registry.StatusPending, TenantID: entry.TenantID,
		AdServer: entry.AdServer, ServiceAccountEmail: entry.ServiceAccountEmail}
	if conn.TenantID != "" {
		conn.Provisioning, conn.ProvisionedAt = registry.StatusActive, now
	}
	src := registry.Source{ID: id, SourceID: entry.SourceID, Name: entry.Name, Labels: entry.Labels, Connection: conn}
	switch err := insertManaged(ctx, in, record{Source: src}, now); {
	case errors.Is(err, registry.ErrSourceTaken): // an AGENT source that came meanwhile: the mark keeps other adoptions away
		return registry.Adoption{}, errNotManaged
	case err != nil:
		return registry.Adoption{}, err
	}
	return adopted(ctx, in, entry.SourceID, registry.AdoptionCreated)
}

// follow changes what the config still owns of a source that exists.
func follow(ctx context.Context, in scope, entry registry.ConfigSource, now time.Time) (registry.Adoption, error) {
	rec, err := locked(ctx, in, selectManagedBySourceID, entry.SourceID)
	if err != nil {
		return registry.Adoption{}, err
	}
	name := entry.Name
	if rec.nameFromAPI {
		name = rec.Source.Name
	}
	sourceMoves := name != rec.Source.Name || !maps.Equal(entry.Labels, rec.Source.Labels)
	if sourceMoves {
		labels, err := encodeLabels(entry.Labels)
		if err != nil {
			return registry.Adoption{}, err
		}
		if _, err := in.exec(ctx, updateSource, rec.Source.ID, name, labels, nullTime(now)); err != nil {
			return registry.Adoption{}, err
		}
	}
	emailMoves := followEmail(rec, entry.ServiceAccountEmail)
	switch {
	case sourceMoves || emailMoves == seen:
		rec.Connection.Version++
	case emailMoves == nothing:
		return registry.Adoption{Outcome: registry.AdoptionUnchanged, Managed: &rec.Source}, nil
	}
	if emailMoves == seen {
		rec.Connection.UpdatedAt = now
	}
	if err := in.save(ctx, rec); err != nil {
		return registry.Adoption{}, err
	}
	outcome := registry.AdoptionUpdated
	if !sourceMoves && emailMoves == unseen {
		outcome = registry.AdoptionUnchanged
	}
	return adopted(ctx, in, entry.SourceID, outcome)
}

// followEmail sets a record's e-mail to the config's. The config can take away only
// what it set, so an address that it names becomes its own.
func followEmail(rec *record, email string) effect {
	conn := rec.Connection
	switch {
	case email == "" && rec.emailLearned:
		return nothing
	case email != conn.ServiceAccountEmail:
		conn.ServiceAccountEmail, rec.emailLearned = email, false
		return seen
	case rec.emailLearned:
		rec.emailLearned = false
		return unseen
	}
	return nothing
}

// adopted reads the source as it now stands.
func adopted(ctx context.Context, in scope, sourceID string, outcome registry.AdoptionOutcome) (registry.Adoption, error) {
	rec, err := scanRecord(in.queryRow(ctx, selectManagedBySourceID, sourceID), &in.customer)
	if err != nil {
		return registry.Adoption{}, err
	}
	return registry.Adoption{Outcome: outcome, Managed: &rec.Source}, nil
}

// giveESAID returns the wanted id, or the next one, and marks it as given for good.
// A wanted id moves the sequence past it, so that the next one is free.
func giveESAID(ctx context.Context, in scope, wanted int64) (int64, error) {
	id, err := wanted, error(nil)
	if wanted == 0 {
		id, err = in.number(ctx, nextID, "esa")
	} else {
		_, err = in.exec(ctx, skipID, "esa", wanted)
	}
	switch {
	case err != nil:
		return 0, err
	case id > registry.MaxESAID:
		return 0, errors.New("esaId: none is left, because a config entry took the largest")
	}
	given, err := in.exec(ctx, takeID, id)
	if err == nil && given == 0 {
		err = registry.ErrIDTaken
	}
	return id, err
}

// checkEntry refuses what a table can't hold; the config has its own, wider checks.
func checkEntry(e registry.ConfigSource) error {
	ok := registry.StorableID(e.SourceID) && (e.TenantID == "" || registry.StorableID(e.TenantID)) &&
		storable(e.Name, e.ServiceAccountEmail) && e.ESAID >= 0 && e.ESAID <= registry.MaxESAID
	for k, v := range e.Labels {
		ok = ok && storable(k, v)
	}
	if !ok {
		return registry.ErrInvalid
	}
	return nil
}
