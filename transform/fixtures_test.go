package transform_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"esagate/api"
	"esagate/transform"
	"esagate/upstream/wire"
)

// Further documents may lie beside the checkout; they must hold what ours do.
func TestFurtherDocuments(t *testing.T) {
	files, _ := filepath.Glob("../../shared/fixtures/upstream/status-*.json")
	if len(files) == 0 {
		t.Skip("no further documents beside this checkout")
	}
	tasks := newTasks(t)
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := wire.DecodeStatus(body, time.Now())
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		in := connected()
		var malformed []string
		if in.Snapshot, malformed = transform.Snapshot(doc); len(malformed) > 0 {
			t.Errorf("%s: malformed %q", file, malformed)
		}
		status, _ := tasks.Status(in)
		answer := api.Encode(status)
		checkAnswer(t, answer)
		if bytes.Contains(answer, []byte(`"unknown"`)) {
			t.Errorf("%s: something was not understood: %s", file, answer)
		}
	}
}
