package webhooks_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

// sign gives the headers of a delivery that is sent at a time.
func sign(with, body string, at time.Time) http.Header {
	stamp := fmt.Sprint(at.Unix())
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write([]byte(stamp + "." + body))
	h := http.Header{}
	h.Set("X-AdCP-Timestamp", stamp)
	h.Set("X-AdCP-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return h
}

// send sends a delivery as the sales agent would now.
func (w *world) send(body string) error {
	return w.receive(sign(secret, body, time.Now()), body)
}

func (w *world) receive(header http.Header, body string) error {
	return w.recv.Receive(w.t.Context(), header, func() ([]byte, error) { return []byte(body), nil })
}

// subscribed makes a connection whose news is signed with secret.
func (w *world) subscribed(tenant string) *registry.Source {
	m := w.adopt(tenant)
	w.set(m, registry.Subscription{WebhookID: "wh-0", Secret: secret, URL: ours, SubscribedAt: time.Now().Add(-24 * time.Hour)})
	return m
}

// pear is a delivery as it was signed once, elsewhere, in the first second of 2000.
const pear = `{"event_id":"evt_pear","event_type":"sync_run.completed","tenant_id":"tnt_orchard","occurred_at":"1999-12-31T23:59:30Z","data":{"sync_type":"inventory","status":"completed","started_at":"1999-12-31T23:50:00+00:00","completed_at":"1999-12-31T23:59:30+00:00","item_count":77}}`

func pearHeader() http.Header {
	return http.Header{
		"X-Adcp-Timestamp": {"946684800"},
		"X-Adcp-Signature": {"sha256=a873c55a2f1b403643bbadf2c85daa708fc4ff45839f91fb89d70c64dd1d2a6d"},
	}
}

func TestAKnownSignatureIsBelieved(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		w.must(w.receive(pearHeader(), pear))
		w.same(w.outcomes(), "[recorded]")
		got := w.managed(m)
		at := time.Date(1999, 12, 31, 23, 59, 30, 0, time.UTC)
		s := got.Connection.InventorySync
		if s == nil || s.Status != registry.SyncSuccess || !s.CompletedAt.Equal(at) || !s.ObservedAt.Equal(at) ||
			!s.LastRunAt.Equal(at.Add(-9*time.Minute-30*time.Second)) || s.ItemCount == nil || *s.ItemCount != 77 {
			t.Errorf("inventorySync %+v", s)
		}
		if got.Connection.Epoch != m.Connection.Epoch+1 {
			t.Errorf("the epoch went from %d to %d", m.Connection.Epoch, got.Connection.Epoch)
		}
		if sub := w.subscription(m); !sub.AnnouncedAt.Equal(at) {
			t.Errorf("announced at %v", sub.AnnouncedAt)
		}
		if n := w.news(m); n.Delivered != 1 || n.Failed != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// TestWhatIsNotBelieved: whatever the reason, the answer is the same, and nothing has
// happened.
func TestWhatIsNotBelieved(t *testing.T) {
	header := func(change func(http.Header)) http.Header {
		h := pearHeader()
		change(h)
		return h
	}
	const stamp, mark = "X-Adcp-Timestamp", "X-Adcp-Signature"
	type row struct {
		header  http.Header
		body    string
		outcome string
	}
	signed := func(with, body, outcome string) row {
		return row{sign(with, body, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), body, outcome}
	}
	fresh := func(body, outcome string) row { return signed(secret, body, outcome) }
	table := map[string]row{
		"no headers":                   {http.Header{}, pear, "unsigned"},
		"no timestamp":                 {header(func(h http.Header) { h.Del(stamp) }), pear, "unsigned"},
		"no signature":                 {header(func(h http.Header) { h.Del(mark) }), pear, "unsigned"},
		"two timestamps":               {header(func(h http.Header) { h.Add(stamp, h.Get(stamp)) }), pear, "unsigned"},
		"two signatures":               {header(func(h http.Header) { h.Add(mark, h.Get(mark)) }), pear, "unsigned"},
		"an empty timestamp":           {header(func(h http.Header) { h.Set(stamp, "") }), pear, "unsigned"},
		"a signed timestamp":           {header(func(h http.Header) { h.Set(stamp, "+946684800") }), pear, "unsigned"},
		"a timestamp in words":         {header(func(h http.Header) { h.Set(stamp, "2000-01-01T00:00:00Z") }), pear, "unsigned"},
		"a fraction of a second":       {header(func(h http.Header) { h.Set(stamp, "946684800.5") }), pear, "unsigned"},
		"an endless timestamp":         {header(func(h http.Header) { h.Set(stamp, strings.Repeat("9", 30)) }), pear, "unsigned"},
		"another algorithm":            {header(func(h http.Header) { h.Set(mark, "sha1="+h.Get(mark)[7:]) }), pear, "unsigned"},
		"a bare digest":                {header(func(h http.Header) { h.Set(mark, h.Get(mark)[7:]) }), pear, "unsigned"},
		"a short signature":            {header(func(h http.Header) { h.Set(mark, h.Get(mark)[:69]) }), pear, "unsigned"},
		"no hexadecimal":               {header(func(h http.Header) { h.Set(mark, h.Get(mark)[:69]+"zz") }), pear, "unsigned"},
		"six minutes old":              {sign(secret, pear, time.Date(1999, 12, 31, 23, 54, 0, 0, time.UTC)), pear, "stale"},
		"five minutes and a bit":       {sign(secret, pear, time.Date(2000, 1, 1, 0, 5, 1, 0, time.UTC)), pear, "stale"},
		"another timestamp":            {header(func(h http.Header) { h.Set(stamp, "946684801") }), pear, "mismatch"},
		"another spelling of it":       {header(func(h http.Header) { h.Set(stamp, "0946684800") }), pear, "mismatch"},
		"another body":                 {pearHeader(), pear + "\n", "mismatch"},
		"another secret":               signed("another secret of the right length", pear, "mismatch"),
		"an empty secret":              signed("", pear, "mismatch"),
		"an unknown tenant":            fresh(strings.ReplaceAll(pear, tenant, "tnt_other"), "unknown"),
		"a tenant without secret":      signed("", strings.ReplaceAll(pear, tenant, "tnt_quiet"), "no_secret"),
		"no body":                      fresh("", "unreadable"),
		"no JSON":                      fresh("<p>hello</p>", "unreadable"),
		"no object":                    fresh(`["tnt_orchard"]`, "unreadable"),
		"no tenant":                    fresh(`{"event_id":"e"}`, "unreadable"),
		"an empty tenant":              fresh(`{"tenant_id":""}`, "unreadable"),
		"a tenant of NUL":              fresh(`{"tenant_id":"a\u0000"}`, "unreadable"),
		"a tenant that is a list":      fresh(`{"tenant_id":["tnt_orchard"]}`, "unreadable"),
		"a tenant further down":        fresh(`{"data":{"tenant_id":"tnt_orchard"}}`, "unreadable"),
		"a tenant too long":            fresh(`{"tenant_id":"`+strings.Repeat("t", 256)+`"}`, "unreadable"),
		"a tenant of half a character": fresh(`{"tenant_id":"tnt_orchard\ud83d"}`, "unreadable"),
		"a tenant of no UTF-8":         fresh("{\"tenant_id\":\"tnt_orchard\xff\"}", "unreadable"),
		"a tenant without an end":      fresh(`{"tenant_id":"tnt_orchard`, "unreadable"),
		"a tenant as a value":          fresh(`{"a":"tenant_id","b":"tnt_orchard"}`, "unreadable"),
		"a tenant within a string":     fresh(`{"a":"\"tenant_id\":\"tnt_orchard\""}`, "unreadable"),
		"a tenant after the end":       fresh(`{} "tenant_id":"tnt_orchard"`, "unreadable"),
		"another tenant first":         fresh(`{"tenant_id":"tnt_other",`+pear[1:], "unknown"),
		"not sound, another secret":    {sign("another secret of the right length", pear+"]", time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)), pear + "]", "mismatch"},
	}
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		w.adopt("tnt_quiet")
		before := w.managed(m)
		for name, c := range table {
			err := w.receive(c.header, c.body)
			e := fault.As(err)
			if e == nil || e.Kind != fault.Unauthorized || e.Message != "The delivery's signature is missing or not valid." ||
				e.Cause != nil || e.Field != "" || e.Issues != nil || e.RetryAfter != 0 {
				t.Errorf("%s: %#v", name, err)
			}
			if got := w.outcomes(); got != "["+c.outcome+"]" {
				t.Errorf("%s: %s, want %s", name, got, c.outcome)
			}
			if after := w.managed(m); after.Connection.Version != before.Connection.Version || w.news(m) != (registry.DeliveryCounts{Subscribed: true}) {
				t.Errorf("%s: it had an effect", name)
			}
		}
	})
}

