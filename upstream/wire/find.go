package wire

import (
	"io"
	"reflect"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// maxEntry bounds what is held of a list of tenants at any time, in bytes: one of its
// entries, or a single word.
const maxEntry = 1 << 20

// FindTenant reads the list of `GET /tenants` from src to its end, an entry at a time,
// and gives the tenant of an external organisation: its external_org_id is the one
// asked for, and so is its external_source, if it says one. It is nil when the whole
// list has none. Of several it is the oldest: upstream checks that there is one, and
// does not enforce it.
//
// The error is src's own, or an [*InvalidError]: of a document that is cut short or no
// list of tenants, whatever was found in it, and of one that has no such tenant but an
// entry that can't be read and might be it.
func FindTenant(src io.Reader, externalSource, externalOrgID string) (*Tenant, error) {
	l := &tenantList{source: externalSource, org: externalOrgID, src: src}
	l.dec = jsontext.NewDecoder(l, readerOptions...)
	err := l.document()
	switch {
	case l.err != nil:
		return nil, l.err
	case err != nil:
		return nil, inOurWords(err)
	case !l.listed:
		return nil, &InvalidError{"it has no list of tenants"}
	case l.found == nil && l.doubtful:
		return nil, &InvalidError{"one of its tenants can't be read"}
	}
	return l.found, nil
}

// tenantList is a list of tenants that is being searched.
type tenantList struct {
	source, org string

	src  io.Reader
	dec  *jsontext.Decoder
	read int64 // bytes of src
	err  error // src's own, or that something is too large

	listed   bool
	found    *Tenant
	doubtful bool // an entry could not be read
}

// Read implements io.Reader for the decoder. It ends what the decoder would have to
// hold as a whole and is too large for that.
func (l *tenantList) Read(p []byte) (int, error) {
	if l.read-l.dec.InputOffset() > maxEntry {
		l.err = &InvalidError{"one of its values is too large"}
		return 0, l.err
	}
	n, err := l.src.Read(p)
	l.read += int64(n)
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}

// document reads the whole of it.
func (l *tenantList) document() error {
	open, err := l.dec.ReadToken()
	if err != nil {
		return err
	}
	if open.Kind() != jsontext.KindBeginObject {
		return nil // not listed
	}
	for l.dec.PeekKind() != jsontext.KindEndObject {
		name, err := l.dec.ReadToken()
		if err != nil {
			return err
		}
		if name.String() != "tenants" {
			err = l.dec.SkipValue()
		} else {
			err = l.tenants()
		}
		if err != nil {
			return err
		}
	}
	if _, err := l.dec.ReadToken(); err != nil {
		return err
	}
	switch _, err := l.dec.ReadToken(); {
	case err == io.EOF:
		return nil
	case l.err != nil:
		return l.err
	}
	return errTrailing
}

// tenants reads the list itself.
func (l *tenantList) tenants() error {
	if l.dec.PeekKind() != jsontext.KindBeginArray {
		l.listed = false
		return l.dec.SkipValue()
	}
	l.listed = true
	if _, err := l.dec.ReadToken(); err != nil {
		return err
	}
	for l.dec.PeekKind() != jsontext.KindEndArray {
		entry, err := l.dec.ReadValue()
		if err != nil {
			return err
		}
		l.entry(entry)
	}
	_, err := l.dec.ReadToken()
	return err
}

// entry judges one entry.
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
