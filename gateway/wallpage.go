package gateway

import (
	"net/http"

	"esagate/gateway/ops"
)

// showWall answers with the page of all sources.
func (g pages) showWall(w http.ResponseWriter, r *request) error {
	writePage(w, r, http.StatusOK, ops.Failure(ops.FailureView{Page: r.pageView("Sources")}))
	return nil
}
