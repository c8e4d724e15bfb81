package sqlstore

import (
	"context"

	"esagate/registry"
)

var (
	deleteConsents = scoped(`DELETE FROM consents WHERE customer_id = $1 AND source = $2`)
	insertConsent  = scoped(`INSERT INTO consents (customer_id, state_hash, source, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)`)

	// probeConsent comes first, so that a made-up state costs no transaction.
	probeConsent = global(`SELECT COUNT(*) FROM consents WHERE state_hash = $1`)
	// The customer is not known before: the state came from a browser.
	takeConsent = global(`DELETE FROM consents WHERE state_hash = $1 RETURNING customer_id, source, sealed`)
)

// BeginConsent keeps a consent in place of any other of the source.
func (c customerStore) BeginConsent(ctx context.Context, sourceID string, state [32]byte, consent registry.Consent) error {
	plain, err := encodeConsent(consent)
	if err != nil {
		return err
	}
	_, err = c.onAgent(ctx, "begin a consent", sourceID, func(in scope, src *registry.Source) error {
		if !begunOn(src, consent) {
			return registry.ErrStale
		}
		sealed, err := c.store.seal(plain, identity("consents", c.customer, src.ID, string(state[:])))
		if err != nil {
			return err
		}
		if _, err := in.exec(ctx, deleteConsents, src.ID); err != nil {
			return err
		}
		_, err = in.exec(ctx, insertConsent, state[:], src.ID, sealed, nullTime(consent.ExpiresAt))
		return err
	})
	if err == nil {
		c.store.sweep(ctx, expiredConsents)
	}
	return err
}

// begunOn reports whether a consent was begun on an AGENT source as it stands. The row
// counts, not the sourceId, which can be another source's by now.
func begunOn(src *registry.Source, consent registry.Consent) bool {
	return src.ID == consent.SourceRow && src.Agent.AuthVersion == consent.AuthVersion
}

// TakeConsent returns and deletes the consent that was begun with a state; of two calls
// at once one gets it. Its content and its expiry come from what was sealed, not from the
// row around it.
func (s *Store) TakeConsent(ctx context.Context, state [32]byte) (*registry.TakenConsent, error) {
	switch kept, err := s.reading(0).number(ctx, probeConsent, state[:]); {
	case err != nil:
		return nil, failed("take a consent", err)
	case kept == 0:
		return nil, registry.ErrNotFound
	}
	taken, err := write(ctx, s, 0, "take a consent", func(in scope) (*registry.TakenConsent, error) {
		return deleteConsent(ctx, in, state)
	})
	if err == nil && taken == nil {
		return nil, registry.ErrNotFound
	}
	return taken, err
}

// deleteConsent returns nil for a consent that is good no more; its row is deleted all the same.
func deleteConsent(ctx context.Context, in scope, state [32]byte) (*registry.TakenConsent, error) {
	var (
		source int64
		sealed []byte
		taken  registry.TakenConsent
	)
	err := in.queryRow(ctx, takeConsent, state[:]).Scan(&taken.CustomerID, &source, &sealed)
	if err != nil {
		return nil, found(err)
	}
	err = in.store.unsealInto(&taken.Consent, sealed, identity("consents", taken.CustomerID, source, string(state[:])))
	if err != nil {
		return nil, err
	}
	// The source is not locked: everywhere else its lock comes before the consent's. A
	// change of it from here on makes EndConsent fail.
	src, err := scope{in.on, taken.CustomerID, in.store}.source(ctx, selectAnyByRow, source)
	if err != nil {
		return nil, err
	}
	if src.Agent == nil || !begunOn(src, taken.Consent) || !in.store.instant().Before(taken.Consent.ExpiresAt) {
		return nil, nil
	}
	taken.SourceID = src.SourceID
	return &taken, nil
}

// EndConsent stores what a consent brought.
func (c customerStore) EndConsent(ctx context.Context, sourceID string, consent registry.Consent,
	tokens registry.OAuthCredential) (*registry.Source, error) {
	return c.onAgent(ctx, "end a consent", sourceID, func(in scope, src *registry.Source) error {
		if !begunOn(src, consent) {
			return registry.ErrStale
		}
		now := c.store.instant()
		if err := storeCredential(ctx, in, src.ID, registry.Credential{OAuth: &tokens}, now); err != nil {
			return err
		}
		return in.touch(ctx, *src, src.Agent.Status, now)
	})
}