// TestTheSignatureIsJudgedFirst: a body with the right signature counts once however often it comes, as delivered
// if it can be read, and else as failed.
func TestTheSignatureIsJudgedFirst(t *testing.T) {
	with := func(member string) string { return pear[:len(pear)-1] + "," + member + "}" }
	deep := func(n int) string { return with(`"deep":` + strings.Repeat("[", n) + strings.Repeat("]", n)) }
	spaced := strings.NewReplacer(`{`, " {\r\n", `:"`, "\t:\n\"").Replace(pear)
	for name, c := range map[string]struct {
		body, outcome string
	}{
		"half a character":               {with(`"note":"Anzeige \ud83d"`), "recorded"},
		"broken UTF-8":                   {with("\"a\":\"\xff\""), "recorded"},
		"a name twice":                   {with(`"a":{"b":1,"b":1}`), "recorded"},
		"data twice":                     {strings.Replace(pear, `"data"`, `"data":{"test":true},"data"`, 1), "recorded"},
		"the tenant twice":               {with(`"tenant_id":"tnt_orchard"`), "recorded"},
		"many pieces":                    {with(`"many":[0` + strings.Repeat(",0", 30_000) + `]`), "recorded"},
		"spaces":                         {spaced, "recorded"},
		"an escaped name":                {strings.Replace(pear, `"tenant_id"`, `"tenant\u005fid"`, 1), "recorded"},
		"a count with a fraction":        {strings.Replace(pear, "77}", "77.0}", 1), "recorded"},
		"another tenant, too":            {with(`"tenant_id":"tnt_other"`), "invalid"},
		"another id, too":                {with(`"event_id":"evt_plum"`), "invalid"},
		"an id of half a character":      {strings.Replace(pear, "evt_pear", `evt_\ud83d`, 1), "invalid"},
		"NaN":                            {with(`"ratio":NaN`), "invalid"},
		"NaN before the tenant":          {`{"ratio":NaN,` + pear[1:], "invalid"},
		"a byte order mark":              {"\ufeff" + pear, "invalid"},
		"something after the end":        {pear + ` {}`, "invalid"},
		"cut short":                      {pear[:len(pear)-1], "invalid"},
		"nested deeper than can be read": {deep(20_000), "invalid"},
		"a list":                         {"[" + pear[1:len(pear)-1] + "]", "invalid"},
		"the tenant alone":               {`{"tenant_id":"tnt_orchard"}`, "invalid"},
	} {
		run(t, func(t *testing.T, w *world) {
			m := w.subscribed(tenant)
			for range 2 {
				err := w.send(c.body)
				refused := fault.Is(err, fault.BadRequest) || fault.Is(err, fault.Validation)
				if c.outcome == "recorded" && err != nil || c.outcome == "invalid" && !refused {
					t.Errorf("%s: %v", name, err)
				}
			}
			want, second := registry.DeliveryCounts{Subscribed: true, Failed: 1, LastFailureAt: time.Now()}, c.outcome
			if c.outcome == "recorded" {
				want, second = registry.DeliveryCounts{Subscribed: true, Delivered: 1}, "duplicate"
			}
			n, sync := w.news(m), w.managed(m).Connection.InventorySync
			if got := w.outcomes(); got != "["+c.outcome+" "+second+"]" || !n.LastFailureAt.Equal(want.LastFailureAt) {
				t.Errorf("%s: %s, %+v", name, got, n)
			}
			n.LastFailureAt, want.LastFailureAt = time.Time{}, time.Time{}
			if w.managed(m).Connection.Epoch == m.Connection.Epoch {
				t.Errorf("%s: no snapshot expires", name)
			}
			if n != want || (sync != nil) != (c.outcome == "recorded") {
				t.Errorf("%s: counted %+v, inventorySync %+v", name, n, sync)
			}
		})
	}
}

