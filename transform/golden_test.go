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
	tasks := newTasks(t, transform.TaskDefinition{
		ID: "payout_details", Name: ptr("Payout details"), Description: ptr("Add a bank account."),
		ConfigurePath: ptr("/billing"), CompleteWhen: `"payout" in source.labels && source.labels["payout"] == "ready"`,
	})
	eachGolden(t, "testdata", 10, func(t *testing.T, name string, body []byte) any {
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
		return map[string]any{"answer": json.RawMessage(api.Encode(status)), "unknown": doc.Notes.Unknown, "malformed": malformed}
	})
}

// answers turns an answer of upstream's to a write, or a page of history, into ours, by the first word
// of a case's name.
var answers = map[string]func(body []byte) ([]byte, error){
	"test": turn(wire.DecodeTestResult, func(r *wire.TestResult) *api.TestResult {
		transform.TestedAt(r, now.Add(123456789))
		return transform.TestResult(r)
	}),
	"refresh": turn(wire.DecodeRefresh, transform.Refresh),
	"history": turn(wire.DecodeSyncHistory, transform.SyncHistory),
}

func turn[From, To any](decode func([]byte) (*From, error), transform func(*From) *To) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		doc, err := decode(body)
		if err != nil {
			return nil, err
		}
		return api.Encode(transform(doc)), nil
	}
}

func TestGoldenAnswers(t *testing.T) {
	eachGolden(t, "testdata/answers", 8, func(t *testing.T, name string, body []byte) any {
		kind, _, _ := strings.Cut(name, "-")
		got, err := answers[kind](body)
		if err != nil {
			t.Fatal(err)
		}
		return json.RawMessage(got)
	})
}

// eachGolden compares what is made of each NAME.in.json in a folder with NAME.out.json, or writes
// that anew.
func eachGolden(t *testing.T, folder string, least int, made func(t *testing.T, name string, body []byte) any) {
	inputs, err := filepath.Glob(folder + "/*.in.json")
	if err != nil || len(inputs) < least {
		t.Fatal("too few cases", inputs, err)
	}
	for _, file := range inputs {
		name := strings.TrimSuffix(filepath.Base(file), ".in.json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(made(t, name, body)); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(got.Bytes(), []byte("CANARY")) {
				t.Errorf("a canary came out: %s", &got)
			}
			out := strings.TrimSuffix(file, ".in.json") + ".out.json"
			if *update {
				if err := os.WriteFile(out, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(out); err != nil || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s differs (run with -update and read the difference): %v\n%s", out, err, &got)
			}
		})
	}
}
