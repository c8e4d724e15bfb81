package status_test

import (
	"html/template"
	"net/http"

	"esagate/registry"
	"esagate/status"
)

// A page of its own stands on the registry's read side and this service.
func ExampleService_Get() {
	page := template.Must(template.New("row").Parse(`<li>{{.Operational.Summary}}</li>`))
	handler := func(directory *registry.Directory, statuses *status.Service, customer int64) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			m, err := directory.ManagedSource(r.Context(), customer, r.PathValue("sourceId"))
			if err != nil {
				http.Error(w, "no such source", http.StatusNotFound)
				return
			}
			answer, err := statuses.Get(r.Context(), m, 0)
			if err != nil {
				http.Error(w, "no status now", http.StatusServiceUnavailable)
				return
			}
			_ = page.Execute(w, answer.Status)
		}
	}
	_ = handler
}