// TestWhatCouldNotBeReadMayComeSound: it is the same delivery, though its body has changed.
func TestWhatCouldNotBeReadMayComeSound(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		m := w.subscribed(tenant)
		for attempt := range 3 {
			err := w.send(fmt.Sprintf(`%s,"delivery_attempt":%d,"ratio":NaN}`, pear[:len(pear)-1], attempt))
			if !fault.Is(err, fault.BadRequest) {
				t.Error(err)
			}
		}
		if n := w.news(m); n.Delivered != 0 || n.Failed != 1 {
			t.Errorf("%+v", n)
		}
		w.must(w.send(pear))
		if n := w.news(m); n.Delivered != 1 || n.Failed != 0 {
			t.Errorf("%+v", n)
		}
	})
}

// FuzzReceive: a body that is signed with another secret has no effect; one with the right signature counts if its
// tenant can be found.
func FuzzReceive(f *testing.F) {
	for _, body := range []string{
		pear, `{"ratio":NaN,` + pear[1:], "\ufeff" + pear + "{", `{"tenant_id":"tnt_orchard","a":"\ud83d","a":[[`, `"tenant_id":"tnt_orchard"`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		run(t, func(t *testing.T, w *world) {
			m := w.subscribed(tenant)
			err := w.receive(sign("another secret of the right length", body, time.Now()), body)
			if n := w.news(m); !fault.Is(err, fault.Unauthorized) || n.Delivered+n.Failed != 0 {
				t.Fatalf("%v, %+v", err, n)
			}
			err = w.send(body)
			counted := registry.DeliveryCounts{Subscribed: true}
			switch {
			case err == nil:
				counted.Delivered = 1
			case !fault.Is(err, fault.Unauthorized):
				counted.Failed = 1
			}
			if n := w.news(m); n.Delivered != counted.Delivered || n.Failed != counted.Failed {
				t.Fatalf("%v, %+v", err, n)
			}
		})
	})
}

