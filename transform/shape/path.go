package shape

import (
	"strings"

	"esagate/internal/word"
)

// CallersPath gives a path in a body that the sales agent names, perhaps below "body", by the caller's names:
// "adapterConfig.criteria.1.value_id" for "adapter_config.criteria.1.value_id". What is in a map keeps its names. It ends
// before what the shape does not have, and is "" where that is all of it.
func (s *Shape) CallersPath(path string) string {
	path = strings.TrimPrefix(path, "body.")
	var known []string
	for segment := range strings.SplitSeq(path, ".") {
		if s != nil && s.kind == object {
			i, ok := s.upstream[segment]
			if !ok {
				break
			}
			known, s = append(known, s.members[i].name), s.members[i].shape
			continue
		}
		if s != nil && s.kind != list && s.kind != mapping && s.kind != anything {
			break // which of several types a value was taken for
		}
		known = append(known, word.Segment(segment))
		if s != nil && s.kind == list {
			s = s.items
		} else {
			s = nil // in a map anything goes
		}
	}
	return strings.Join(known, ".")
}
