package upstreamtest

import (
	"encoding/json"
	"slices"
)

// A shelf holds so many documents of a tenant at most, and so many bytes.
const (
	shelfHolds = 1000
	shelfBytes = 4 << 20
)

// shelf keeps documents of one kind as JSON, in the order in which they were made.
type shelf struct {
	records []record
	size    int
}

// record is a document that is kept, by its id.
type record struct {
	id  string
	doc json.RawMessage
}

func (s *shelf) index(id string) int {
	return slices.IndexFunc(s.records, func(r record) bool { return r.id == id })
}

// get gives a document; nil without.
func (s *shelf) get(id string) json.RawMessage {
	if i := s.index(id); i >= 0 {
		return s.records[i].doc
	}
	return nil
}

// put adds a document or replaces that of its id, and reports whether there is room for it.
func (s *shelf) put(id string, doc json.RawMessage) bool {
	i := s.index(id)
	size := s.size + len(doc)
	if i >= 0 {
		size -= len(s.records[i].doc)
	}
	if size > shelfBytes || i < 0 && len(s.records) >= shelfHolds {
		return false
	}
	s.size = size
	if i < 0 {
		s.records = append(s.records, record{id, doc})
	} else {
		s.records[i].doc = doc
	}
	return true
}

// drop removes a document and reports whether there was one.
func (s *shelf) drop(id string) bool {
	i := s.index(id)
	if i < 0 {
		return false
	}
	s.size -= len(s.records[i].doc)
	s.records = slices.Delete(s.records, i, i+1)
	return true
}

// all gives the documents that are wanted; nil wants all.
func (s *shelf) all(wanted func(json.RawMessage) bool) (docs []json.RawMessage) {
	for _, r := range s.records {
		if wanted == nil || wanted(r.doc) {
			docs = append(docs, r.doc)
		}
	}
	return docs
}
