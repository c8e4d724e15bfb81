package wire

import (
	"io"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxEntry bounds what is held of a list of tenants at any time, in bytes: one entry, or one word.
const maxEntry = 1 << 20

// FindTenant reads the list of `GET /tenants` from src to its end, an entry at a time, and gives the
// tenant whose external_org_id is externalOrgID, and whose external_source, if it has one, is
// externalSource. It is nil when the whole list has none. Of several it is the oldest: upstream
// checks that there is one, and does not enforce it (contract 2.10).
//
// The error is src's own, or an [*InvalidError]: the document is cut short or no list of tenants,
// whatever was found in it; or there is no such tenant, but an entry that can't be read and might
// be it.
func FindTenant(src io.Reader, externalSource, externalOrgID string) (*Tenant, error) {
	l := &tenantList{source: externalSource, org: externalOrgID, from: src}
	l.dec.Reset(l, readerOptions...)
	l.search()
	switch {
	case l.fromErr != nil:
		return nil, l.fromErr
	case l.err != nil:
		return nil, inOurWords(l.err)
	case !l.listed:
		return nil, &InvalidError{"it has no list of tenants"}
	case l.found == nil && l.doubtful:
		return nil, &InvalidError{"one of its tenants can't be read"}
	}
	return l.found, nil
}

// tenantList is a list of tenants that is being searched.
type tenantList struct {
	reader
	source, org string

	from    io.Reader
	count   int64 // bytes read of from
	fromErr error // from's own, or that something is too large

	listed   bool
	found    *Tenant
	doubtful bool // an entry could not be read
}

// Read implements io.Reader for the decoder. It ends what the decoder would have to hold as a whole
// and is too large for that.
func (l *tenantList) Read(p []byte) (int, error) {
	if l.count-l.dec.InputOffset() > maxEntry {
		l.fromErr = &InvalidError{"one of its values is too large"}
		return 0, l.fromErr
	}
	n, err := l.from.Read(p)
	l.count += int64(n)
	if err != nil && err != io.EOF {
		l.fromErr = err
	}
	return n, err
}

// search reads the whole list.
func (l *tenantList) search() {
	if l.peek() != jsontext.KindBeginObject {
		l.token()
		return
	}
	for l.token(); l.more(); {
		tenants := string(l.unquote(l.value())) == "tenants"
		if tenants {
			l.listed = l.peek() == jsontext.KindBeginArray
		}
		if !tenants || !l.listed {
			l.skip()
			continue
		}
		for l.token(); l.more(); {
			l.entry(l.value())
		}
	}
	l.end()
}

// entry looks at one entry.
func (l *tenantList) entry(raw jsontext.Value) {
	r := newReader(raw)
	defer r.release()
	if r.peek() != jsontext.KindBeginObject {
		l.doubtful = true
		return
	}
	t := new(Tenant)
	r.object(reflect.ValueOf(t).Elem())
	unreadable := func(field string) bool { return slices.Contains(r.notes.Malformed, field) }
	switch {
	case r.err != nil, unreadable("external_org_id"):
		l.doubtful = true
	case t.ExternalOrgID.Value != l.org, t.ExternalSource.Set && t.ExternalSource.Value != l.source:
	case t.TenantID == "", unreadable("external_source"):
		l.doubtful = true
	case l.found == nil, t.olderThan(l.found):
		l.found = t
	}
}

// olderThan reports whether t is known to have been made before another tenant; one
// of unknown age is the younger.
func (t *Tenant) olderThan(o *Tenant) bool {
	mine, theirs := t.CreatedAt.Time, o.CreatedAt.Time
	return !mine.IsZero() && (theirs.IsZero() || mine.Before(theirs))
}
