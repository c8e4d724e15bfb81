package gateway

import (
	"net/http"
	"path"

	"esagate/gateway/ops"
	"esagate/registry"
)

// showSource answers with the page of one source.
func (g pages) showSource(w http.ResponseWriter, r *request, src *registry.Source) error {
	writePage(w, r, http.StatusOK, ops.Failure(ops.FailureView{Page: r.pageView(src.Name)}))
	return nil
}

// maxActionForm bounds the form of an action, which has no fields of its own.
const maxActionForm = 4 << 10

// act does something to a source for its page, and leads back there.
func act(w http.ResponseWriter, r *request, do func() ([]byte, error)) error {
	_, err := readBody(r, maxActionForm)
	if err := joinIssues(err, parseQuery(r.URL.RawQuery).err()); err != nil {
		return err
	}
	if _, err := do(); err != nil {
		return err
	}
	seeOther(w, r, path.Dir(r.URL.EscapedPath()))
	return nil
}
