// Package wire declares the sales agent's documents: snake_case names, optional values, nothing
// renamed or judged. Decoding is by allow-list: what no type here names never leaves this package.
//
// To read one more field, add one line to the struct of its block:
//
//	ReviewCount Opt[int64] `json:"review_count"`
//
// and hand it on in package transform. The type says what is well-formed:
//
//   - Opt[string], Opt[bool], Opt[int64], Opt[float64] and [Time] hold one value; a plain string,
//     bool, int64 or float64 does where its zero value is as good as absent;
//   - a struct, or Opt of one, is a block;
//   - a slice is a list, and [Members] an object whose names are data. Both need the tag max.
//
// A value of another type costs only itself: it is absent, and its path is noted (contract 4.1).
// The tags, beside json with the field's name and nothing else:
//
//   - required:"true": without a well-formed value, its block or list entry, or the whole document,
//     does not count; required:"nonempty" demands a string that is not "";
//   - max:"N": entries that a list or an object of data holds; what comes after them is dropped;
//   - keep:"a b": names of an object of data that are kept beyond max;
//   - is:"word": a bool that says whether the value is that word;
//   - word:"kind": a string that is a word of this kind of package word, and else malformed;
//   - text:"true": an int64 that may be written as text, too.
//
// A field named _, with its name in the tag ignored, is known and not read. Fields that no struct
// names are dropped, and noted by path (contract 4.5). Of a repeated name the last value counts.
package wire

import "time"

// Opt is an optional value. Set is false when the field was absent, null or malformed; a malformed
// one is also noted in [Notes].
type Opt[T any] struct {
	Value T
	Set   bool
}

// Time is an instant in UTC with the number of fraction digits it was written with. The zero Time
// is "absent".
type Time struct {
	Time   time.Time
	Digits int
}

// Members is an object whose names are data: in document order, one entry for each name. It is nil
// when there was no object.
type Members[T any] []Member[T]

// Member is one entry of [Members].
type Member[T any] struct {
	Name  string
	Value T
}

// Notes says what in a document that counts was passed over, by path
// ("syncs.inventory.item_count", list entries as "setup_tasks.items[].id", map values as
// "workflows.by_kind.*"). Both lists are bounded and hold each path once. A segment that is not a
// plain snake_case or camelCase word is written "?".
type Notes struct {
	Unknown   []string // fields outside the allow-list
	Malformed []string // known fields with a value of another type
}
