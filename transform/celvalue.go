package transform

import (
	"bytes"
	"encoding/json"
)

// celDocument gives one of our own documents as CEL sees it.
func celDocument(doc []byte) any {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return nil // not reached: we wrote it
	}
	return celValue("", value)
}

// celValue gives a value as CEL sees it. Whole numbers are integers there, so that activeCount + 1
// works, but for the fields that are fractions by nature, so that successRate * 100.0 works at 1 as
// at 0.5. Its depth is that of our documents.
func celValue(name string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = celValue(name, member)
		}
	case []any:
		for i, item := range v {
			v[i] = celValue(name, item)
		}
	case json.Number:
		if i, err := v.Int64(); err == nil && name != "successRate" && name != "cpmLimit" {
			return i
		}
		f, _ := v.Float64()
		return f
	}
	return v
}
