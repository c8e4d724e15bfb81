package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"esagate/api"
	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/internal/telemetry"
	"esagate/registry"
	"esagate/transform"
)

// beginTimeout bounds what a write does after its source is stored: finding the address
// of a consent, which has a lower limit of its own, and storing the answer.
const beginTimeout = 20 * time.Second

// unsubscribeTimeout bounds how long a delete waits for the sales agent; it goes on
// without it.
const unsubscribeTimeout = 3 * time.Second

// detached is a request's context without its end: a write whose body was read is made
// although the client has left. The registry and the agents' client have limits of
// their own.
func detached(r *request) context.Context { return context.WithoutCancel(r.Context()) }

func (g inventory) listSources(w http.ResponseWriter, r *request) error {
	return g.list(w, r, g.all())
}

// all are the customer's sources.
func (g inventory) all() collection { return collection{g.deps.Directory.Sources, sourceDocument} }

func (g inventory) getSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err := joinIssues(err, parseQuery(r.URL.RawQuery).err()); err != nil {
		return err
	}
	s, err := g.deps.Directory.Source(r.Context(), r.caller.CustomerID, sourceID)
	if err != nil {
		return err
	}
	return g.writeDocument(w, r, sourceDocument(s), sourceChanged(s))
}

func (g inventory) createSource(w http.ResponseWriter, r *request) error {
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return err
	}
	once, onceErr := idempotency(r, body)
	create, err := sources.ParseCreate(body, g.deps.CheckURL)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), onceErr, err); err != nil {
		return err
	}
	if err := g.all().checkAddition(g.Gateway, r, once); err != nil {
		return err
	}
	consent := create.Agent.Authentication == registry.AuthOAuth
	if once != nil && !consent { // then the answer is known before the source is stored
		once.Answer = sourceDocument
	}
	made, err := g.deps.Directory.CreateSource(detached(r), r.caller.CustomerID, *create, once)
	if err != nil {
		return err
	}
	if !made.Replayed {
		r.auditSource(made.Source.SourceID, nil)
	}
	document := made.Answer
	switch {
	case document != nil:
	case made.Source == nil:
		return fault.New(fault.Conflict, "What was made with this Idempotency-Key has been deleted since.")
	case made.Replayed || !consent: // the first answer was never given: as the source stands now
		document = sourceDocument(made.Source)
	default:
		document = consentDocument(made.Source, g.beginConsent(r, made.Source))
		g.keepAnswer(r, once, document)
	}
	return g.answerCreated(w, r, document, func(ids madeIDs) string { return ids.SourceID })
}

// madeIDs are the ids in the document of something that was made.
type madeIDs struct{ ID, SourceID string }

// answerCreated answers with what was made; last gives the last part of its path.
func (g *Gateway) answerCreated(w http.ResponseWriter, r *request, document []byte, last func(madeIDs) string) error {
	var ids madeIDs
	if err := json.Unmarshal(document, &ids); err != nil {
		return fault.Wrap(fault.Internal, "The kept answer can't be read.", err)
	}
	w.Header().Set("Location", r.URL.Path+"/"+url.PathEscape(last(ids)))
	g.answer(w, r, http.StatusCreated, document)
	return nil
}

func (g inventory) updateSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return err
	}
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return err
	}
	// Faults of the request are reported only for a source that exists.
	queryErr := parseQuery(r.URL.RawQuery).err()
	update := sources.ParseUpdate(body, g.deps.CheckURL)
	precondition := g.precondition(r, sourceView)
	var before *registry.Source
	after, err := g.deps.Directory.UpdateSource(detached(r), r.caller.CustomerID, sourceID,
		func(s *registry.Source) (registry.SourceChange, error) {
			before = s
			change, err := update.Decide(s)
			switch { // 400 goes before 412, and that before 409
			case err != nil && !fault.Is(err, fault.Conflict):
				return change, joinIssues(queryErr, err)
			case queryErr != nil:
				return change, queryErr
			}
			return change, cmp.Or(precondition.Check(s), err)
		})
	if err != nil {
		return err
	}
	r.auditSource(sourceID, after.Connection)
	consent := ""
	if update.ConsentDue(before, after) {
		consent = g.beginConsent(r, after)
	}
	g.answer(w, r, http.StatusOK, consentDocument(after, consent))
	return nil
}

func (g inventory) deleteSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return err
	}
	queryErr, precondition := parseQuery(r.URL.RawQuery).err(), g.precondition(r, sourceView)
	allow := func(s *registry.Source) error {
		return cmp.Or(queryErr, precondition.Check(s), sources.AllowDelete(s))
	}
	g.unsubscribe(r, sourceID, allow)
	gone, err := g.deps.Directory.DeleteSource(detached(r), r.caller.CustomerID, sourceID, allow)
	if err != nil {
		return err
	}
	r.auditSource(sourceID, gone.Connection)
	if gone.Connection != nil && gone.Connection.TenantID != "" {
		g.deps.Status.Expire(gone.Connection.TenantID)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unsubscribe ends the webhook subscription of a managed source before it is deleted, if that is
// allowed: afterwards the subscription's id is lost.
func (g inventory) unsubscribe(r *request, sourceID string, allow func(*registry.Source) error) {
	ctx, cancel := context.WithTimeout(detached(r), unsubscribeTimeout)
	defer cancel()
	src, err := g.deps.Directory.ManagedSourceNow(ctx, r.caller.CustomerID, sourceID)
	if err != nil || allow(src) != nil {
		return // DELETE says why
	}
	if err := g.deps.Subscriber.End(ctx, src); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "the webhook subscription of a source that is deleted could not be ended",
			slog.String("request_id", r.id), slog.String("source_id", sourceID), slog.Any("error", err))
	}
}

// beginConsent gives the address where a person can consent; empty where none is due or
// it can't be found now. The source is stored either way. It goes on without the client,
// which may ask again with its Idempotency-Key and then wants the address.
func (g inventory) beginConsent(r *request, s *registry.Source) string {
	ctx, cancel := context.WithTimeout(detached(r), beginTimeout)
	defer cancel()
	address, err := g.deps.Agents.Begin(ctx, s)
	if err != nil {
		g.ins.Consent(telemetry.ConsentNotBegun)
		g.access.info(ctx, "an agent's consent could not be begun", slog.String("request_id", r.id),
			slog.String("source_id", s.SourceID), slog.Any("error", err))
		return ""
	}
	if address != "" {
		g.ins.Consent(telemetry.ConsentBegun)
	}
	return address
}

func sourceDocument(s *registry.Source) []byte { return consentDocument(s, "") }

// consentDocument is a source's document with the address where a person can consent.
func consentDocument(s *registry.Source, authorizationURL string) []byte {
	return api.Encode(transform.InventorySource(s, authorizationURL))
}
