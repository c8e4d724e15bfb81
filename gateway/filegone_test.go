package gateway_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// While the SQLite file is not the one that was opened, writes are refused and known sources are read; they
// are taken again once it is back.
func TestTheSQLiteFileIsTakenAway(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	inWorld(t, setup{database: filepath.Join(folder, "registry.db")}, func(w *world) {
		status := sourcesPath + "/" + source + "/status"
		w.get(status).snapshot(w)
		w.create("sourceId", `"before"`)
		w.must(os.Rename(folder, folder+"-away"))
		w.must(os.Mkdir(folder, 0o700))
		w.must(os.WriteFile(filepath.Join(folder, "registry.db"), nil, 0o600)) // another in its place
		for range 3 {
			a := w.write("POST", sourcesPath, agentBody("sourceId", `"lost"`))
			a.failure(w, http.StatusServiceUnavailable, "SERVICE_UNAVAILABLE")
			if a.header.Get("Retry-After") == "" || a.took > writeBudget {
				w.Errorf("%v, after %v", a.header, a.took)
			}
			w.pass(5 * time.Second)
			w.get(status).snapshot(w)
			w.get(sourcesPath + "/" + source + "/esa")
		}
		if a := w.do("GET", "/readyz"); a.status != http.StatusOK || !strings.Contains(string(a.body), "store") {
			w.Errorf("%d: %s", a.status, a.body)
		}
		if n := strings.Count(w.logs.String(), "was moved, deleted or replaced"); n != 2 { // of the registry, and of the keys in it
			w.Errorf("%d lines in the log", n)
		}
		w.must(os.RemoveAll(folder))
		w.must(os.Rename(folder+"-away", folder))
		w.pass(5 * time.Second)
		w.create("sourceId", `"after"`)
		w.get(sourcesPath + "/before")
		w.get(sourcesPath+"/lost").failure(w, http.StatusNotFound, "NOT_FOUND")
	})
}
