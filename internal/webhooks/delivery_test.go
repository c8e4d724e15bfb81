package webhooks_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// body is a delivery's body before it is written.
type body map[string]any

// of gives a finished inventory run's delivery, changed as wanted; nil leaves a member
// out.
func event(id string, changes ...body) string {
	b := body{"event_id": id, "event_type": "sync_run.completed", "tenant_id": tenant, "occurred_at": "1999-12-31T23:58:00Z",
		"data": body{"sync_type": "inventory", "status": "completed", "completed_at": "1999-12-31T23:58:00Z"}}
	for _, c := range changes {
		maps.Copy(b, c)
	}
	maps.DeleteFunc(b, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestWhatEventsDo tells the effects of each sort of event apart: on the snapshot (its
// epoch), on inventorySync, on what shows that the subscription lives, and on the count.
func TestWhatEventsDo(t *testing.T) {
	type effect struct {
		outcome   string
		expires   bool
		announces bool
		sync      string // of inventorySync; empty: none
	}
	const recorded = "recorded"
	table := map[string]struct {
		change body
		want   effect
	}{
		"inventory completed":      {body{}, effect{recorded, true, true, "success"}},
		"inventory failed":         {body{"event_type": "sync_run.failed"}, effect{recorded, true, true, "failed"}},
		"completed, older build":   {body{"event_type": "sync.completed"}, effect{recorded, true, true, "success"}},
		"failed, older build":      {body{"event_type": "sync.failed"}, effect{recorded, true, true, "failed"}},
		"another stream completed": {body{"data": body{"sync_type": "custom_targeting"}}, effect{recorded, true, true, ""}},
		"another stream failed":    {body{"event_type": "sync_run.failed", "data": body{"sync_type": "advertisers"}}, effect{recorded, true, true, ""}},
		"no data":                  {body{"data": nil}, effect{recorded, true, true, ""}},
		"data of another shape":    {body{"data": []string{"inventory"}}, effect{recorded, true, true, ""}},
		"a stream of no text":      {body{"data": body{"sync_type": 7}}, effect{recorded, true, true, ""}},
		"health":                   {body{"event_type": "sync_health.changed"}, effect{recorded, true, false, ""}},
		"config":                   {body{"event_type": "tenant.config_changed"}, effect{recorded, true, false, ""}},
		"workflow":                 {body{"event_type": "workflow.created"}, effect{recorded, true, false, ""}},
		"media buy":                {body{"event_type": "media_buy.status_changed"}, effect{recorded, true, false, ""}},
		"creative":                 {body{"event_type": "creative.created"}, effect{recorded, true, false, ""}},
		"product":                  {body{"event_type": "product.priced"}, effect{recorded, true, false, ""}},
		"signal":                   {body{"event_type": "signal.removed"}, effect{recorded, true, false, ""}},
		"principal":                {body{"event_type": "principal.created"}, effect{recorded, true, false, ""}},
		"feed":                     {body{"event_type": "wholesale_feed.bulk_change"}, effect{recorded, true, false, ""}},
		"unknown":                  {body{"event_type": "sync_run.started"}, effect{"ignored", false, false, ""}},
		"unknown, of another kind": {body{"event_type": "product"}, effect{"ignored", false, false, ""}},
		"a family without event":   {body{"event_type": "product."}, effect{"ignored", false, false, ""}},
		"another case":             {body{"event_type": "Sync_run.completed"}, effect{"ignored", false, false, ""}},
		"test":                     {body{"test": true}, effect{"test", false, false, ""}},
		"test within the data":     {body{"data": body{"sync_type": "inventory", "status": "completed", "test": true}}, effect{"test", false, false, ""}},
		"test in another spelling": {body{"test": "yes"}, effect{"test", false, false, ""}},
		"test of an unknown event": {body{"test": true, "event_type": "pear.ripe"}, effect{"test", false, false, ""}},
		"no test":                  {body{"test": false}, effect{recorded, true, true, "success"}},
	}
	run(t, func(t *testing.T, w *world) {
		for name, c := range table {
			m := w.subscribed("tnt " + name)
			delivery := event("e", body{"tenant_id": m.Connection.TenantID}, c.change)
			was := *w.managed(m).Connection
			if err := w.send(delivery); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			now := *w.managed(m).Connection
			got := effect{outcome: strings.Trim(w.outcomes(), "[]"), expires: now.Epoch != was.Epoch, announces: !w.subscription(m).AnnouncedAt.IsZero()}
			if now.InventorySync != nil {
				got.sync = now.InventorySync.Status
			}
			if got != c.want {
				t.Errorf("%s: %+v\nwant %+v", name, got, c.want)
			}
			if !c.want.expires && now.Version != was.Version {
				t.Errorf("%s: something has changed", name)
			}
			if n := w.news(m); n.Delivered != 1 || n.Failed != 0 {
				t.Errorf("%s: counted %+v", name, n)
			}
			if err := w.send(delivery); err != nil || w.outcomes() != "[duplicate]" {
				t.Errorf("%s, the second time: %v", name, err)
			}
			if again := *w.managed(m).Connection; again.Version != now.Version || w.news(m).Delivered != 1 {
				t.Errorf("%s, the second time: it had an effect", name)
			}
		}
	})
}

// TestWhatCannotBeProcessed: it is named in the answer, counted as failed, and snapshots
// expire, as their counts do; once it comes as it should be, it counts as delivered.
func TestWhatCannotBeProcessed(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		failed := 0
		for name, c := range map[string]struct {
			change body
			want   string
		}{
			"no id":                {body{"event_id": nil}, "event_id"},
			"an empty id":          {body{"event_id": ""}, "event_id"},
			"an id of NUL":         {body{"event_id": "a\x00"}, "event_id"},
			"a long id":            {body{"event_id": strings.Repeat("é", 256)}, "event_id"},
			"an id that is none":   {body{"event_id": 7}, "event_id"},
			"no type":              {body{"event_type": nil}, "event_type"},
			"an empty type":        {body{"event_type": ""}, "event_type"},
			"no time":              {body{"occurred_at": nil}, "occurred_at"},
			"an unreadable time":   {body{"occurred_at": "yesterday"}, "occurred_at"},
			"a time in numbers":    {body{"occurred_at": 946684800}, "occurred_at"},
			"a time to come":       {body{"occurred_at": "2000-01-01T00:05:01Z"}, "occurred_at"},
			"the end of all times": {body{"occurred_at": "9999-12-31T23:59:59Z", "event_type": "pear.ripe"}, "occurred_at"},
			"nothing at all":       {body{"event_id": nil, "event_type": nil, "occurred_at": nil, "data": nil}, "event_id event_type occurred_at"},
		} {
			err := w.send(event(name, c.change))
			e := fault.As(err)
			if e == nil || e.Kind != fault.Validation {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var paths []string
			for _, issue := range e.Issues {
				paths = append(paths, issue.Path)
			}
			if got := strings.Join(paths, " "); got != c.want {
				t.Errorf("%s: %s, want %s", name, got, c.want)
			}
			failed++
			if n := w.news(m); n.Delivered != 0 || n.Failed != int64(failed) || !n.LastFailureAt.Equal(time.Now()) {
				t.Errorf("%s: %+v", name, n)
			}
			if got := w.outcomes(); got != "[invalid]" {
				t.Errorf("%s: %s", name, got)
			}
		}
		c := w.managed(m).Connection
		if c.Epoch != m.Connection.Epoch+int64(failed) || c.InventorySync != nil || !w.subscription(m).AnnouncedAt.IsZero() {
			t.Errorf("%+v", c)
		}
		if n := strings.Count(w.log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d log lines within a minute", n)
		}
		w.must(w.send(event("no time")))
		if n := w.news(m); n.Delivered != 1 || n.Failed != int64(failed-1) {
			t.Errorf("%+v", n)
		}
	})
}

func TestTimesOfAllBuilds(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		for i, c := range []struct{ written, want string }{
			{"1999-12-31T23:40:00", "1999-12-31T23:40:00Z"}, // no zone: UTC
			{"1999-12-31T23:41:00.5+00:00", "1999-12-31T23:41:00.5Z"},
			{"2000-01-01T01:42:00.000001+02:00", "1999-12-31T23:42:00.000001Z"},
			{"2000-01-01T00:05:00Z", "2000-01-01T00:00:00Z"}, // by a clock ahead of ours: now
		} {
			w.must(w.send(event(fmt.Sprint("e", i), body{"occurred_at": c.written})))
			if got := w.managed(m).Connection.InventorySync.ObservedAt.Format(time.RFC3339Nano); got != c.want {
				t.Errorf("%s became %s", c.written, got)
			}
		}
	})
}

