package sqlstore

import (
	"context"
	"fmt"
	"time"

	"esagate/registry"
)

var (
	renameSource = scoped(`UPDATE sources SET name = $3, name_from_api = TRUE, updated_at = $4 WHERE customer_id = $1 AND id = $2`)
	// A connection's version also stands for the name, which its documents show.
	raiseVersion = scoped(`UPDATE connections SET version = version + 1 WHERE customer_id = $1 AND source = $2`)
	updateAgent  = scoped(`UPDATE sources SET name = $3, updated_at = $4, status = $5, agent_type = $6, endpoint_url = $7, protocol = $8,
		description = $9, authentication_type = $10, oauth_audience = $11, auth_version = $12 WHERE customer_id = $1 AND id = $2`)
)

// UpdateSource changes a source of either kind.
func (c customerStore) UpdateSource(ctx context.Context, sourceID string,
	decide func(*registry.Source) (registry.SourceChange, error)) (*registry.Source, error) {
	return write(ctx, c.store, c.customer, "update a source", func(in scope) (*registry.Source, error) {
		src, err := lockedSource(ctx, in, sourceID)
		if err != nil {
			return nil, err
		}
		was := standingOf(src)
		change, err := decide(src)
		if err != nil {
			return nil, decisionError{err}
		}
		if err := changeSource(ctx, in, was, change, c.store.instant()); err != nil {
			return nil, err
		}
		return in.source(ctx, selectAnyByRow, was.id)
	})
}

// standing is the state that a change is compared with; decide can't change it.
type standing struct {
	id      int64
	name    string
	updated time.Time
	agent   *registry.Agent
}

func standingOf(src *registry.Source) standing {
	was := standing{id: src.ID, name: src.Name, updated: src.UpdatedAt}
	if src.Agent != nil {
		agent := *src.Agent
		was.agent = &agent
	}
	return was
}

func changeSource(ctx context.Context, in scope, was standing, change registry.SourceChange, now time.Time) error {
	name := was.name
	if change.Name != nil {
		name = *change.Name
	}
	if !registry.Storable(name) {
		return registry.ErrInvalid
	}
	if was.agent != nil {
		return changeAgent(ctx, in, was, name, change, now)
	}
	if change.Agent != nil || change.Credential != nil || change.EraseCredential || change.NewConsent {
		return registry.ErrInvalid // a managed source has none of this
	}
	return in.rename(ctx, was, name, now)
}

func (s scope) rename(ctx context.Context, was standing, name string, now time.Time) error {
	if name == was.name {
		return nil
	}
	if _, err := s.exec(ctx, renameSource, was.id, name, nullTime(now)); err != nil {
		return fmt.Errorf("update source: %w", err)
	}
	if _, err := s.exec(ctx, raiseVersion, was.id); err != nil {
		return fmt.Errorf("update connection: %w", err)
	}
	return nil
}

// later returns the time of a change of an AGENT source. It always grows, so that two
// states with one time are one state even if the replicas' clocks differ.
func later(was, now time.Time) time.Time {
	if soonest := was.Add(time.Microsecond); now.Before(soonest) {
		return soonest
	}
	return now
}

func changeAgent(ctx context.Context, in scope, was standing, name string, change registry.SourceChange, now time.Time) error {
	next := *was.agent
	if change.Agent != nil {
		next = *change.Agent
		next.AgentID, next.CredentialID, next.AuthVersion = was.agent.AgentID, was.agent.CredentialID, was.agent.AuthVersion
	}
	if !storableAgent(next) {
		return registry.ErrInvalid
	}
	erased := change.EraseCredential && change.Credential == nil && was.agent.CredentialID != ""
	askedAnew := change.NewConsent || change.Credential != nil || erased ||
		next.Authentication != was.agent.Authentication || next.OAuthAudience != was.agent.OAuthAudience
	if !askedAnew && name == was.name && next == *was.agent {
		return nil
	}
	if askedAnew {
		next.AuthVersion++
		if err := in.voidConsents(ctx, was.id); err != nil {
			return err
		}
	}
	switch {
	case change.Credential != nil:
		if err := storeCredential(ctx, in, was.id, *change.Credential, now); err != nil {
			return err
		}
	case erased:
		if err := in.eraseCredential(ctx, was.id); err != nil {
			return err
		}
	}
	if _, err := in.exec(ctx, updateAgent, was.id, name, nullTime(later(was.updated, now)), nullText(string(next.Status)), nullText(next.Type),
		nullText(next.EndpointURL), nullText(next.Protocol), nullText(next.Description), nullText(string(next.Authentication)),
		nullText(next.OAuthAudience), next.AuthVersion); err != nil {
		return fmt.Errorf("update source: %w", err)
	}
	return nil
}
