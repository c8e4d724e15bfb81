package transform_test

import (
	"os"
	"path/filepath"
	"testing"

	"esagate/api"
	"esagate/transform"
	"esagate/upstream/wire"
)

// TestSnapshotsAreReadAgain: what is kept of a document for the next process is the whole of it.
func TestSnapshotsAreReadAgain(t *testing.T) {
	files, err := filepath.Glob("testdata/*.in.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		given, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := wire.DecodeStatus(given, now)
		if err != nil {
			continue // of another test
		}
		doc, _ := transform.Snapshot(answer)
		encoded, again := api.Encode(doc), new(api.Status)
		if err := api.Decode(encoded, again); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if got := api.Encode(again); string(got) != string(encoded) {
			t.Errorf("%s:\n got %s\nwant %s", file, got, encoded)
		}
	}
	for _, bad := range []string{`{"format":1}`, `{"syncs":[]}`, `{"fetchedAt":"yesterday"}`, `{"fetchedAt":7}`, `{"workflows":{"byKind":{"a":"b"}}}`, `{`, ``, `{"syncs":{"a"`} {
		if err := api.Decode([]byte(bad), new(api.Status)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}
