package wire_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"esagate/upstream/wire"
)

var now = time.Date(2026, 3, 9, 14, 0, 0, 0, time.UTC)

// head is the least that counts, left open for more members.
const head = `{"adapter":{"type":"freewheel","connected":true},"fetched_at":"2026-03-09T13:59:58Z"`

// refused says what is wrong with an error that is to give this reason, "" for none, and to hold
// nothing of the input; "" if nothing is.
func refused(err error, reason, input string) string {
	var invalid *wire.InvalidError
	switch {
	case reason == "" && err == nil:
		return ""
	case !errors.As(err, &invalid):
		return fmt.Sprintf("%v, want an InvalidError", err)
	case reason == "", !strings.Contains(invalid.Reason, reason), strings.Contains(err.Error(), input):
		return fmt.Sprintf("%v, want one about %q and nothing of the input", err, reason)
	}
	return ""
}

func decode(t *testing.T, body string) *wire.Status {
	t.Helper()
	s, err := wire.DecodeStatus([]byte(body), now)
	if err != nil {
		t.Fatalf("%v\n%.200s", err, body)
	}
	return s
}

func TestWhatDoesNotCount(t *testing.T) {
	for name, c := range map[string]struct{ body, reason string }{
		"empty":               {``, "empty"},
		"blank":               {" \n", "empty"},
		"html":                {`<html>secret-word</html>`, "not JSON"},
		"null":                {`null`, "not an object"},
		"array":               {`[{}]`, "not an object"},
		"string":              {`"secret-word"`, "not an object"},
		"empty object":        {`{}`, "adapter"},
		"cut short":           {head, "cut short"},
		"cut in a string":     {head + `,"webhooks":"secret-word`, "cut short"},
		"bad syntax":          {head + `,"webhooks":secret-word}`, "not JSON"},
		"bad escape":          {head + `,"webhooks":"\q"}`, "not JSON"},
		"nul byte":            {head + ",\x00}", "not JSON"},
		"wrong end":           {head + `,"setup_tasks":{"items":[}]}}`, "not JSON"},
		"trailing value":      {head + `}{}`, "follows"},
		"trailing junk":       {head + `} secret-word`, "follows"},
		"no adapter":          {`{"fetched_at":"2026-03-09T13:59:58Z"}`, "adapter"},
		"adapter null":        {`{"adapter":null,"fetched_at":"2026-03-09T13:59:58Z"}`, "adapter"},
		"adapter no object":   {`{"adapter":[],"fetched_at":"2026-03-09T13:59:58Z"}`, "adapter"},
		"adapter type number": {`{"adapter":{"type":1,"connected":true},"fetched_at":"2026-03-09T13:59:58Z"}`, "adapter"},
		"connected a string":  {`{"adapter":{"type":"x","connected":"true"},"fetched_at":"2026-03-09T13:59:58Z"}`, "adapter"},
		"adapter last wins":   {head + `,"adapter":5}`, "adapter"},
		"no fetched_at":       {`{"adapter":{"type":"x","connected":true}}`, "fetched_at"},
		"fetched_at a number": {`{"adapter":{"type":"x","connected":true},"fetched_at":1773064798}`, "fetched_at"},
		"fetched_at a date":   {`{"adapter":{"type":"x","connected":true},"fetched_at":"2026-03-09"}`, "fetched_at"},
		"fetched_at overrun":  {head + `,"fetched_at":"2026-03-09T14:05:00.000001Z"}`, "future"},
		"five minutes ahead":  {head + `,"fetched_at":"2026-03-09T14:05:00Z"}`, ""},
		"year 2099":           {head + `,"fetched_at":"2099-01-01T00:00:00Z"}`, "future"},
		"too deep":            {head + `,"x":` + strings.Repeat("[", 20_000), "not JSON"},
	} {
		_, err := wire.DecodeStatus([]byte(c.body), now)
		if problem := refused(err, c.reason, "secret-word"); problem != "" {
			t.Errorf("%s: %s", name, problem)
		}
	}
}

func TestUnknownFieldsAreNotedByPlainPathOnce(t *testing.T) {
	long := strings.Repeat("a", 65)
	s := decode(t, head+`,
		"experiments": {"deep": [{"x": 1}]},
		"adapter": {"type": "freewheel", "connected": true, "refresh_token": "s3cret"},
		"media_buys": {"active_count": 1},
		"syncs": {"newStream": {"speed": 4}, "sk9f8a7d6c5b4a3e2f1a": {"speed": 4}},
		"setup_tasks": {"blocker_count": 1, "warning_count": 2, "items": [{"id": "a", "owner": 1}, {"id": "b", "owner": 2}]},
		"a9f8a7d6c5b4a3e2f1a": 1, "has space": 1, "dotted.name": 1, "`+long+`": 1, "": 1, "caf\u00e9": 1
	}`)
	want := []string{
		"experiments", "adapter.refresh_token", "syncs.newStream.speed", "syncs.?.speed",
		"setup_tasks.items[].owner", "?",
	}
	if !slices.Equal(s.Notes.Unknown, want) {
		t.Errorf("unknown:\n got %q\nwant %q", s.Notes.Unknown, want)
	}
	if len(s.Notes.Malformed) != 0 {
		t.Errorf("malformed: %q", s.Notes.Malformed)
	}
}

