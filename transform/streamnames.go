package transform

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"esagate/internal/word"
	"esagate/upstream/wire"
)

// StreamNames are upstream's own names of sync streams, by the name that each has here: camelCase does
// not always give a name back (audience_3p is audience3p). Where several come out alike, the one whose
// block is shown and whose history is read comes first.
type StreamNames map[string][]string

// StreamNamesOf gives the names in an object whose members are streams.
func StreamNamesOf[T any](streams wire.Members[T]) StreamNames {
	names := make(StreamNames, len(streams))
	for i := range streams {
		own := streams[i].Name
		if name, ok := streamName(own); ok {
			names[name] = append(names[name], own)
		}
	}
	for name, own := range names {
		usual := SyncTypeToUpstream(name)
		slices.SortFunc(own, func(a, b string) int {
			return cmp.Or(unlike(a, usual)-unlike(b, usual), strings.Compare(a, b))
		})
	}
	return names
}

// unlike orders upstream's names of one stream: the usual one, those without capitals, the others.
func unlike(name, usual string) int {
	switch {
	case name == usual:
		return 0
	case !strings.ContainsFunc(name, unicode.IsUpper):
		return 1
	}
	return 2
}

// Upstream gives the name by which upstream is asked for a stream that is given in either spelling: its
// own where it is known, else by [SyncTypeToUpstream]. It gives "" for what can't be the name of a stream.
func (n StreamNames) Upstream(name string) string {
	shown := word.Camel(name)
	switch own := n[shown]; {
	case len(own) == 0:
		return SyncTypeToUpstream(name)
	case name != shown && slices.Contains(own, name): // one that another hides
		return name
	default:
		return own[0]
	}
}
