package upstreamtest

import (
	"fmt"
	"hash/fnv"
)

// idOf makes an id of what tells a thing from others: the same parts give the
// same id.
func idOf(prefix string, parts ...any) string {
	h := fnv.New64a()
	_, _ = fmt.Fprintln(h, parts...)
	return fmt.Sprintf("%s%016x", prefix, h.Sum64())
}