func TestOfARepeatedFieldTheLastWins(t *testing.T) {
	s := decode(t, head+`,
		"packages": {"active_count": 1}, "packages": {"paused_count": 2, "paused_count": 3},
		"creatives": {"active_count": 5}, "creatives": null,
		"syncs": {"inventory": {"status": "success", "item_count": 4}, "inventory": {"status": "failed", "severity": "ok", "severity": 4, "error": "x", "error": null},
		          "reporting": {"status": "success"}, "reporting": 1},
		"workflows": {"by_kind": {"b": 1, "a": 1, "b": 2, "a": "x"}}
	}`)
	if p := s.Packages; p != (wire.Packages{PausedCount: 3}) {
		t.Errorf("packages %+v", p)
	}
	if s.Creatives.ActiveCount != 0 {
		t.Error("creatives: null came last")
	}
	if len(s.Syncs) != 1 || s.Syncs[0].Value.Status.Value != "failed" || s.Syncs[0].Value.ItemCount.Set || s.Syncs[0].Value.Severity.Set || s.Syncs[0].Value.Error.Set {
		t.Errorf("syncs %+v", s.Syncs)
	}
	if !slices.Equal(s.Workflows.ByKind, wire.Members[int64]{{Name: "b", Value: 2}}) {
		t.Errorf("by_kind %+v", s.Workflows.ByKind)
	}
}

func TestEveryListIsBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString(head + `,"syncs":{`)
	for i := range 500 {
		fmt.Fprintf(&b, `"stream_%d":{"odd":1,"odder":1,"status":%d,"severity":%d},`, i, i, i)
	}
	b.WriteString(`"inventory":{"status":"success"}},"setup_tasks":{"items":[`)
	for range 1500 {
		b.WriteString(`{"id":"a"},`)
	}
	b.WriteString(`{"id":"b"}]},"workflows":{"by_kind":{`)
	for i := range 10_500 {
		fmt.Fprintf(&b, `"k%d":1,`, i)
	}
	b.WriteString(`"z":1}}}`)
	s := decode(t, b.String())
	if len(s.Notes.Unknown) != 64 || len(s.Notes.Malformed) != 64 {
		t.Errorf("notes: %d unknown, %d malformed", len(s.Notes.Unknown), len(s.Notes.Malformed))
	}
	if len(s.Syncs) != 59 || s.Syncs[58].Name != "inventory" {
		t.Errorf("%d streams; junk must not push out inventory", len(s.Syncs))
	}
	if len(s.SetupTasks.Items) != 1000 || len(s.Workflows.ByKind) != 10_000 {
		t.Errorf("%d tasks, %d kinds", len(s.SetupTasks.Items), len(s.Workflows.ByKind))
	}
}

func TestIntegers(t *testing.T) {
	for raw, want := range map[string]string{
		"0": "0", "-0": "0", "0.0": "0", "0e999999999999999999999": "0", "7": "7", "-12": "-12", "3.0": "3", "1e3": "1000",
		"1E+2": "100", "1200e-2": "12", "10.50e1": "105", "120.0": "120", "100": "100", "0.05e2": "5", "10203": "10203",
		"9007199254740991": "9007199254740991", "-9007199254740991": "-9007199254740991",
		"9007199254740992": "", "9007199254740993.0": "", "1.5": "", "1e-1": "", "1e16": "", "1e999": "",
		"1e99999999999999999999": "", "1e-99999999999999999999": "", "3.00000000000000000000000001": "",
		"123456789012345678901234567890": "", `"5"`: "", "true": "", "[]": "",
		"0." + strings.Repeat("0", 400) + "1e401": "1",
	} {
		s := decode(t, head+`,"workflows":{"open_count":`+raw+`}}`)
		got := ""
		if n := s.Workflows.OpenCount; n.Set {
			got = fmt.Sprint(n.Value)
		}
		if got != want || (want == "") != (len(s.Notes.Malformed) == 1) {
			t.Errorf("%s: got %q, want %q; malformed %q", raw, got, want, s.Notes.Malformed)
		}
	}
}

func TestStringsAreAlwaysUTF8(t *testing.T) {
	s := decode(t, head+`,"workflows":{"by_kind":{"a\u002eb":1,"x`+"\xff"+`y":2,"\ud800":3,"\u00e9\n":4,"é\\]\u0041`+"\x7f"+`":5}}}`)
	want := wire.Members[int64]{{Name: "a.b", Value: 1}, {Name: "x\ufffdy", Value: 2}, {Name: "\ufffd", Value: 3}, {Name: "é\n", Value: 4}, {Name: "é\\]A\x7f", Value: 5}}
	if !slices.Equal(s.Workflows.ByKind, want) {
		t.Errorf("got %+v, want %+v", s.Workflows.ByKind, want)
	}
}

func TestTheBodyIsNeitherChangedNorKept(t *testing.T) {
	body := []byte(head + `,"setup_tasks":{"items":[{"id":"one_of_ours","name":"a\tb"}]}}`)
	before := string(body)
	s, err := wire.DecodeStatus(body, now)
	if err != nil || string(body) != before {
		t.Fatal("changed", err)
	}
	clear(body)
	if task := s.SetupTasks.Items[0]; task.ID != "one_of_ours" || task.Name.Value != "a\tb" {
		t.Errorf("%+v lives in the body", task)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(head + `}`))
	f.Add([]byte(head + `,"syncs":{"inventory":{"status":"success","issue":{"code":"x"}}},"setup_tasks":{"items":[{"id":"a"}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := wire.DecodeStatus(body, now)
		var invalid *wire.InvalidError
		if (s == nil) != (err != nil) || err != nil && !errors.As(err, &invalid) {
			t.Fatalf("%v, %v", s, err)
		}
		if err == nil && !json.Valid(body) {
			t.Fatal("counted although it is not JSON")
		}
	})
}
