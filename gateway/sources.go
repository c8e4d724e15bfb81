package gateway

import (
	"net/http"
)

func (g inventory) listSources(w http.ResponseWriter, r *request) error {
	return g.list(w, r, g.deps.Directory.Sources, sourceDocument)
}

func (g inventory) getSource(w http.ResponseWriter, r *request) error {
	sourceID, err := parseSourceID(r.vars["sourceId"])
	if err := joinIssues(err, parseQuery(r.URL.RawQuery).err()); err != nil {
		return err
	}
	s, err := g.deps.Directory.Source(r.Context(), r.caller.CustomerID, sourceID)
	if err != nil {
		return err
	}
	g.writeDocument(w, r, sourceDocument(s))
	return nil
}
