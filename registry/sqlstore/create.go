package sqlstore

import (
	"context"
	"errors"
	"time"
	"unicode/utf8"

	"esagate/registry"
)

var (
	insertAgent = scoped(`INSERT INTO sources (customer_id, id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at,
		status, agent_id, agent_type, endpoint_url, protocol, description, authentication_type, oauth_audience, auth_version)
		VALUES ($1, $2, $3, $4, TRUE, $5, '{}', $6, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1) ON CONFLICT DO NOTHING`)

	countAgentID = global(`SELECT COUNT(*) FROM sources WHERE agent_id = $1`)
)

// Bounds of agent ids: as long as a slug and what makes it unique may be, and how
// many are asked for. They are random: a second one is hardly ever needed.
const (
	agentIDLength = 2 * registry.MaxIDLength
	agentIDTries  = 20
)

// CreateSource makes an AGENT source.
func (c customerStore) CreateSource(ctx context.Context, s registry.NewSource,
	once *registry.IdempotencyRecord) (registry.Creation, error) {
	if !storableNew(s) {
		return registry.Creation{}, registry.ErrInvalid
	}
	return c.create(ctx, once, func(in scope, now time.Time) (int64, error) {
		return createAgent(ctx, in, s, now)
	})
}

// create makes a source of either kind, with what gives its row, or replays.
func (c customerStore) create(ctx context.Context, once *registry.IdempotencyRecord,
	insert func(scope, time.Time) (int64, error)) (registry.Creation, error) {
	if once != nil && !registry.StorableID(once.Key) {
		return registry.Creation{}, registry.ErrInvalid
	}
	made, err := write(ctx, c.store, c.customer, "create a source", func(in scope) (registry.Creation, error) {
		return createOnce(ctx, in, once, insert)
	})
	if err == nil && once != nil && !made.Replayed {
		c.store.sweep(ctx, expiredOnce)
	}
	return made, err
}

func createOnce(ctx context.Context, in scope, once *registry.IdempotencyRecord,
	insert func(scope, time.Time) (int64, error)) (registry.Creation, error) {
	now := in.store.instant()
	if once != nil {
		replay, err := claimOnce(ctx, in, once, now)
		if err != nil {
			return registry.Creation{}, err
		}
		if replay != nil {
			return *replay, nil
		}
	}
	id, err := insert(in, now)
	if err != nil {
		return registry.Creation{}, err
	}
	src, err := in.source(ctx, selectAnyByRow, id)
	if err != nil {
		return registry.Creation{}, err
	}
	if once != nil {
		if err := recordCreation(ctx, in, once, src); err != nil {
			return registry.Creation{}, err
		}
	}
	return registry.Creation{Source: src}, nil
}

// giveSourceID returns the id and the sourceId of a new row: the wanted one, or else a free
// one of the slug. The id comes first: the transaction then holds the sequence until it
// ends, so what is free now stays free.
func giveSourceID(ctx context.Context, in scope, wanted, slug string) (id int64, sourceID string, err error) {
	if id, err = in.number(ctx, nextID, "source"); err != nil || wanted != "" {
		return id, wanted, err
	}
	sourceID, err = freeSlug(ctx, in, slug)
	return id, sourceID, err
}

func createAgent(ctx context.Context, in scope, entry registry.NewSource, now time.Time) (int64, error) {
	id, sourceID, err := giveSourceID(ctx, in, entry.SourceID, entry.Slug)
	if err != nil {
		return 0, err
	}
	agentID, err := freeAgentID(ctx, in, entry.AgentID)
	if err != nil {
		return 0, err
	}
	a := entry.Agent
	made, err := in.exec(ctx, insertAgent, id, sourceID, entry.Name, string(registry.ExecutionAgent), nullTime(now),
		nullText(a.Status), agentID, nullText(a.Type), nullText(a.EndpointURL), nullText(a.Protocol),
		nullText(a.Description), nullText(a.Authentication), nullText(a.OAuthAudience))
	switch {
	case err != nil:
		return 0, err
	case made == 0: // its other ids are free
		return 0, registry.ErrSourceTaken
	case entry.Credential != nil:
		return id, addCredential(ctx, in, id, *entry.Credential, now)
	}
	return id, nil
}

func freeAgentID(ctx context.Context, in scope, next func() string) (string, error) {
	for range agentIDTries {
		id := next()
		if id == "" || !registry.Storable(id) || utf8.RuneCountInString(id) > agentIDLength {
			return "", registry.ErrInvalid
		}
		if taken, err := in.number(ctx, countAgentID, id); err != nil || taken == 0 {
			return id, err
		}
	}
	return "", errors.New("no agent id is free")
}

// storableNew reports whether the tables can hold a source as it is.
func storableNew(s registry.NewSource) bool {
	return storableName(s.SourceID, s.Slug) && s.AgentID != nil && registry.Storable(s.Name) && storableAgent(s.Agent)
}

// storableName reports whether a sourceId can be stored, or without one be made of the slug.
func storableName(sourceID, slug string) bool {
	return registry.StorableID(sourceID) || sourceID == "" && slug != "" && registry.Storable(slug)
}

func storableAgent(a registry.Agent) bool {
	return storable(string(a.Status), a.Type, a.EndpointURL, a.Protocol, a.Description, string(a.Authentication), a.OAuthAudience)
}
