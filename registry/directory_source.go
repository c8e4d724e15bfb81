package registry

import (
	"cmp"
	"context"
	"unsafe"

	"esagate/snapshot"
)

// sourceDoc is a source as it is remembered. One that was deleted is remembered as
// deleted: its tombstone is newer than any state of it, so that no read that began before
// brings it back, and says that it is gone while the store is away.
type sourceDoc struct {
	src     *Source
	deleted bool
}

// Size gives the bytes that a source takes, about.
func (d sourceDoc) Size() int {
	s := d.src
	n := int(unsafe.Sizeof(*s)) + len(s.SourceID) + len(s.Name)
	for k, v := range s.Labels {
		n += 64 + len(k) + len(v)
	}
	if a := s.Agent; a != nil {
		n += int(unsafe.Sizeof(*a)) + len(a.AgentID) + len(a.EndpointURL) + len(a.Description) + len(a.CredentialID)
	}
	c := s.Connection
	if c == nil {
		return n
	}
	n += int(unsafe.Sizeof(*c)) + len(c.TenantID) + len(c.ExternalOrgID) + len(c.MCPURL) + len(c.A2AURL) +
		len(c.ServiceAccountEmail) + len(c.LastError)
	if a := c.AdServer; a != nil {
		n += int(unsafe.Sizeof(*a)) + len(a.ClientID) + len(a.Username) + len(a.Email) + len(a.BaseURL) + len(a.ForecastingBaseURL)
	}
	if i := c.InventorySync; i != nil {
		n += int(unsafe.Sizeof(*i)) + len(i.Error)
	}
	if o := c.Operation; o != nil {
		n += int(unsafe.Sizeof(*o)) + len(o.ID)
	}
	return n
}

// Older implements snapshot.Document.
func (d sourceDoc) Older(than sourceDoc) bool { return d.compare(than) < 0 }

// compare orders states of one sourceId. Of two rows that had it one after the other, the
// later has the larger id.
func (d sourceDoc) compare(o sourceDoc) int {
	a, b := d.src, o.src
	switch {
	case a.ID != b.ID:
		return cmp.Compare(a.ID, b.ID)
	case d.deleted != o.deleted:
		if d.deleted {
			return 1
		}
		return -1
	case a.Connection != nil && b.Connection != nil:
		return cmp.Compare(a.Connection.Version, b.Connection.Version)
	case a.Agent != nil && b.Agent != nil: // a version before a time: clocks step back
		return cmp.Or(cmp.Compare(a.Agent.AuthVersion, b.Agent.AuthVersion), a.UpdatedAt.Compare(b.UpdatedAt))
	}
	return 0
}

// plain is a document of which no two states are known to be older and newer.
type plain[T any] struct{ is T }

// Older implements snapshot.Document.
func (plain[T]) Older(plain[T]) bool { return false }

// Source finds a customer's source of either kind by its sourceId. The store is asked, so
// that a write of another replica is seen at once, and memory only while it is away.
func (d *Directory) Source(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	src, err := source(ctx, d, customer, sourceID, true)
	if err != nil {
		return nil, storeFault(err, noSource)
	}
	return src, nil
}

// ManagedSource finds a customer's managed source by its sourceId.
func (d *Directory) ManagedSource(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	return managed(ctx, d, customer, sourceID, false)
}

// ManagedSourceNow is ManagedSource for a caller that is about to change the source: the
// store is asked as by Source.
func (d *Directory) ManagedSourceNow(ctx context.Context, customer int64, sourceID string) (*Source, error) {
	return managed(ctx, d, customer, sourceID, true)
}

// ManagedSourceByID finds a customer's managed source by its connection's id.
func (d *Directory) ManagedSourceByID(ctx context.Context, customer, esaID int64) (*Source, error) {
	return managedByID(ctx, d, customer, esaID, false)
}

// ManagedSourceByIDNow is ManagedSourceNow by the connection's id.
func (d *Directory) ManagedSourceByIDNow(ctx context.Context, customer, esaID int64) (*Source, error) {
	return managedByID(ctx, d, customer, esaID, true)
}

func managed(ctx context.Context, d *Directory, customer int64, sourceID string, newest bool) (*Source, error) {
	src, err := source(ctx, d, customer, sourceID, newest)
	if err == nil && src.Connection == nil {
		err = ErrNotFound
	}
	if err != nil {
		return nil, storeFault(err, noManaged)
	}
	return src, nil
}

func managedByID(ctx context.Context, d *Directory, customer, esaID int64, newest bool) (*Source, error) {
	key := esaKey(customer, esaID)
	var id plain[string]
	if r, ok := d.ids.Peek(key); ok {
		id = r.Doc
	} else {
		found, err := get(ctx, d, d.ids, key, 0, false, func(ctx context.Context) (id plain[string], err error) {
			began := d.writes.tick()
			src, err := d.store.Customer(customer).ManagedSourceByID(ctx, esaID)
			if err != nil {
				return id, err
			}
			putRead(d, src, began)
			return plain[string]{src.SourceID}, nil
		})
		if err != nil {
			return nil, storeFault(err, noManaged)
		}
		id, newest = found, false
	}
	src, err := managed(ctx, d, customer, id.is, newest)
	if err == nil && src.Connection.ID != esaID { // the sourceId is another's now
		return nil, storeFault(ErrNotFound, noManaged)
	}
	return src, err
}

// source reads a source: from memory where that is fresh, unless the newest is wanted.
func source(ctx context.Context, d *Directory, customer int64, sourceID string, newest bool) (*Source, error) {
	key := sourceKey(customer, sourceID)
	held, known := d.sources.Peek(key)
	if known && (held.Doc.deleted || held.Doc.src.Connection == nil) {
		newest = true // a managed one may have been made elsewhere
	}
	if known && !newest && (held.State == snapshot.Hit || !held.Expired && d.feed.covers(held.Age, d.opts.Fresh)) {
		return held.Doc.src, nil
	}
	doc, err := get(ctx, d, d.sources, key, 0, newest, func(ctx context.Context) (sourceDoc, error) {
		src, err := d.store.Customer(customer).Source(ctx, sourceID)
		switch {
		case err == nil:
			index(d, src)
			return sourceDoc{src: src}, nil
		case known && isNotFound(err): // what was known when the read began is deleted
			return sourceDoc{held.Doc.src, true}, nil
		}
		return sourceDoc{}, err
	})
	switch {
	case err != nil:
		return nil, err
	case doc.deleted:
		return nil, ErrNotFound
	}
	return doc.src, nil
}

// Put remembers a source as the store has just returned it, such as what Adopt returned at
// start-up, and returns the newest state that is known.
func (d *Directory) Put(src *Source) *Source {
	key := sourceKey(src.CustomerID, src.SourceID)
	index(d, src)
	d.sources.Put(key, sourceDoc{src: src})
	if r, ok := d.sources.Peek(key); ok && r.Doc.src.ID == src.ID && !r.Doc.deleted {
		return r.Doc.src
	}
	return src
}

func index(d *Directory, src *Source) {
	if src.Connection != nil {
		d.ids.Put(esaKey(src.CustomerID, src.Connection.ID), plain[string]{src.SourceID})
	}
}

// Newest returns the newest known state of a source; false if it is known to be deleted.
func (d *Directory) Newest(src *Source) (*Source, bool) {
	r, ok := d.sources.Peek(sourceKey(src.CustomerID, src.SourceID))
	if !ok || r.Doc.Older(sourceDoc{src: src}) {
		return src, true
	}
	return r.Doc.src, r.Doc.src.ID == src.ID && !r.Doc.deleted
}
