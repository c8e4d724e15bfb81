package upstream

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// InProgress is the status of runs that are not over, as histories answer it.
const InProgress = "in_progress"

// openWords are the words by which the sales agent filters the runs that it answers as in_progress. A call
// takes one (contract 2.12).
var openWords = [...]string{"running", "pending"}

const (
	openCalls = 3  // for each word and page; two are enough unless many runs have ended since the page before
	openIDs   = 64 // runs that began at one instant, as a cursor holds them
)

// fetchHistory reads a page of one history.
type fetchHistory func(HistoryQuery) (*wire.SyncHistory, error)

// openRuns gives a page of the runs in progress, newest first, merged from the history of each word.
func openRuns(fetch fetchHistory, q HistoryQuery) (*wire.SyncHistory, error) {
	at, ok := parseOpenCursor(q.Cursor)
	if !ok {
		return nil, fault.Invalid(fault.Issue{Path: "cursor", Message: "cursor must be the nextCursor of an earlier page of this status."})
	}
	var lists [len(openWords)]openList
	for i, word := range openWords {
		q.Status, q.Cursor = word, at.places[i]
		lists[i] = openList{query: q, calls: openCalls}
	}
	page, seen := new(wire.SyncHistory), map[string]bool{}
	unwanted := func(r *wire.SyncRun) bool {
		// A run that has begun since the page before stands in both histories.
		return !isInProgress(r) || seen[r.SyncID] || at.gave(r)
	}
merge:
	for len(page.Runs) < q.Limit {
		var newest *openList
		for i := range lists {
			l := &lists[i]
			if err := l.fill(fetch, unwanted); err != nil {
				return nil, err
			}
			switch {
			case l.ended():
			case len(l.runs) == 0: // not known within the calls: a shorter page
				break merge
			case newest == nil || newer(&l.runs[0], &newest.runs[0]):
				newest = l
			}
		}
		if newest == nil {
			break
		}
		seen[newest.runs[0].SyncID] = true
		page.Runs = append(page.Runs, newest.runs[0])
		newest.runs = newest.runs[1:]
	}
	next := at.after(page.Runs)
	for i := range lists {
		l := &lists[i]
		next.places[i] = l.place()
		if !l.ended() {
			page.NextCursor.Set = true
		}
	}
	if page.NextCursor.Set {
		page.NextCursor.Value = next.String()
	}
	return page, nil
}

// isInProgress reports whether a run is one, in a raw word or the answers' own, and tells when it began.
func isInProgress(r *wire.SyncRun) bool {
	return (r.Status == InProgress || slices.Contains(openWords[:], r.Status)) && !r.StartedAt.Time.IsZero()
}

// newer is the order of the sales agent's own pages, so that a run which goes over from one history to the other
// keeps its place.
func newer(a, b *wire.SyncRun) bool {
	return cmp.Or(a.StartedAt.Time.Compare(b.StartedAt.Time), strings.Compare(a.SyncID, b.SyncID)) > 0
}

// openList is the history of one word, read page by page.
type openList struct {
	query HistoryQuery   // of the page that was read last, or is to be read first
	runs  []wire.SyncRun // of that page, not given yet
	next  string         // the cursor of the page after it; "": there is none
	read  bool
	calls int // that may still be made
}

// ended reports whether nothing is left.
func (l *openList) ended() bool { return l.read && len(l.runs) == 0 && l.next == "" }

// fill reads on until the first of runs is one to give, nothing is left, or no call may be made.
func (l *openList) fill(fetch fetchHistory, unwanted func(*wire.SyncRun) bool) error {
	for {
		for len(l.runs) > 0 && unwanted(&l.runs[0]) {
			l.runs = l.runs[1:]
		}
		if len(l.runs) > 0 || l.ended() || l.calls == 0 {
			return nil
		}
		if l.read {
			l.query.Cursor = l.next
		}
		page, err := fetch(l.query)
		if err != nil {
			return err
		}
		l.runs, l.next, l.read = page.Runs, page.NextCursor.Value, true
		l.calls--
	}
}

// place gives the cursor of the page to go on at: one of which not all was given, or else the one after it. The
// last page is read again: runs come over from the other history.
func (l *openList) place() string {
	if l.read && len(l.runs) == 0 && l.next != "" {
		return l.next
	}
	return l.query.Cursor
}

// openCursor is where a merged page ends. The sales agent's cursors stand between its own pages; within one, what
// was given is known by when it began, so that runs that end or begin in between neither hide nor repeat others.
type openCursor struct {
	places [len(openWords)]string // of each word the sales agent's cursor of a page; "" for the first
	start  time.Time              // of the oldest run that was given; zero: none was
	ids    []uint32               // sums of the ids of those that began then
}

// gave reports whether a run was given on this page or an earlier one.
func (c *openCursor) gave(r *wire.SyncRun) bool {
	age := r.StartedAt.Time.Compare(c.start)
	return !c.start.IsZero() && (age > 0 || age == 0 && slices.Contains(c.ids, idSum(r.SyncID)))
}

// after gives the cursor after more runs, without its places.
func (c *openCursor) after(runs []wire.SyncRun) openCursor {
	next := openCursor{start: c.start, ids: slices.Clone(c.ids)}
	for i := range runs {
		start := runs[i].StartedAt.Time
		if next.start.IsZero() || start.Before(next.start) {
			next.start, next.ids = start, nil
		}
		if start.Equal(next.start) && len(next.ids) < openIDs {
			next.ids = append(next.ids, idSum(runs[i].SyncID))
		}
	}
	return next
}

func idSum(id string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(id)) // no error: it is a hash
	return h.Sum32()
}

const openPrefix = "open"

// String gives the cursor as callers hand it back: fields between dots.
func (c *openCursor) String() string {
	fields := []string{openPrefix}
	for _, place := range c.places {
		fields = append(fields, base64.RawURLEncoding.EncodeToString([]byte(place)))
	}
	var ids []byte
	for _, id := range c.ids {
		ids = binary.BigEndian.AppendUint32(ids, id)
	}
	fields = append(fields, strconv.FormatInt(c.start.Unix(), 36), strconv.Itoa(c.start.Nanosecond()),
		base64.RawURLEncoding.EncodeToString(ids))
	return strings.Join(fields, ".")
}

// parseOpenCursor reads what String gave; "" is before the first page.
func parseOpenCursor(text string) (c openCursor, ok bool) {
	if text == "" {
		return c, true
	}
	fields := strings.Split(text, ".")
	if len(fields) != len(c.places)+4 || fields[0] != openPrefix {
		return c, false
	}
	for i := range c.places {
		place, err := base64.RawURLEncoding.DecodeString(fields[1+i])
		if err != nil {
			return c, false
		}
		c.places[i] = string(place)
	}
	rest := fields[1+len(c.places):]
	seconds, errSeconds := strconv.ParseInt(rest[0], 36, 64)
	nanos, errNanos := strconv.ParseUint(rest[1], 10, 30)
	ids, errIDs := base64.RawURLEncoding.DecodeString(rest[2])
	if errSeconds != nil || errNanos != nil || errIDs != nil || len(ids)%4 != 0 {
		return c, false
	}
	c.start = time.Unix(seconds, int64(nanos)).UTC()
	for ; len(ids) > 0; ids = ids[4:] {
		c.ids = append(c.ids, binary.BigEndian.Uint32(ids))
	}
	return c, true
}
