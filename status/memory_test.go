package status

import (
	"bytes"
	"log/slog"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/snapshot"
	"esagate/transform"
	"esagate/upstream/wire"
)

// usual gives what a sales agent usually says of a tenant.
func usual(t testing.TB) said {
	t.Helper()
	page, err := os.ReadFile("../transform/testdata/healthy.in.json")
	if err != nil {
		t.Fatal(err)
	}
	answer, err := wire.DecodeStatus(page, time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	status, _ := transform.Snapshot(answer)
	return said{Status: status, Streams: transform.StreamNamesOf(answer.Syncs)}
}

// opener is as much of a Service as opens documents, of so many bytes at most.
func opener(t testing.TB, most int) *Service {
	t.Helper()
	s := &Service{opened: newOpened(slog.New(slog.DiscardHandler), most)}
	tasks, _ := transform.NewTasks(nil)
	s.tasks.Store(tasks)
	t.Cleanup(func() { _ = s.opened.work.Close(t.Context()) })
	return s
}

func aSource(id int64) *registry.Source {
	return &registry.Source{CustomerID: 1, SourceID: "source-" + strconv.FormatInt(id, 10), Connection: &registry.Connection{
		ID: id, TenantID: "tenant_" + strconv.FormatInt(id, 10), Provisioning: registry.StatusActive,
	}}
}

// heap gives the bytes of what is alive.
func heap() int {
	runtime.GC()
	runtime.GC() // frees what a pool held in the first
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestWhatSourcesTake: what is counted of sources is what they take, within a third, and one that nobody reads takes less
// than half of 8 KB beside its place in the registry's directory.
func TestWhatSourcesTake(t *testing.T) {
	const sources = 3000
	s, at := opener(t, 0), time.Now()
	says := usual(t)
	docs := snapshot.New[*document](snapshot.Limits{Bytes: 1 << 40}, snapshot.Options{})
	defer docs.Close()
	fits := func(what string, taken, counted int) {
		t.Helper()
		t.Logf("%s: %d bytes each, counted as %d", what, taken/sources, counted/sources)
		if counted < taken*3/4 || counted > taken*4/3 {
			t.Errorf("%s: %d bytes each, and counted as %d", what, taken/sources, counted/sources)
		}
	}
	before := heap()
	all := make([]*document, sources)
	for i := range all {
		all[i] = newDocument(at.Add(time.Duration(i)), says)
		docs.Put("tenant_"+strconv.Itoa(i), all[i])
	}
	atRest := heap() - before
	fits("at rest", atRest, docs.Usage().Bytes)

	b := newBoard(s, time.Hour, 0)
	inDirectory := make([]*registry.Source, sources)
	for i := range inDirectory {
		inDirectory[i] = aSource(int64(i))
	}
	before = heap()
	for i, d := range all {
		src := inDirectory[i]
		p := b.place(src)
		b.tenants.Add(src.Connection.TenantID, p)
		k := &known{src: src}
		k.state, k.facts = transform.Judge(src, d.unpack().Status, false)
		p.now.Store(k)
	}
	standing := heap() - before
	fits("how they stand", standing, b.usage().Bytes)
	if each := (atRest + standing) / sources; each > 4000 {
		t.Errorf("%d bytes for a source that nobody reads", each)
	}

	before = heap()
	for i, d := range all {
		s.view(d, inDirectory[i], viewState{}).Body().Gzip()
	}
	fits("open", heap()-before, s.opened.usage().Bytes)
	runtime.KeepAlive(inDirectory)
}

// TestOpened: encoded forms stay while they are read, go some seconds after, and are the same when they are made again.
func TestOpened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opener(t, 0)
		src, says := aSource(1), usual(t)
		d := newDocument(time.Now(), says)
		first := s.view(d, src, viewState{})
		want := bytes.Clone(first.Body().Plain)
		for range 5 {
			time.Sleep(openFor - shutTick)
			if s.view(d, src, viewState{}) != first {
				t.Fatal("it was made again while it was read")
			}
		}
		time.Sleep(openFor + 2*shutTick)
		if d.open.Load() != nil || s.opened.usage() != (snapshot.Usage{}) {
			t.Fatalf("it is open: %+v", s.opened.usage())
		}
		again := s.view(d, src, viewState{})
		if again == first || !bytes.Equal(again.Body().Plain, want) {
			t.Errorf("not the same again:\n%s\n%s", want, again.Body().Plain)
		}
		if u := s.opened.usage(); u.Entries != 1 || u.Bytes == 0 || u.Evictions != 0 {
			t.Errorf("%+v", u)
		}
	})
}

// TestOpenedSaysAlways: a document that is opened again says what it said at first, also where it is made here and has no status.
func TestOpenedSaysAlways(t *testing.T) {
	says := usual(t)
	says.Webhooks, says.Subscribed = &api.Webhooks{Last24h: api.WebhookCounts{Delivered: 3, SuccessRate: 1}}, new(bool)
	for name, says := range map[string]said{"usual": says, "no tenant": {Streams: transform.StreamNames{}, Subscribed: new(bool)}, "nothing": {Streams: transform.StreamNames{}}} {
		got := newDocument(time.Now(), says).unpack()
		if is, want := api.Encode(got.Status), api.Encode(says.Status); !bytes.Equal(is, want) {
			t.Errorf("%s:\n%s\n%s", name, is, want)
		}
		got.Status, says.Status = nil, nil
		if signal := got.signal; !reflect.DeepEqual(got.said, says) || signal.ObservedAt.IsZero() == (name == "usual") {
			t.Errorf("%s: %+v, want %+v, and %+v", name, got.said, says, signal)
		}
	}
	if c := (&document{}).unpack(); c.Status != nil {
		t.Error("what says nothing says something")
	}
}

// TestOpenedIsBounded: beyond the bound those are shut that were not read for longest, and are read all the same.
func TestOpenedIsBounded(t *testing.T) {
	says := usual(t)
	one := newDocument(time.Now(), says)
	room := 10 * (openOverhead + one.length*(openTenths+viewTenths)/10)
	s := opener(t, room)
	docs := make([]*document, 40)
	for i := range docs {
		docs[i] = newDocument(time.Now(), says)
	}
	var readers sync.WaitGroup
	for n := range 4 {
		readers.Go(func() {
			for i := range 400 {
				d := docs[(i*7+n)%len(docs)]
				if v := s.view(d, aSource(1), viewState{}); len(v.Body().Plain) == 0 {
					t.Error("nothing")
				}
			}
		})
	}
	readers.Wait()
	u := s.opened.usage()
	if u.Bytes > room || u.Entries > 10 || u.Entries < 9 || u.Evictions == 0 {
		t.Errorf("%+v, with room for %d", u, room)
	}
	open := 0
	for _, d := range docs {
		if d.open.Load() != nil {
			open++
		}
	}
	if open != u.Entries {
		t.Errorf("%d are open, %d are counted", open, u.Entries)
	}
}
