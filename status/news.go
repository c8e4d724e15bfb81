package status

import (
	"bytes"
	"reflect"

	"esagate/api"
	"esagate/internal/events"
	"esagate/registry"
	"esagate/transform"
)

// tell publishes what is new of a source, if anybody wants to know. was is nil if nothing was known;
// written: and it may have been changed since.
func (b *board) tell(was, next *known, syncs api.Syncs, written bool) {
	if !b.wanted(next.src) {
		return
	}
	if written || was != nil && shows(was.src, next.src) {
		b.publish(next.src, api.EventConnectionChanged, "", connectionEvent(next.src, false))
	}
	b.tellSyncs(was, next, syncs)
	row := api.Encode(next.item())
	if was != nil {
		before := was.item()
		before.FetchedAt = api.TimestampOf(next.documentAt.UTC()) // a newer document that says the same is no news
		if bytes.Equal(api.Encode(before), row) {
			return
		}
	}
	b.publishEncoded(next.src, api.EventStatusChanged, "", row)
}

// tellDeleted publishes that a source is gone, unless it is known to have been made anew.
func (b *board) tellDeleted(src *registry.Source) {
	if is, _ := b.s.deps.Directory.Newest(src); is.ID == src.ID && b.wanted(src) {
		b.publish(src, api.EventConnectionChanged, "", connectionEvent(src, true))
	}
}

// tellSyncs publishes in what the streams of a document differ from those of the one before.
func (b *board) tellSyncs(was, next *known, syncs api.Syncs) {
	if was == nil || was.documentAt.IsZero() || !next.documentAt.After(was.documentAt) ||
		next.receivedAt.Sub(was.receivedAt) > b.lapse {
		return
	}
	for i := range syncs {
		at := was.facts.Syncs.Index(syncs[i].Name)
		if at < 0 {
			continue
		}
		for _, run := range transform.NewRuns(&was.facts.Syncs[at].Value, &syncs[i].Value) {
			b.publish(next.src, run.Event, syncs[i].Name, api.SyncEvent{
				SourceID: next.src.SourceID, ESAID: next.esaID(), CustomerID: next.src.CustomerID, Stream: syncs[i].Name,
				At: run.At, ItemCount: run.ItemCount, Error: run.Error,
			})
		}
	}
}

func (b *board) wanted(src *registry.Source) bool {
	return b.s.deps.Events != nil && b.s.deps.Events.Wanted(src.CustomerID)
}

func (b *board) publish(src *registry.Source, name, stream string, data any) {
	b.publishEncoded(src, name, stream, api.Encode(data))
}

func (b *board) publishEncoded(src *registry.Source, name, stream string, data []byte) {
	key := name
	if stream != "" {
		key += " " + stream
	}
	b.s.deps.Events.Publish(events.Event{Customer: src.CustomerID, SourceID: src.SourceID, Name: name, Key: key, Data: data})
}

// shows reports whether a reader sees a difference between two states of a source.
func shows(was, is *registry.Source) bool {
	return was.Connection.Version != is.Connection.Version &&
		(was.Name != is.Name || !reflect.DeepEqual(transform.Connection(was), transform.Connection(is)))
}

func connectionEvent(src *registry.Source, deleted bool) api.ConnectionEvent {
	doc := transform.Connection(src)
	return api.ConnectionEvent{
		SourceID: src.SourceID, ESAID: doc.ID, CustomerID: src.CustomerID, Name: src.Name,
		ProvisioningStatus: doc.ProvisioningStatus, Deleted: deleted, UpdatedAt: doc.UpdatedAt,
	}
}
