package transform_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream/wire"
)

var update = flag.Bool("update", false, "write the golden files anew")

var now = time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)

func ptr[T any](v T) *T { return &v }

// connected is a source that is active and was tested by us.
func connected() transform.StatusInput {
	return transform.StatusInput{
		Source: &registry.Source{SourceID: "harbor-gam", Name: "Harbor Weekly", Labels: map[string]string{"payout": "ready"}, Connection: &registry.Connection{
			ID: 71, CustomerID: 33, Provisioning: registry.StatusActive, TenantID: "tnt_harbor",
			AdServer:        &registry.AdServer{Type: "google_ad_manager", NetworkCode: "90210774"},
			AdServerSavedAt: now.Add(-time.Hour), LastTestedAt: now.Add(-time.Minute), LastTestPassed: true,
		}},
		Subscribed: ptr(true),
		Webhooks:   api.Webhooks{Last24h: api.WebhookCounts{Delivered: 12, Failed: 3, SuccessRate: 0.8}},
		Now:        now,
	}
}

func newTasks(t testing.TB, defs ...transform.TaskDefinition) *transform.Tasks {
	t.Helper()
	tasks, faults := transform.NewTasks(defs)
	if faults != nil {
		t.Fatalf("faults: %+v", faults)
	}
	return tasks
}

// snapshotOf decodes a body that must count.
func snapshotOf(t testing.TB, body []byte, at time.Time) *api.Status {
	t.Helper()
	doc, err := wire.DecodeStatus(body, at)
	if err != nil {
		t.Fatal(err)
	}
	s, _ := transform.Snapshot(doc)
	return s
}

// golden are the cases of testdata whose input differs from connected().
var golden = map[string]func(*transform.StatusInput){
	"older-build": func(in *transform.StatusInput) {
		in.Source.Connection.AdServer = &registry.AdServer{Type: "freewheel"}
		in.Source.Connection.LastTestedAt, in.Source.Connection.LastTestPassed = time.Time{}, false
		in.Subscribed = nil
	},
	"never-run": func(in *transform.StatusInput) {
		in.Source.Connection.AdServer, in.Source.Connection.LastTestPassed = nil, false
		in.Webhooks = api.Webhooks{}
		in.Subscribed = ptr(false)
	},
	"sparse": func(in *transform.StatusInput) { in.Stale = true },
}

func TestGolden(t *testing.T) {
	inputs, err := filepath.Glob("testdata/*.in.json")
	if err != nil || len(inputs) < 10 {
		t.Fatal("too few cases", inputs, err)
	}
	tasks := newTasks(t, transform.TaskDefinition{
		ID: "payout_details", Name: ptr("Payout details"), Description: ptr("Add a bank account."),
		ConfigurePath: ptr("/billing"), CompleteWhen: `"payout" in source.labels && source.labels["payout"] == "ready"`,
	})
	for _, file := range inputs {
		name := strings.TrimSuffix(filepath.Base(file), ".in.json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := connected()
			if change := golden[name]; change != nil {
				change(&in)
			}
			doc, err := wire.DecodeStatus(body, now)
			if err != nil {
				t.Fatal(err)
			}
			var malformed []string
			in.Snapshot, malformed = transform.Snapshot(doc)
			status, failed := tasks.Status(in)
			if len(failed) > 0 {
				t.Errorf("complete_when failed: %q", failed)
			}
			got := api.Encode(status)
			checkAnswer(t, got)
			for _, path := range append(malformed, doc.Notes.Unknown...) {
				if strings.Contains(path, "CANARY") {
					t.Errorf("a note names %q", path)
				}
			}
			compareGolden(t, strings.TrimSuffix(file, ".in.json")+".out.json", got, doc.Notes.Unknown, malformed)
		})
	}
}

// compareGolden compares the answer, and the notes beside it, with a golden file.
func compareGolden(t *testing.T, file string, answer []byte, unknown, malformed []string) {
	t.Helper()
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(map[string]any{"answer": json.RawMessage(answer), "unknown": unknown, "malformed": malformed}); err != nil {
		t.Fatal(err)
	}
	compareFile(t, file, got.Bytes())
}

// compareFile compares what came out with a golden file, or writes that anew.
func compareFile(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (run with -update and read the difference):\n%s", file, got)
	}
}

// checkAnswer holds an answer to what every answer must be.
func checkAnswer(t *testing.T, answer []byte) {
	t.Helper()
	if !json.Valid(answer) {
		t.Fatalf("not JSON: %s", answer)
	}
	if bytes.Contains(answer, []byte("CANARY")) {
		t.Errorf("a canary came out: %s", answer)
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(answer, &top); err != nil {
		t.Fatal(err)
	}
	for _, block := range []string{"operational", "adapter", "syncs", "workflows", "packages", "creatives", "webhooks", "fetchedAt", "setupTasks"} {
		if raw := top[block]; len(raw) == 0 || string(raw) == "null" {
			t.Errorf("%s is missing", block)
		}
		delete(top, block)
	}
	delete(top, "products")
	delete(top, "inventoryProfiles")
	if len(top) > 0 {
		t.Errorf("not in the contract: %v", top)
	}
}
