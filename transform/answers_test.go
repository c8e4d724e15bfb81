package transform_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"esagate/api"
	"esagate/transform"
	"esagate/upstream/wire"
)

// answers turns an answer of upstream's to a write, or a page of history, into ours, by the first word
// of a case's name.
var answers = map[string]func(body []byte) ([]byte, error){
	"test": turn(wire.DecodeTestResult, func(r *wire.TestResult) *api.TestResult {
		return transform.TestResult(r, now.Add(123456789))
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
	inputs, err := filepath.Glob("testdata/answers/*.in.json")
	if err != nil || len(inputs) < 8 {
		t.Fatal("too few cases", inputs, err)
	}
	for _, file := range inputs {
		name := strings.TrimSuffix(filepath.Base(file), ".in.json")
		t.Run(name, func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			kind, _, _ := strings.Cut(name, "-")
			got, err := answers[kind](body)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(got, []byte("CANARY")) {
				t.Errorf("a canary came out: %s", got)
			}
			var pretty bytes.Buffer
			if err := json.Indent(&pretty, got, "", "  "); err != nil {
				t.Fatalf("%v: %s", err, got)
			}
			pretty.WriteByte('\n')
			compareFile(t, strings.TrimSuffix(file, ".in.json")+".out.json", pretty.Bytes())
		})
	}
}