// TestNewsOnlyGoesForward: what happened earlier changes nothing, whenever it comes.
func TestNewsOnlyGoesForward(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		late := body{"event_type": "sync_run.failed", "occurred_at": "1999-12-31T23:30:00Z",
			"data": body{"sync_type": "inventory", "error": body{"message": "quota used up"}}}
		for _, e := range []string{event("new"), event("old", late)} {
			w.must(w.send(e))
		}
		s := w.managed(m).Connection.InventorySync
		if s.Status != registry.SyncSuccess || s.Error != "" {
			t.Errorf("%+v", s)
		}
		if at := w.subscription(m).AnnouncedAt; at.Format(time.TimeOnly) != "23:58:00" {
			t.Errorf("announced at %v", at)
		}
		late["occurred_at"] = "1999-12-31T23:59:00Z"
		w.must(w.send(event("newer", late)))
		if s := w.managed(m).Connection.InventorySync; s.Status != registry.SyncFailed || s.Error != "quota used up" || s.ItemCount != nil {
			t.Errorf("%+v", s)
		}
		if n := w.news(m); n.Delivered != 3 {
			t.Errorf("%+v", n)
		}
	})
}

// TestItemCounts: a whole number is a count, however it is written; anything else is none.
func TestItemCounts(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		for i, c := range []struct{ raw, want string }{
			{"12", "12"}, {"12.0", "12"}, {"1.2e1", "12"}, {"-0", "0"},
			{"12.5", ""}, {"-12.0", ""}, {"1e16", ""}, {"9007199254740992", ""}, {`"12"`, ""}, {"null", ""}, {"true", ""}, {"[12]", ""},
		} {
			time.Sleep(time.Second)
			data := body{"sync_type": "inventory", "item_count": json.RawMessage(c.raw)}
			w.must(w.send(event(strconv.Itoa(i), body{"occurred_at": time.Now(), "data": data})))
			got := ""
			if n := w.managed(m).Connection.InventorySync.ItemCount; n != nil {
				got = strconv.FormatInt(*n, 10)
			}
			if got != c.want {
				t.Errorf("%s: %q, want %q", c.raw, got, c.want)
			}
		}
	})
}

// TestTheErrorIsTreated: what a run failed with is upstream's free text.
func TestTheErrorIsTreated(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		e := event("e", body{"event_type": "sync_run.failed", "data": body{"sync_type": "inventory", "item_count": -4,
			"error": body{"message": "password=CANARY-horse-battery-staple-77"}}})
		w.must(w.send(e))
		s := w.managed(m).Connection.InventorySync
		if s.Status != registry.SyncFailed || s.Error == "" || strings.Contains(s.Error, "CANARY") || s.ItemCount != nil {
			t.Errorf("%+v", s)
		}
	})
}

// TestADeletedSourceIsUnknown, also while a delivery for it is looked at.
func TestADeletedSourceIsUnknown(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.activate(w.subscribed(tenant), false)
		w.store.found = func() {
			w.store.found = nil
			if _, err := w.dir.DeleteSource(t.Context(), customer, m.SourceID, func(*registry.Source) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			if err := w.send(event("e")); !fault.Is(err, fault.Unauthorized) || fault.As(err).Cause != nil || w.outcomes() != "[unknown]" {
				t.Error(err)
			}
		}
	})
}
