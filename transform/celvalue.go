package transform

import (
	"bytes"
	"encoding/json"
	"strings"
)

// celDocument gives one of our own documents as CEL sees it. Whole numbers are
// integers there, so that activeCount + 1 works, but for the fields that are
// fractions by nature, so that successRate * 100.0 works at 1 as at 0.5.
func celDocument(doc []byte) map[string]any {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil // not reached: we wrote it
	}
	celNumbers(m)
	return m
}

// celNumbers replaces the numbers in a value. Its depth is that of our documents.
func celNumbers(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if n, ok := member.(json.Number); ok {
				v[name] = celNumber(n, name == "successRate" || name == "cpmLimit")
			} else {
				celNumbers(member)
			}
		}
	case []any: // of objects only
		for _, item := range v {
			celNumbers(item)
		}
	}
}

func celNumber(n json.Number, fraction bool) any {
	if !fraction && !strings.ContainsAny(n.String(), ".eE") {
		if i, err := n.Int64(); err == nil {
			return i
		}
	}
	f, _ := n.Float64()
	return f
}
