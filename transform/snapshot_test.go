package transform_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"esagate/api"
	"esagate/internal/word"
	"esagate/transform"
	"esagate/upstream/wire"
)

// judged gives the snapshot of a document that counts, with more members, and what was degraded.
func judged(t testing.TB, members string) (*api.Status, []string) {
	t.Helper()
	doc, err := wire.DecodeStatus([]byte(
		`{"adapter":{"type":"google_ad_manager","connected":true},"fetched_at":"2026-03-09T13:59:00Z"`+members+`}`), now)
	if err != nil {
		t.Fatal(err)
	}
	return transform.Snapshot(doc)
}

func names(s *api.Status) string {
	var all []string
	for _, stream := range s.Syncs {
		all = append(all, stream.Name)
	}
	return strings.Join(all, " ")
}

func TestCamelCase(t *testing.T) {
	for in, want := range map[string]string{
		"last_24h_impressions": "last24hImpressions", "custom_targeting": "customTargeting", "inventory": "inventory",
		"customTargeting": "customTargeting", "a__b_": "aB", "": "", "x_éa": "xÉa", "item_count_2": "itemCount2",
	} {
		if got := word.Camel(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestStreamNames(t *testing.T) {
	const s, token = `{"status":"success"}`, "a1b2c3d4e5f6a7b8c9d0e1f2a3"
	long := strings.Repeat("a", 65)
	got, malformed := judged(t, `,"syncs":{"zeta":`+s+`,"reporting":`+s+`,"advertisers":`+s+`,"new_stream":`+s+`,"Straße":`+s+
		`,"a-b":`+s+`,"a.b":`+s+`,"1st":`+s+`,"_x":`+s+`,"__":`+s+`,"`+token+`":`+s+`,"`+long+`":`+s+`,"":`+s+`}`)
	if want := "inventory customTargeting advertisers 1st X a-b newStream reporting zeta"; names(got) != want {
		t.Errorf("got %s, want %s", names(got), want)
	}
	if !slices.Equal(malformed, []string{"syncs.?"}) {
		t.Errorf("malformed %q", malformed)
	}
}

func TestSnakeCaseWinsWhateverTheOrder(t *testing.T) {
	const snake, camel = `"custom_targeting":{"status":"success","item_count":1}`, `"customTargeting":{"status":"failed","item_count":2}`
	for _, members := range []string{snake + "," + camel, camel + "," + snake} {
		got, _ := judged(t, `,"syncs":{`+members+`}`)
		if b := got.Syncs[1].Value; b.Status != "success" || *b.ItemCount != 1 || len(got.Syncs) != 3 {
			t.Errorf("%s: %+v", members, b)
		}
	}
	got, _ := judged(t, `,"syncs":{`+camel+`}`)
	if b := got.Syncs[1].Value; b.Status != "failed" {
		t.Errorf("the camelCase spelling alone: %+v", b)
	}
}

// The streams that every document has are not given here: they come on top.
func TestAtMost64Streams(t *testing.T) {
	var b strings.Builder
	for i := range 100 {
		fmt.Fprintf(&b, `"extra_%d":{},`, i)
	}
	got, malformed := judged(t, `,"syncs":{`+b.String()+`"reporting":{},"signal_coverage":{},"pricing_availability":{}}`)
	if len(got.Syncs) != 64 || !strings.Contains(names(got), "reporting") || !slices.Contains(malformed, "syncs") {
		t.Errorf("%d streams; malformed %q", len(got.Syncs), malformed)
	}
}

func TestSeverity(t *testing.T) {
	for block, want := range map[string]string{
		`{"status":"failed"}`: "failed critical", `{"status":"never_run"}`: "never_run warning", `{"status":"success"}`: "success ok",
		`{"status":"running"}`: "running ok", `{"status":"queued"}`: "queued ok", `{}`: "never_run warning", `{"status":5}`: "never_run warning",
		`{"last_run_at":"2026-03-01T09:00:00Z"}`: "unknown ok", `{"status":"not a word"}`: "unknown ok",
		`{"status":"failed","severity":"ok"}`: "failed ok", `{"status":"failed","severity":null}`: "failed critical",
		`{"status":"failed","severity":4}`: "failed critical", `{"status":"success","severity":"dire"}`: "success warning",
		`null`: "never_run warning", `"x"`: "never_run warning",
	} {
		got, _ := judged(t, `,"syncs":{"inventory":`+block+`}`)
		if b := got.Syncs[0].Value; b.Status+" "+b.Severity != want {
			t.Errorf("%s: got %s %s, want %s", block, b.Status, b.Severity, want)
		}
	}
}

func TestFreeText(t *testing.T) {
	for error, want := range map[string]string{
		`"Quota exceeded\nat line 3"`: "Quota exceeded", `"password=abc"`: "The ad server refused the saved credentials.",
		`"` + strings.Repeat("é", 300) + `"`: strings.Repeat("é", 200), `null`: "-", `""`: "-",
	} {
		got, _ := judged(t, `,"syncs":{"inventory":{"status":"failed","error":`+error+`,"issue":{"code":"c","category":"auth"}}}`)
		text := "-"
		if e := got.Syncs[0].Value.Error; e != nil {
			text = *e
		}
		if text != want {
			t.Errorf("%s: got %q, want %q", error, text, want)
		}
	}
}

func TestConfigurePaths(t *testing.T) {
	for path, want := range map[string]bool{
		"/": true, "/settings#ad-server": true, "/a?tab=b": true, "/tenant/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x": true, "/caf\u00e9": false, "/caf%C3%A9": true, "/a/../b": false, "/a/%2e%2E/b": false, "/./a": false, "/a%00": false, "/a%5cb": false, "/a%252e": false,
		"/a b": false, `/a\"onclick`: false, "/a'b": false, "/a<b>": false, "/go?to=https%3A%2F%2Fevil.example": false, "/sk_live_4eC39HqLyjWDarjtT1zdp7dc": false, "/a%zz": false,
		"/tenant/tenant_9f27c4d1a0b3/settings?tab=ad_server#users": true,
		"": false, "settings": false, "//evil.example": false, `/\\evil.example`: false, `/\t/evil.example`: false,
		"https://evil.example": false, "/go?to=https://evil.example": false, "/go?token=hush": false, "/go?x=0123456789abcdef01234567": false, "/go?page=2&sort=name": true, "/u:secret@host": false, "/-----BEGIN KEY": false,
		`/a\u0007`: false, `/a\u0085`: false, "/" + strings.Repeat("a", 2047): true, "/" + strings.Repeat("a", 2048): false,
	} {
		got, malformed := judged(t, `,"setup_tasks":{"items":[{"id":"x","configure_path":"`+path+`"}]}`)
		if (got.SetupTasks.Items[0].ConfigurePath != nil) != want || (len(malformed) == 0) != want {
			t.Errorf("%.60s: %v, malformed %q", path, got.SetupTasks.Items[0].ConfigurePath, malformed)
		}
	}
}

func TestTaskWording(t *testing.T) {
	got, malformed := judged(t, `,"setup_tasks":{"items":[
		{"id":"a","name":"`+strings.Repeat("é", 300)+`","description":"`+strings.Repeat("ü", 3000)+`"},
		{"id":"b","name":"Two\n\u26a0\ufe0f lines\u200b","description":"One.\n\u202eTwo."},
		{"id":"c","name":"key=abcdef","description":"Bearer abcdefgh"},
		{"id":"d","severity":"urgent","scope":"tenant"},
		{"id":"not a word"}, {"id":"e"}]}`)
	if items := got.SetupTasks.Items; len(items) != 6 || items[4].ID != "unnamed_5" || items[5].ID != "e" ||
		items[0].Name != strings.Repeat("é", 200) || items[0].Description != strings.Repeat("ü", 2000) ||
		items[1].Name != "Two\n\u26a0\ufe0f lines" || items[1].Description != "One.\nTwo." ||
		items[2].Name != "Setup task" || strings.Contains(items[2].Description, "Bearer") ||
		items[3].Severity != "warning" || items[3].Scope != "publisher" || items[5].Name != "e" {
		t.Errorf("%+v", items)
	}
	if want := []string{"setup_tasks.items[].severity", "setup_tasks.items[].scope", "setup_tasks.items[].id"}; !slices.Equal(malformed, want) {
		t.Errorf("malformed %q", malformed)
	}
}

func TestSnapshotLeavesTheDecodersNotesAlone(t *testing.T) {
	doc := &wire.Status{Notes: wire.Notes{Malformed: append(make([]string, 0, 8), "packages")}}
	_, first := transform.Snapshot(doc) // an adapter type of ""
	doc.Adapter.Type, doc.Syncs = "mock", wire.Members[wire.Stream]{{Name: "no word"}}
	_, second := transform.Snapshot(doc)
	if !slices.Equal(first, []string{"packages", "adapter.type"}) || !slices.Equal(second, []string{"packages", "syncs.?"}) {
		t.Errorf("%q, %q", first, second)
	}
}
