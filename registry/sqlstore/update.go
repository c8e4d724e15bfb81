package sqlstore

import (
	"context"
	"time"

	"esagate/registry"
)

var (
	renameSource = scoped(`UPDATE sources SET name = $3, name_from_api = TRUE, updated_at = $4 WHERE customer_id = $1 AND id = $2`)
	// A connection's version also stands for the name, which its documents show.
	raiseVersion = scoped(`UPDATE connections SET version = version + 1 WHERE customer_id = $1 AND source = $2`)
	updateAgent  = scoped(`UPDATE sources SET name = $3, updated_at = $4, status = $5, agent_type = $6, endpoint_url = $7, protocol = $8,
		description = $9, authentication_type = $10, oauth_audience = $11, auth_version = $12, refused_at = $13 WHERE customer_id = $1 AND id = $2`)
)

// UpdateSource changes a source of either kind.
func (c customerStore) UpdateSource(ctx context.Context, sourceID string,
	decide func(*registry.Source) (registry.SourceChange, error)) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, "update a source", func(in scope) (*registry.Source, error) {
		was, err := lockedSource(ctx, in, sourceID)
		if err != nil {
			return nil, err
		}
		change, err := decide(was.Clone())
		if err != nil {
			return nil, decisionError{err}
		}
		if err := changeSource(ctx, in, was, change, c.store.instant()); err != nil {
			return nil, err
		}
		return in.source(ctx, selectAnyByRow, was.ID)
	})
}

func changeSource(ctx context.Context, in scope, was *registry.Source, change registry.SourceChange, now time.Time) error {
	name := was.Name
	if change.Name != nil {
		name = *change.Name
	}
	if !registry.Storable(name) {
		return registry.ErrInvalid
	}
	if was.Agent != nil {
		return changeAgent(ctx, in, was, name, change, now)
	}
	if change.Agent != nil || change.Credential != nil || change.EraseCredential || change.NewConsent {
		return registry.ErrInvalid // a managed source has none of this
	}
	if name == was.Name {
		return nil
	}
	if _, err := in.exec(ctx, renameSource, was.ID, name, nullTime(now)); err != nil {
		return err
	}
	_, err := in.exec(ctx, raiseVersion, was.ID)
	return err
}

// later returns the time of a change of an AGENT source. It always grows, so that two
// states with one time are one state even if the replicas' clocks differ.
func later(was, now time.Time) time.Time {
	if soonest := was.Add(time.Microsecond); now.Before(soonest) {
		return soonest
	}
	return now
}

func changeAgent(ctx context.Context, in scope, was *registry.Source, name string, change registry.SourceChange, now time.Time) error {
	next := *was.Agent
	if change.Agent != nil {
		next = *change.Agent
		next.AgentID, next.CredentialID = was.Agent.AgentID, was.Agent.CredentialID
		next.AuthVersion, next.RefusedAt = was.Agent.AuthVersion, was.Agent.RefusedAt
	}
	if !storableAgent(next) {
		return registry.ErrInvalid
	}
	erased := change.EraseCredential && change.Credential == nil && was.Agent.CredentialID != ""
	askedAnew := change.NewConsent || change.Credential != nil || erased ||
		next.Authentication != was.Agent.Authentication || next.OAuthAudience != was.Agent.OAuthAudience
	if !askedAnew && name == was.Name && next == *was.Agent {
		return nil
	}
	if askedAnew {
		next.AuthVersion++
		next.RefusedAt = time.Time{}
		if _, err := in.exec(ctx, deleteConsents, was.ID); err != nil {
			return err
		}
	}
	switch {
	case change.Credential != nil:
		if err := storeCredential(ctx, in, was.ID, *change.Credential, now); err != nil {
			return err
		}
	case erased:
		if _, err := in.exec(ctx, deleteCredential, was.ID); err != nil {
			return err
		}
	}
	_, err := in.exec(ctx, updateAgent, was.ID, name, nullTime(later(was.UpdatedAt, now)), nullText(next.Status), nullText(next.Type),
		nullText(next.EndpointURL), nullText(next.Protocol), nullText(next.Description), nullText(next.Authentication),
		nullText(next.OAuthAudience), next.AuthVersion, nullTime(next.RefusedAt))
	return err
}

// deletions are in the order of their foreign keys. The rows that record an
// adoption and a given esaId stay for good, and those of idempotency keys for their time. A
// snapshot goes with its connection.
var deletions = []statement{
	deleteConsents, deleteCredential,
	scoped(`DELETE FROM launches WHERE customer_id = $1 AND source = $2`),
	scoped(`DELETE FROM kept_settings` + ofSource),
	scoped(`DELETE FROM subscriptions` + ofSource),
	scoped(`DELETE FROM webhook_events` + ofSource),
	scoped(`DELETE FROM connections WHERE customer_id = $1 AND source = $2`),
	scoped(`DELETE FROM sources WHERE customer_id = $1 AND id = $2`),
}

// ofSource narrows to what hangs on the connection of a source.
const ofSource = ` WHERE customer_id = $1 AND connection = (SELECT id FROM connections WHERE customer_id = $1 AND source = $2)`

// DeleteSource deletes a source of either kind with all that hangs on it.
func (c customerStore) DeleteSource(ctx context.Context, sourceID string,
	allow func(*registry.Source) error) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, "delete a source", func(in scope) (*registry.Source, error) {
		src, err := lockedSource(ctx, in, sourceID)
		if err != nil {
			return nil, err
		}
		if err := allow(src.Clone()); err != nil {
			return nil, decisionError{err}
		}
		for _, st := range deletions {
			if _, err := in.exec(ctx, st, src.ID); err != nil {
				return nil, err
			}
		}
		return src, nil
	})
}
