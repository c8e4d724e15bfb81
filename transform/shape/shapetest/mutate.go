package shapetest

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"
)

// Mutate plants one to four faults in a document: values of another type, null, members that are missing or that nobody
// knows, texts that look like secrets, deep nesting.
func Mutate(t *rapid.T, document []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.UseNumber()
	var root any
	if err := dec.Decode(&root); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	for range rapid.IntRange(1, 4).Draw(t, "faults") {
		root = plant(t, root)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(root); err != nil {
		t.Fatalf("%v", err)
	}
	return b.Bytes()
}

// plant gives a value with a fault somewhere in it.
func plant(t *rapid.T, value any) any {
	deeper := rapid.IntRange(0, 4).Draw(t, "deeper") > 0
	switch value := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(value))
		switch {
		case !deeper && rapid.Bool().Draw(t, "unknown"):
			value[rapid.SampledFrom([]string{"later", "laterMember", Canary, "password=" + Canary}).Draw(t, "name")] = Canary
			return value
		case len(names) == 0:
		case !deeper && rapid.Bool().Draw(t, "missing"):
			delete(value, rapid.SampledFrom(names).Draw(t, "name"))
			return value
		case deeper:
			name := rapid.SampledFrom(names).Draw(t, "name")
			value[name] = plant(t, value[name])
			return value
		}
	case []any:
		if deeper && len(value) > 0 {
			i := rapid.IntRange(0, len(value)-1).Draw(t, "entry")
			value[i] = plant(t, value[i])
			return value
		}
	}
	return planted(t)
}

// planted gives a value that is hardly what is wanted somewhere.
func planted(t *rapid.T) any {
	switch rapid.IntRange(0, 8).Draw(t, "fault") {
	case 0:
		return nil
	case 1:
		return json.Number(rapid.SampledFrom([]string{"0", "-1", "1.5", "9007199254740993", "1e300", "123456789012345678901234567890"}).Draw(t, "number"))
	case 2:
		return rapid.Bool().Draw(t, "truth")
	case 3:
		return []any{}
	case 4:
		return []any{Canary, nil}
	case 5:
		return map[string]any{Canary: map[string]any{"password": Canary}}
	case 6:
		depth := rapid.SampledFrom([]int{10, 63, 64, 65, 500}).Draw(t, "depth")
		return json.RawMessage(strings.Repeat(`{"a":[`, depth/2) + `"` + Canary + `"` + strings.Repeat(`]}`, depth/2))
	case 7:
		return ""
	}
	return rapid.SampledFrom([]string{Canary, "password=" + Canary, "two words " + Canary, strings.Repeat(Canary+" ", 100)}).Draw(t, "text")
}
