package transform_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"esagate/api"
	"esagate/transform"
	"esagate/upstream/wire"
)

// healthy is the document of a healthy source: six streams, eight tasks. The
// sales agent sends it without white space.
func healthy(b *testing.B) (indented, compact []byte) {
	b.Helper()
	indented, err := os.ReadFile("testdata/healthy.in.json")
	if err != nil {
		b.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, indented); err != nil {
		b.Fatal(err)
	}
	return indented, out.Bytes()
}

// BenchmarkStatus compares the whole way of one document, bytes in to bytes out
// (decoded by allow-list, judged and redacted, tasks merged, state derived), with
// the least that any gateway would do: decode to a map, rename the keys, encode.
func BenchmarkStatus(b *testing.B) {
	indented, compact := healthy(b)
	for _, c := range []struct {
		name string
		body []byte
	}{{"indented", indented}, {"compact", compact}} {
		b.Run(c.name+"/pipeline", func(b *testing.B) { benchPipeline(b, c.body) })
		b.Run(c.name+"/map-rename-encode", func(b *testing.B) { benchMap(b, c.body) })
	}
}

func benchPipeline(b *testing.B, body []byte) {
	tasks, in := newTasks(b), connected()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := wire.DecodeStatus(body, now)
		if err != nil {
			b.Fatal(err)
		}
		in.Snapshot, _ = transform.Snapshot(doc)
		status, _ := tasks.Status(in)
		_ = api.Encode(status)
	}
}

func benchMap(b *testing.B, body []byte) {
	var out bytes.Buffer
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var doc map[string]any
		if err := json.Unmarshal(body, &doc); err != nil {
			b.Fatal(err)
		}
		out.Reset()
		if err := json.NewEncoder(&out).Encode(renamed(doc)); err != nil {
			b.Fatal(err)
		}
	}
}

// renamed is the comparison's recursive rename.
func renamed(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, member := range v {
			out[camel(name)] = renamed(member)
		}
		return out
	case []any:
		for i := range v {
			v[i] = renamed(v[i])
		}
	}
	return v
}

func camel(name string) string {
	parts := strings.Split(name, "_")
	for i, part := range parts[1:] {
		if part != "" {
			parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
		}
	}
	return strings.Join(parts, "")
}

// BenchmarkStages shows where the pipeline's time goes.
func BenchmarkStages(b *testing.B) {
	_, body := healthy(b)
	tasks, in := newTasks(b), connected()
	doc, err := wire.DecodeStatus(body, now)
	if err != nil {
		b.Fatal(err)
	}
	in.Snapshot, _ = transform.Snapshot(doc)
	status, _ := tasks.Status(in)
	for _, stage := range []struct {
		name string
		run  func()
	}{
		{"decode", func() { _, _ = wire.DecodeStatus(body, now) }},
		{"snapshot", func() { _, _ = transform.Snapshot(doc) }},
		{"tasks", func() { _, _ = tasks.Status(in) }},
		{"encode", func() { _ = api.Encode(status) }},
	} {
		b.Run(stage.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				stage.run()
			}
		})
	}
}
