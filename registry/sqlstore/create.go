package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"esagate/registry"
)

var (
	insertAgent = scoped(`INSERT INTO sources (customer_id, id, source_id, name, name_from_api, execution_type, labels, created_at, updated_at,
		status, agent_id, agent_type, endpoint_url, protocol, description, authentication_type, oauth_audience, auth_version)
		VALUES ($1, $2, $3, $4, TRUE, $5, '{}', $6, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1) ON CONFLICT DO NOTHING`)

	countAgentID = globalStatement{`SELECT COUNT(*) FROM sources WHERE agent_id = $1`}
)

// Bounds of agent ids: as long as a slug and what makes it unique may be, and how
// many are asked for. They are random: a second one is hardly ever needed.
const (
	agentIDLength = 2 * registry.MaxIDLength
	agentIDTries  = 20
)

// CreateSource makes an AGENT source.
func (c customerStore) CreateSource(ctx context.Context, s registry.NewSource, once *registry.IdempotencyRecord) (registry.Creation, error) {
	if !storableNew(s) {
		return registry.Creation{}, registry.ErrInvalid
	}
	return c.create(ctx, once, func(in scope, now time.Time) (int64, error) {
		return c.store.createAgent(ctx, in, s, now)
	})
}

// create makes a source of either kind, with what gives its row, or replays.
func (c customerStore) create(ctx context.Context, once *registry.IdempotencyRecord, insert func(scope, time.Time) (int64, error)) (registry.Creation, error) {
	if once != nil && !registry.StorableID(once.Key) {
		return registry.Creation{}, registry.ErrInvalid
	}
	var made registry.Creation
	err := c.store.writing(ctx, c.customer, func(in scope) (err error) {
		made, err = c.store.createOnce(ctx, in, once, insert)
		return err
	})
	if err != nil {
		return registry.Creation{}, failed("create a source", err)
	}
	if once != nil && !made.Replayed {
		c.store.sweep(ctx, expiredOnce)
	}
	return made, nil
}

func (s *Store) createOnce(ctx context.Context, in scope, once *registry.IdempotencyRecord, insert func(scope, time.Time) (int64, error)) (registry.Creation, error) {
	now := s.instant()
	if once != nil {
		replay, err := s.claimOnce(ctx, in, once, now)
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
		if err := s.fillOnce(ctx, in, once, src); err != nil {
			return registry.Creation{}, err
		}
	}
	return registry.Creation{Source: src}, nil
}

func (s *Store) createAgent(ctx context.Context, in scope, entry registry.NewSource, now time.Time) (int64, error) {
	id, err := insertNew(ctx, in, entry, now)
	if err == nil && entry.Credential != nil {
		err = s.addCredential(ctx, in, id, *entry.Credential, now)
	}
	return id, err
}

// giveSourceID gives a new row its id, and its sourceId: the wanted one, or else a free
// one of the slug. The id comes first: the transaction then holds the sequence until it
// ends, so what is free now stays free.
func giveSourceID(ctx context.Context, in scope, wanted, slug string) (id int64, sourceID string, err error) {
	if err := in.globalRow(ctx, nextID, "source").Scan(&id); err != nil {
		return 0, "", fmt.Errorf("source id: %w", err)
	}
	if wanted != "" {
		return id, wanted, nil
	}
	sourceID, err = freeSlug(ctx, in, slug)
	return id, sourceID, err
}

// insertNew makes the row.
func insertNew(ctx context.Context, in scope, entry registry.NewSource, now time.Time) (int64, error) {
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
		nullText(string(a.Status)), agentID, nullText(a.Type), nullText(a.EndpointURL), nullText(a.Protocol),
		nullText(a.Description), nullText(string(a.Authentication)), nullText(a.OAuthAudience))
	if err != nil {
		return 0, fmt.Errorf("insert source: %w", err)
	}
	if made == 0 { // its other ids are free
		return 0, registry.ErrSourceTaken
	}
	return id, nil
}

func freeAgentID(ctx context.Context, in scope, next func() string) (string, error) {
	for range agentIDTries {
		id := next()
		if id == "" || !registry.Storable(id) || utf8.RuneCountInString(id) > agentIDLength {
			return "", registry.ErrInvalid
		}
		var taken int
		if err := in.globalRow(ctx, countAgentID, id).Scan(&taken); err != nil {
			return "", fmt.Errorf("look for an agent id: %w", err)
		}
		if taken == 0 {
			return id, nil
		}
	}
	return "", errors.New("no agent id is free")
}

// storableNew refuses what a table can't hold as it is; what a source may be is the
// caller's to say.
func storableNew(s registry.NewSource) bool {
	return storableName(s.SourceID, s.Slug) && s.AgentID != nil && registry.Storable(s.Name) && storableAgent(s.Agent)
}

// storableName refuses a sourceId, or where there is none a slug, of which none can be made.
func storableName(sourceID, slug string) bool {
	return registry.StorableID(sourceID) || sourceID == "" && slug != "" && registry.Storable(slug)
}

func storableAgent(a registry.Agent) bool {
	return storable(string(a.Status), a.Type, a.EndpointURL, a.Protocol, a.Description, string(a.Authentication), a.OAuthAudience)
}
