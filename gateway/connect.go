package gateway

import (
	"log/slog"
	"net/http"
	"time"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/registry"
)

// probeMargin is what an answer may take on top of the sales agent's own probe: settings
// are read before it and put back after it, and the outcome is recorded.
const probeMargin = time.Minute

// extendWriteDeadline lets an answer take as long as a probe of the ad server may.
func (g *Gateway) extendWriteDeadline(w http.ResponseWriter) {
	// A server that knows no deadlines has none that could cut the answer off.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(g.cfg.ProbeTimeout + probeMargin))
}

func (g connections) connect(w http.ResponseWriter, r *request) error {
	g.extendWriteDeadline(w) // a repetition may become a change of config
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return err
	}
	once, onceErr := idempotency(r, body)
	config, err := adserver.ParseConnect(body)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), onceErr, err); err != nil {
		return err
	}
	if err := g.all().checkAddition(g.Gateway, r, once); err != nil {
		return err
	}
	made, err := g.deps.Lifecycle.Connect(detached(r), r.caller.CustomerID, config, once)
	if err != nil {
		return err
	}
	document := made.Answer
	if made.Source != nil {
		r.auditSource(made.Source.SourceID, made.Source.Connection)
	}
	if document == nil {
		document = g.document(made.Source)
		g.keepAnswer(r, once, document)
	}
	return g.answerCreated(w, r, document, func(ids madeIDs) string { return ids.ID })
}

// keepAnswer stores the answer of a request that may be repeated; once is nil for one
// that may not. Where it can't be stored, a repetition gets what stands by then.
func (g *Gateway) keepAnswer(r *request, once *registry.IdempotencyRecord, document []byte) {
	if once == nil {
		return
	}
	ctx := detached(r)
	if err := g.deps.Directory.KeepAnswer(ctx, r.caller.CustomerID, once.Key, document); err != nil {
		g.log.LogAttrs(ctx, slog.LevelWarn, "an idempotent answer could not be kept",
			slog.String("request_id", r.id), slog.Any("error", err))
	}
}

func (g connections) saveAdServer(w http.ResponseWriter, r *request, src *registry.Source) error {
	return g.configure(w, r, src, g.changes(r).Save)
}

func (g connections) rotateCredentials(w http.ResponseWriter, r *request, src *registry.Source) error {
	return g.configure(w, r, src, g.changes(r).Rotate)
}

func (g connections) configure(w http.ResponseWriter, r *request, src *registry.Source, save saving) error {
	g.extendWriteDeadline(w)
	body, err := readBody(r, maxBodyBytes)
	if err != nil {
		return err
	}
	config, err := adserver.Parse(body)
	if err := joinIssues(parseQuery(r.URL.RawQuery).err(), err); err != nil {
		return err
	}
	saved, err := save(detached(r), r.caller.CustomerID, src.Connection.ID, config)
	if err != nil {
		return err
	}
	g.answer(w, r, http.StatusOK, g.document(saved))
	return nil
}

// document is what is published of a connection.
func (g connections) document(src *registry.Source) []byte {
	return api.Encode(g.published(src))
}

func (g connections) getServiceAccount(w http.ResponseWriter, r *request) error {
	return g.repeatable(w, r, func() ([]byte, error) {
		account := &api.ServiceAccount{}
		if email := g.deps.ServiceAccount(r.caller.CustomerID); email != "" {
			account.ServiceAccountEmail = &email
		}
		return api.Encode(account), nil
	})
}