func TestFiveMinutesEitherWayAreFresh(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.subscribed(tenant)
		for _, off := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
			if err := w.receive(sign(secret, pear, time.Now().Add(off)), pear); err != nil {
				t.Errorf("%v off: %v", off, err)
			}
		}
	})
}

// TestTheStoreIsAway: the sales agent is asked to send it again, signed or not.
func TestTheStoreIsAway(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.subscribed(tenant)
		w.store.away.Store(true)
		if err := w.receive(pearHeader(), pear); !fault.Is(err, fault.Unavailable) {
			t.Error(err)
		}
		w.same(w.outcomes(), "[unavailable]")
		w.store.away.Store(false)
		time.Sleep(10 * time.Second)
		w.must(w.receive(pearHeader(), pear))
	})
}

func TestASecretThatCannotBeReadIsAsNone(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.subscribed(tenant)
		w.store.sealed.Store(true)
		for range 5 {
			if err := w.receive(pearHeader(), pear); !fault.Is(err, fault.Unauthorized) {
				t.Error(err)
			}
		}
		if got, n := w.outcomes(), strings.Count(w.log.String(), "level=ERROR"); n != 1 || got != "[no_secret no_secret no_secret no_secret no_secret]" {
			t.Errorf("%s, %d lines", got, n)
		}
	})
}

// TestOnlySoManyAtOnce: beyond the bound they wait a little, and are sent away.
func TestOnlySoManyAtOnce(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.subscribed(tenant)
		w.store.slow = 1900 * time.Millisecond
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		for range 40 {
			all.Go(func() {
				began := time.Now()
				err := w.receive(pearHeader(), pear)
				mu.Lock()
				defer mu.Unlock()
				e := fault.As(err)
				switch {
				case err == nil:
					answers["taken"]++
				case e.Kind == fault.Unavailable && e.RetryAfter > 0 && time.Since(began) == time.Second:
					answers["busy"]++
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		synctest.Wait()
		if answers["taken"] != 32 || answers["busy"] != 8 {
			t.Error(answers)
		}
		w.store.slow = 0
		if err := w.receive(pearHeader(), pear); err != nil {
			t.Error("the turns were not given back:", err)
		}
	})
}

// TestAFreeTurnIsTaken: a delivery whose sender has left is not counted as one too many.
func TestAFreeTurnIsTaken(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		w.subscribed(tenant)
		left, leave := context.WithCancel(t.Context())
		leave()
		for range 50 {
			_ = w.recv.Receive(left, pearHeader(), func() ([]byte, error) { return []byte(pear), nil })
		}
		if got := w.outcomes(); strings.Contains(got, "busy") {
			t.Error(got)
		}
	})
}

// TestStrangersAreNotRead: without headers as they should be nothing is read.
func TestStrangersAreNotRead(t *testing.T) {
	run(t, func(t *testing.T, w *world) {
		for name, header := range map[string]http.Header{
			"unsigned": {}, "old": sign(secret, pear, time.Now().Add(-6*time.Minute)),
		} {
			err := w.recv.Receive(t.Context(), header, func() ([]byte, error) {
				t.Errorf("%s: the body is read", name)
				return []byte(pear), nil
			})
			if !fault.Is(err, fault.Unauthorized) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
