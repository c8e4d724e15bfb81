package gateway

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"esagate/api"
	"esagate/gateway/ops"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/status"
	"esagate/transform"
)

// What the page of a source waits for, and how much of the audit it shows.
const (
	pageStatusWait = time.Second // for the sales agent's answer; the page follows it
	pageStoreWait  = time.Second // for the registry
	pageAudit      = 20
)

// onSource is [Gateway.onSource] for pages: it also says what a source is that is not managed.
func (g pages) onSource(f func(http.ResponseWriter, *request, *registry.Source) error) handlerFunc {
	handle := g.Gateway.onSource(f)
	return func(w http.ResponseWriter, r *request) error {
		err := handle(w, r)
		if !fault.Is(err, fault.NotFound) {
			return err
		}
		id, bad := parseSourceID(r.vars["sourceId"])
		if bad != nil {
			return err
		}
		if src, no := g.deps.Directory.Source(r.Context(), r.caller.CustomerID, id); no == nil && src.Connection == nil {
			return fault.New(fault.NotFound, "This source is an agent that somebody else runs: it has no status here, and nothing can be done to it.")
		}
		return fault.New(fault.NotFound, "There is no such source. It may have been deleted.")
	}
}

// showSource answers with the page of one source.
func (g pages) showSource(w http.ResponseWriter, r *request, src *registry.Source) error {
	view := g.sourceView(r, src)
	if err := r.Context().Err(); err != nil {
		return err
	}
	writePage(w, r, http.StatusOK, ops.Source(view))
	return nil
}

// sourceView gathers what the page of a source shows. It never waits long: what can't be had is said to be so.
func (g pages) sourceView(r *request, src *registry.Source) ops.SourceView {
	view := ops.SourceView{
		Storefront: ops.Storefront(g.cfg.StorefrontURL), Command: g.statusCommand(r, src),
	}
	ctx, cancel := context.WithTimeout(r.Context(), pageStatusWait)
	defer cancel()
	answer, err := g.deps.Status.Get(ctx, src, maxPageRuns)
	known := err == nil
	if known {
		src = g.deps.Status.WithAdServer(ctx, src)
	} else if answer, known = g.deps.Status.Known(src); !known {
		view.Reading = errors.Is(err, context.DeadlineExceeded)
	}
	switch {
	case err == nil && answer.Failed:
		view.Trouble = "The sales agent gives no newer status at the moment."
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		view.Trouble = fault.As(err).Message
	}
	if known {
		view.Status, view.Document = answer.Status, indented(answer.Body().Plain)
	}
	store, cancelStore := context.WithTimeout(r.Context(), pageStoreWait)
	defer cancelStore()
	if now, err := g.deps.Directory.ManagedSource(store, src.CustomerID, src.SourceID); err == nil {
		src = now // the answer may have changed it
	}
	view.Page = r.pageView(src.Name)
	view.Connection = connections(g).published(src)
	view.Item = g.overviewItem(store, src)
	view.Form = ops.ActionForm{
		Once: rand.Text(), Seen: sourceChanged(src).UTC().Format(http.TimeFormat), Wait: g.cfg.ProbeTimeout + probeMargin,
	}
	if r.key.Write {
		view.Audit, view.NoAudit = g.auditOf(store, src)
	}
	return view
}

// maxPageRuns are of each stream.
const maxPageRuns = 10

// indented gives a document for people to read.
func indented(document []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, document, "", "  "); err != nil {
		return string(document)
	}
	return b.String()
}

// overviewItem gives how a source stands, as in an overview.
func (g pages) overviewItem(ctx context.Context, src *registry.Source) api.OverviewItem {
	overview, err := g.deps.Status.Overview(ctx, status.OverviewQuery{
		Customer: src.CustomerID, SourceID: src.SourceID, Take: 1, History: true,
	})
	if err == nil && len(overview.Items) > 0 {
		return overview.Items[0]
	}
	return api.OverviewItem{
		SourceID: src.SourceID, ESAID: strconv.FormatInt(src.Connection.ID, 10), Name: src.Name, CustomerID: src.CustomerID,
		State: transform.StateUnknown,
	}
}

// auditOf gives the last entries of the audit of a source, or says why not.
func (g pages) auditOf(ctx context.Context, src *registry.Source) (entries []api.AuditEntry, problem string) {
	page, _, err := g.deps.Directory.Audit(ctx, src.CustomerID, registry.AuditQuery{SourceID: src.SourceID, Take: pageAudit})
	if err != nil {
		return nil, "The record can't be read at the moment."
	}
	return transform.AuditPage(page, "").Entries, ""
}

// statusCommand gives what reads the status of a source in a shell.
func (g pages) statusCommand(r *request, src *registry.Source) string {
	acting := ""
	if r.key.Operator {
		acting = fmt.Sprintf(` -H "%s: %d"`, headerCustomer, src.CustomerID)
	}
	return fmt.Sprintf(`curl -H "Authorization: Bearer $ESAGATE_KEY"%s '%s%s/inventory-sources/%s/status?includeSyncHistory=true&syncHistoryLimit=%d'`,
		acting, g.cfg.PublicURL, storefront, url.PathEscape(src.SourceID), maxPageRuns)
}
