package transform_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/internal/word"
	"esagate/transform"
	"esagate/upstream/wire"
)

// FuzzStatus drives any bytes through the whole pipeline. Canaries stand only
// outside the allow-list in what goes in, so that none may come out.
func FuzzStatus(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.in.json")
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
		f.Add(bytes.ReplaceAll(body, []byte(`"status"`), []byte(`"secret":"CANARY","status"`)))
	}
	f.Add([]byte(`{"adapter":{"type":"x","connected":true},"fetched_at":"0001-01-01 00:01","workflows":{"by_kind":{"a\u0000":1,"\ud800":2}}}`))
	tasks := newTasks(f, transform.TaskDefinition{ID: "x", CompleteWhen: `snapshot.syncs.inventory.status == "success"`})
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := wire.DecodeStatus(body, now)
		if err != nil {
			return
		}
		in := connected()
		in.Snapshot, _ = transform.Snapshot(doc)
		before := api.Encode(in.Snapshot)
		status, _ := tasks.Status(in)
		answer := api.Encode(status)
		if !json.Valid(answer) || !utf8.Valid(answer) {
			t.Fatalf("not JSON: %q", answer)
		}
		if !bytes.Equal(before, api.Encode(in.Snapshot)) {
			t.Fatal("the snapshot was changed")
		}
		checkKinds(t, doc, answer)
		// A body that the fuzzer has mutated may hold a canary in a place that is
		// shown by right; planted ones do not.
		planted := plant(body)
		if planted == nil {
			return
		}
		doc, err = wire.DecodeStatus(planted, now)
		if err != nil {
			t.Fatalf("planting made it invalid: %v", err)
		}
		in.Snapshot, _ = transform.Snapshot(doc)
		status, _ = tasks.Status(in)
		if answer = api.Encode(status); bytes.Contains(answer, []byte("CANARY")) {
			t.Fatalf("a canary came out: %s", answer)
		}
	})
}

// checkKinds holds the keys of byKind to be upstream's, byte for byte.
func checkKinds(t *testing.T, doc *wire.Status, answer []byte) {
	var out struct {
		Workflows struct {
			ByKind map[string]int64 `json:"byKind"`
		} `json:"workflows"`
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		t.Fatal(err)
	}
	shown := slices.DeleteFunc(slices.Clone(doc.Workflows.ByKind), func(k wire.Member[int64]) bool {
		text, ok := redact.Text(k.Name)
		return !ok || text != k.Name || len(text) > 128
	})
	if len(out.Workflows.ByKind) != min(len(shown), 200) {
		t.Fatalf("kinds %v, want %v", out.Workflows.ByKind, shown)
	}
	slices.SortFunc(shown, func(a, b wire.Member[int64]) int { return strings.Compare(a.Name, b.Name) })
	for _, k := range shown[:min(len(shown), 200)] {
		if n, ok := out.Workflows.ByKind[k.Name]; !ok || n != k.Value {
			t.Fatalf("kind %q: got %d, want %d", k.Name, n, k.Value)
		}
	}
}

// plant puts a canary under an unknown name into every object of a body but the
// maps whose keys are data (by_kind, and syncs, whose members are blocks), and
// into secret-looking free text. nil: the body holds a canary already.
func plant(body []byte) []byte {
	if bytes.Contains(body, []byte("CANARY")) || bytes.Contains(body, []byte(`\u`)) {
		return nil
	}
	var doc map[string]any
	if json.Unmarshal(body, &doc) != nil {
		return nil
	}
	for name, member := range doc {
		switch strings.ToLower(name) {
		case "syncs":
			if streams, ok := member.(map[string]any); ok {
				for _, s := range streams {
					plantIn(s)
				}
			}
		case "fetched_at":
		default:
			plantIn(member)
		}
	}
	doc["api_key"] = "CANARY"
	planted, _ := json.Marshal(doc)
	return planted
}

func plantIn(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if name != "by_kind" {
				plantIn(member)
			}
		}
		v["credentials"] = map[string]any{"secret": "CANARY"}
		for _, text := range []string{"error", "last_test_error", "message", "description"} {
			if _, ok := v[text].(string); ok {
				v[text] = "failed with password=CANARY"
			}
		}
	case []any:
		for _, item := range v {
			plantIn(item)
		}
	}
}

func FuzzCamelCase(f *testing.F) {
	for _, s := range []string{"custom_targeting", "last_24h_impressions", "__", "a_éb", "ab_\xff", "X_y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := word.Camel(s)
		if strings.Contains(got, "_") || len(got) > 2*len(s)+4 {
			t.Fatalf("%q became %q", s, got)
		}
		if again := word.Camel(got); again != got {
			t.Fatalf("%q became %q, then %q", s, got, again)
		}
		if strings.ReplaceAll(strings.ToUpper(s), "_", "") != strings.ToUpper(got) && utf8.ValidString(s) {
			t.Fatalf("%q lost letters: %q", s, got)
		}
	})
}
