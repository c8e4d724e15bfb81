package sqlstore

import (
	"context"
	"crypto/rand"
	"time"

	"esagate/registry"
)

var (
	selectCredential = scoped(`SELECT r.id, r.source, r.sealed FROM sources s JOIN credentials r ON r.customer_id = $1 AND r.source = s.id
		WHERE s.customer_id = $1 AND s.source_id = $2`)
	insertCredential = scoped(`INSERT INTO credentials (customer_id, id, source, sealed, created_at) VALUES ($1, $2, $3, $4, $5)`)
	deleteCredential = scoped(`DELETE FROM credentials WHERE customer_id = $1 AND source = $2`)
	leaseCredential  = scoped(`UPDATE credentials SET refresh_until = $4 WHERE customer_id = $1 AND id = $2
		AND source = (SELECT id FROM sources WHERE customer_id = $1 AND source_id = $3)
		AND (refresh_until IS NULL OR refresh_until <= $5)`)
	// touchSource follows a change of credentials that a reader can see.
	touchSource = scoped(`UPDATE sources SET status = $3, updated_at = $4 WHERE customer_id = $1 AND id = $2`)
	markRefused = scoped(`UPDATE sources SET refused_at = $3, refused_id = $4 WHERE customer_id = $1 AND id = $2`)
)

// Credential returns a source's credentials and their id.
func (c customerStore) Credential(ctx context.Context, sourceID string) (*registry.Credential, string, error) {
	if !registry.StorableID(sourceID) {
		return nil, "", registry.ErrNotFound
	}
	var (
		cred   registry.Credential
		id     string
		source int64
		sealed []byte
	)
	err := c.store.reading(c.customer).queryRow(ctx, selectCredential, sourceID).Scan(&id, &source, &sealed)
	if err == nil {
		err = c.store.unsealInto(&cred, sealed, identity("credentials", c.customer, source, id))
	}
	if err != nil {
		return nil, "", failed("read credentials", found(err))
	}
	return &cred, id, nil
}

// storeCredential replaces the credentials of a locked source. The old row is deleted,
// not overwritten: its id is gone with it.
func storeCredential(ctx context.Context, in scope, source int64, cred registry.Credential, now time.Time) error {
	if _, err := in.exec(ctx, deleteCredential, source); err != nil {
		return err
	}
	return addCredential(ctx, in, source, cred, now)
}

// addCredential adds credentials to a locked source that has none.
func addCredential(ctx context.Context, in scope, source int64, cred registry.Credential, now time.Time) error {
	plain, err := encodeCredential(cred)
	if err != nil {
		return err
	}
	id := rand.Text()
	sealed, err := in.store.seal(plain, identity("credentials", in.customer, source, id))
	if err != nil {
		return err
	}
	_, err = in.exec(ctx, insertCredential, id, source, sealed, nullTime(now))
	return err
}

// ReplaceCredential stores new credentials in the place of those with an id, or
// erases those. A refresh is nothing that a reader sees: UpdatedAt moves only with
// an erasure. Neither says how the agent is to be asked, so a consent stays good.
func (c customerStore) ReplaceCredential(ctx context.Context, sourceID, credentialID string,
	next *registry.Credential) (*registry.Source, error) {
	return c.onAgent(ctx, "replace credentials", sourceID, func(in scope, src *registry.Source) error {
		id, agent := src.ID, src.Agent
		if credentialID == "" || agent.CredentialID != credentialID {
			return registry.ErrStale
		}
		now := c.store.instant()
		if next != nil {
			return storeCredential(ctx, in, id, *next, now)
		}
		if _, err := in.exec(ctx, deleteCredential, id); err != nil {
			return err
		}
		if agent.Status == registry.SourceActive {
			agent.Status = registry.SourcePending
		}
		return in.touch(ctx, *src, agent.Status, now)
	})
}

func (s scope) touch(ctx context.Context, was registry.Source, status registry.SourceStatus, now time.Time) error {
	_, err := s.exec(ctx, touchSource, was.ID, nullText(status), nullTime(later(was.UpdatedAt, now)))
	return err
}

// LeaseRefresh lets one at a time refresh the credentials with an id.
func (c customerStore) LeaseRefresh(ctx context.Context, sourceID, credentialID string, until time.Time) (bool, error) {
	if !registry.StorableID(sourceID) {
		return false, registry.ErrNotFound
	}
	if !registry.Storable(credentialID) {
		return false, registry.ErrStale
	}
	return write(ctx, c.store, c.customer, "lease a refresh", func(in scope) (bool, error) {
		leased, err := in.exec(ctx, leaseCredential, credentialID, sourceID, nullTime(until), nullTime(c.store.instant()))
		if err != nil || leased == 1 {
			return leased == 1, err
		}
		src, err := in.source(ctx, selectAnyBySourceID, sourceID)
		switch {
		case err != nil:
			return false, err
		case src.Agent == nil:
			return false, registry.ErrNotFound
		case credentialID == "" || src.Agent.CredentialID != credentialID:
			return false, registry.ErrStale
		}
		return false, nil // another caller has it
	})
}

// MarkRefused records that the agent refused the credentials with an id, or that they are good again.
func (c customerStore) MarkRefused(ctx context.Context, sourceID, credentialID string, at time.Time) (*registry.Source, error) {
	at = registry.Instant(at)
	return c.onAgent(ctx, "mark credentials as refused", sourceID, func(in scope, src *registry.Source) error {
		was := src.Agent.RefusedAt
		switch {
		case src.Agent.CredentialID != credentialID:
			return registry.ErrStale
		case was.IsZero() == at.IsZero() && !at.Before(was):
			return nil
		}
		_, err := in.exec(ctx, markRefused, src.ID, nullTime(at), credentialID)
		return err
	})
}
