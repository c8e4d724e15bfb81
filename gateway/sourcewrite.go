package gateway

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
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

func (g inventory) createSource(w http.ResponseWriter, r *request) error {
	once, onceErr := idempotency(r)
	body, err := readBody(r)
	if err != nil {
		return err
	}
	create, err := sources.ParseCreate(body, g.deps.CheckURL)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), onceErr, err); err != nil {
		return err
	}
	consent := create.Authentication == registry.AuthOAuth
	if once != nil {
		once.Fingerprint = fingerprint(r, body)
		if !consent { // then the answer is known before the source is stored
			once.Answer = func(s *registry.Source) []byte { return sourceDocument(s, "") }
		}
	}
	made, err := g.deps.Directory.CreateSource(detached(r), r.caller.CustomerID, create.Source(), once)
	if err != nil {
		return err
	}
	if made.Replayed {
		return g.answerAgain(w, r, made)
	}
	document := sourceDocument(made.Source, "")
	if consent {
		// This is finished without the client too: it may ask again with its key, and
		// then wants the address.
		ctx, cancel := context.WithTimeout(detached(r), beginTimeout)
		defer cancel()
		document = sourceDocument(made.Source, g.beginConsent(ctx, r, made.Source))
		if once != nil {
			g.keepAnswer(r, once.Key, document)
		}
	}
	r.auditSource(made.Source.SourceID, nil)
	return g.answerCreated(w, r, made.Source.SourceID, document)
}

// answerAgain answers the repetition of a create: the same Idempotency-Key came before.
func (g inventory) answerAgain(w http.ResponseWriter, r *request, made registry.Creation) error {
	switch {
	case made.Answer != nil:
		var kept struct{ SourceID string }
		if err := json.Unmarshal(made.Answer, &kept); err != nil {
			return fault.Wrap(fault.Internal, "The kept answer can't be read.", err)
		}
		return g.answerCreated(w, r, kept.SourceID, made.Answer)
	case made.Source != nil: // the first answer was never given: as it stands now
		return g.answerCreated(w, r, made.Source.SourceID, sourceDocument(made.Source, ""))
	}
	return fault.New(fault.Conflict, "What was made with this Idempotency-Key has been deleted since.")
}

func (g inventory) answerCreated(w http.ResponseWriter, r *request, sourceID string, document []byte) error {
	w.Header().Set("Location", r.URL.Path+"/"+url.PathEscape(sourceID))
	g.answer(w, r, http.StatusCreated, document)
	return nil
}

func (g inventory) updateSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return err
	}
	body, err := readBody(r)
	if err != nil {
		return err
	}
	// Faults of the request are reported only for a source that exists.
	queryErr := parseQuery(r.URL.RawQuery).err()
	update := sources.ParseUpdate(body, g.deps.CheckURL)
	var before *registry.Source
	after, err := g.deps.Directory.UpdateSource(detached(r), r.caller.CustomerID, sourceID,
		func(s *registry.Source) (registry.SourceChange, error) {
			before = s
			change, err := update.Decide(s)
			if fault.Is(err, fault.Conflict) && queryErr != nil {
				err = nil // 400 goes before 409
			}
			return change, joinIssues(queryErr, err)
		})
	if err != nil {
		return err
	}
	r.auditSource(sourceID, after.Connection)
	consent := ""
	if update.ConsentDue(before, after) {
		ctx, cancel := context.WithTimeout(detached(r), beginTimeout)
		defer cancel()
		consent = g.beginConsent(ctx, r, after)
	}
	g.answer(w, r, http.StatusOK, sourceDocument(after, consent))
	return nil
}

func (g inventory) deleteSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err != nil {
		return err
	}
	queryErr := parseQuery(r.URL.RawQuery).err()
	if queryErr == nil {
		g.unsubscribe(r, sourceID)
	}
	gone, err := g.deps.Directory.DeleteSource(detached(r), r.caller.CustomerID, sourceID, func(s *registry.Source) error {
		if queryErr != nil {
			return queryErr
		}
		return sources.AllowDelete(s)
	})
	if err != nil {
		return err
	}
	r.auditSource(sourceID, gone.Connection)
	if gone.Connection != nil && gone.Connection.TenantID != "" {
		g.deps.Status.Expire(gone.Connection.TenantID)
	}
	g.endAudit(r, http.StatusNoContent, nil)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unsubscribe ends the webhook subscription of a managed source before it is deleted:
// afterwards the subscription's id is lost.
func (g inventory) unsubscribe(r *request, sourceID string) {
	ctx, cancel := context.WithTimeout(detached(r), unsubscribeTimeout)
	defer cancel()
	src, err := g.deps.Directory.ManagedSourceNow(ctx, r.caller.CustomerID, sourceID)
	if err != nil || sources.AllowDelete(src) != nil {
		return // DELETE says why
	}
	if err := g.deps.Subscriber.End(ctx, src); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "the webhook subscription of a source that is deleted could not be ended",
			slog.String("request_id", r.id), slog.String("source_id", sourceID), slog.Any("error", err))
	}
}

// beginConsent gives the address where a person can consent; empty where none is due or
// it can't be found now. The source is stored either way.
func (g inventory) beginConsent(ctx context.Context, r *request, s *registry.Source) string {
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

func sourceDocument(s *registry.Source, authorizationURL string) []byte {
	return api.Encode(transform.InventorySource(s, authorizationURL))
}

// answer writes the outcome of a write, which no cache may keep.
func (g *Gateway) answer(w http.ResponseWriter, r *request, status int, document []byte) {
	g.endAudit(r, status, nil)
	document = g.enveloped(document)
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = noStore
	h["Content-Length"] = []string{strconv.Itoa(len(document))}
	w.WriteHeader(status)
	_, _ = w.Write(document) // the client may be gone
}
