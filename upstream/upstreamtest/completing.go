package upstreamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"esagate/api"
)

// complete writes a document that the agent keeps as it answers it: members in the order of the schema, with
// its default for each that is not there. Members that the gateway leaves out (counts, raw documents) stay,
// and a newer build adds one to each object that no client may pass on.
func complete(raw json.RawMessage, s *api.Schema, b Build) json.RawMessage {
	switch raw = bytes.TrimSpace(raw); {
	case string(raw) == "null", s.Choices != nil, isMap(s):
		return raw
	case s.Type == "array":
		var all []json.RawMessage
		mustRead(raw, &all)
		for i := range all {
			all[i] = complete(all[i], s.Items, b)
		}
		return bytes.TrimSpace(encode(all))
	case s.Type != "object":
		return raw
	}
	var given map[string]json.RawMessage
	mustRead(raw, &given)
	out := []byte{'{'}
	add := func(name string, value []byte) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(fmt.Appendf(out, "%q:", name), value...)
	}
	for name, of := range members(s) {
		value, there := given[name]
		delete(given, name)
		if there && (of.Nullable || string(value) != "null") {
			add(name, complete(value, of, b))
		} else if value := missing(name, of); value != "" {
			add(name, []byte(value))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if s.Upstream.Drops.Has(name) {
			add(name, given[name])
		}
	}
	if b == Newer {
		add(internalNote.name, bytes.TrimSpace(encode(internalNote.value)))
	}
	return append(out, '}')
}

// internalNote is what a newer build adds to each object.
var internalNote = named{"internal_note", Canary + "-note"}

// noted adds it to a document that is written without a schema.
func (q *inquiry) noted(doc json.RawMessage) json.RawMessage {
	if q.owner.Status.Build == Newer {
		return with(doc, internalNote)
	}
	return doc
}

// missing is what the agent writes for a member that is not there; "" for one that always is.
func missing(name string, s *api.Schema) string {
	switch value := preset[name]; {
	case s.Nullable:
		return "null"
	case value != "":
		return value
	case s.Type == "array":
		return "[]"
	case isMap(s):
		return "{}"
	case s.Type == "boolean":
		return "false"
	}
	return ""
}

// mustRead reads JSON of this package's own, or that was checked.
func mustRead(raw json.RawMessage, into any) {
	if err := json.Unmarshal(raw, into); err != nil {
		panic(fmt.Sprintf("upstreamtest: a document of ours can't be read: %v: %.200s", err, raw))
	}
}

// member gives the text of an object's member; "" for one that is not there or no text.
func member(doc json.RawMessage, name string) string {
	var all map[string]json.RawMessage
	var text string
	if json.Unmarshal(doc, &all) == nil {
		_ = json.Unmarshal(all[name], &text) // what is no text is none
	}
	return text
}

// named is a member of an object.
type named struct {
	name  string
	value any // a json.RawMessage, or one that encodes
}

// with gives an object with members set.
func with(doc json.RawMessage, set ...named) json.RawMessage {
	all := map[string]json.RawMessage{}
	mustRead(doc, &all)
	for _, m := range set {
		all[m.name] = encode(m.value)
	}
	return encode(all)
}

// listed writes an answer that is a list under a name, with the count where the agent counts, and more
// members after it.
func listed(name string, docs []json.RawMessage, counted bool, more ...string) []byte {
	out := fmt.Appendf(nil, "{%q:[", name)
	out = append(out, bytes.Join(asBytes(docs), []byte{','})...)
	out = append(out, ']')
	if counted {
		out = fmt.Appendf(out, `,"count":%d`, len(docs))
	}
	for _, m := range more {
		out = append(append(out, ','), m...)
	}
	return append(out, "}\n"...)
}

func asBytes(docs []json.RawMessage) [][]byte {
	all := make([][]byte, len(docs))
	for i, d := range docs {
		all[i] = d
	}
	return all
}
