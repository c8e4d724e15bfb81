package api

import (
	"bytes"
	"encoding/json"
)

// MarshalJSON writes the streams as one object, by name.
func (s Syncs) MarshalJSON() ([]byte, error) {
	var m members
	for i := range s {
		m.add(s[i].Name, &s[i].Block)
	}
	return m.object()
}

// MarshalJSON writes the counters as one object, by kind.
func (k ByKind) MarshalJSON() ([]byte, error) {
	var m members
	for i := range k {
		m.add(k[i].Kind, k[i].Count)
	}
	return m.object()
}

// MarshalJSON writes the ids as one object, by stream.
func (s SyncRunIDs) MarshalJSON() ([]byte, error) {
	var m members
	for i := range s {
		m.add(s[i].SyncType, s[i].ID)
	}
	return m.object()
}

// members collects the members of an object whose order matters. HTML is left
// for the outer encoder to escape, or not, as it was told.
type members struct {
	buf bytes.Buffer
	err error
}

func (m *members) add(name string, value any) {
	if m.buf.Len() > 0 {
		m.buf.WriteByte(',')
	}
	m.encode(name)
	m.buf.WriteByte(':')
	m.encode(value)
}

func (m *members) encode(v any) {
	enc := json.NewEncoder(&m.buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && m.err == nil {
		m.err = err
	}
}

func (m *members) object() ([]byte, error) {
	return append(append([]byte{'{'}, m.buf.Bytes()...), '}'), m.err
}
