package registry

import "github.com/hashicorp/golang-lru/v2/simplelru"

// Bounds of the remembered lists, of each kind: pages, and rows in all of them.
const (
	pageEntries = 1000
	pageRows    = 20_000
)

// listKey names a page; skip and take as the store takes them.
type listKey struct {
	customer   int64
	skip, take int
}

func newListKey(customer int64, skip, take int) listKey {
	return listKey{customer, max(skip, 0), min(max(take, 0), MaxPage)}
}

// book holds pages of lists as they were last read, put right since by what was
// written here. What guards it is its owner's.
type book struct {
	pages *simplelru.LRU[listKey, *page]
	rows  int                 // in all pages
	order func(*Source) int64 // what the list is ordered by
}

// page is one page. Its rows are shared with readers: a change replaces the slice.
type page struct {
	rows  []*Source
	total int    // of the whole list, where its owner counts
	end   bool   // the list ends on this page, with room left
	until moment // when the read or write that made it so had ended
}

func newBook(order func(*Source) int64) *book {
	b := &book{order: order}
	b.pages = newLRU(pageEntries, func(_ listKey, p *page) { b.rows -= len(p.rows) })
	return b
}

func (b *book) get(key listKey) ([]*Source, int, bool) {
	p, ok := b.pages.Get(key)
	if !ok {
		return nil, 0, false
	}
	return p.rows, p.total, true
}

func (b *book) set(key listKey, rows []*Source, total int, until moment) {
	b.pages.Remove(key) // Add would not give its rows back
	b.rows += len(rows)
	b.pages.Add(key, &page{rows, total, len(rows) < key.take, until})
	b.trim()
}

// trim keeps the bound on rows.
func (b *book) trim() {
	for b.rows > pageRows {
		b.pages.RemoveOldest()
	}
}

// each shows the pages of one customer; those for which keep is false go.
func (b *book) each(customer int64, keep func(listKey, *page) bool) {
	for _, key := range b.pages.Keys() {
		if key.customer != customer {
			continue
		}
		p, _ := b.pages.Peek(key)
		before := len(p.rows)
		kept := keep(key, p)
		b.rows += len(p.rows) - before
		if !kept {
			b.pages.Remove(key)
		}
	}
}

// replace puts the new state of a row where the old one stands, unless the page was
// read meanwhile and has a later one.
func (b *book) replace(row *Source, began, until moment, later func(a, b *Source) bool) {
	id := row.ID
	b.each(row.CustomerID, func(_ listKey, p *page) bool {
		for i, old := range p.rows {
			if old.ID != id || p.until.after(began) && later(old, row) {
				continue
			}
			p.rows = append([]*Source(nil), p.rows...)
			p.rows[i], p.until = row, until
		}
		return true
	})
}

// without takes rows out; it reports whether there were any.
func (p *page) without(gone func(*Source) bool) bool {
	var left []*Source
	for _, row := range p.rows {
		if !gone(row) {
			left = append(left, row)
		}
	}
	found := len(left) < len(p.rows)
	if found {
		p.rows = left
	}
	return found
}

// insert puts a new row where it belongs by its order: at the end of a list whose end
// the page shows. A page on which it may stand in another place is forgotten.
func (b *book) insert(row *Source, until moment) {
	id := b.order(row)
	b.each(row.CustomerID, func(key listKey, p *page) bool {
		n := len(p.rows)
		if n == 0 {
			if key.skip > 0 || !p.end {
				return key.take == 0
			}
		} else {
			switch first, last := b.order(p.rows[0]), b.order(p.rows[n-1]); {
			case id < first:
				return true // on a page before this one
			case id <= last:
				return p.holds(b, id)
			case !p.end:
				return n == key.take // with a gap, it could have moved in
			}
		}
		p.rows = append(append([]*Source(nil), p.rows...), row)
		p.end, p.until = len(p.rows) < key.take, until
		return true
	})
	b.trim()
}

func (p *page) holds(b *book, id int64) bool {
	for _, row := range p.rows {
		if b.order(row) == id {
			return true
		}
	}
	return false
}
