package status

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/snapshot"
)

// memoryStore is a Store of snapshots alone, that can fail or hang.
type memoryStore struct {
	registry.Store
	mu     sync.Mutex
	rows   map[string]registry.Snapshot
	writes map[string]int
	err    error
	hangs  bool
	takes  time.Duration // a read
	now    int           // reads under way
	most   int           // of them at once
}

func (k *memoryStore) Ping(context.Context) error { return nil }

func (k *memoryStore) KeepSnapshots(ctx context.Context, batch []registry.Snapshot, _ time.Time) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if k.err != nil || len(batch) > registry.MaxPage {
		return errors.Join(k.err, errors.New("not kept"))
	}
	for _, n := range batch {
		k.rows[n.TenantID] = n
		k.writes[n.TenantID]++
	}
	return nil
}

func (k *memoryStore) Snapshot(_ context.Context, tenantID string) (*registry.Snapshot, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now++
	k.most = max(k.most, k.now)
	k.mu.Unlock()
	time.Sleep(k.takes)
	k.mu.Lock()
	k.now--
	n, ok := k.rows[tenantID]
	if !ok {
		return nil, registry.ErrNotFound
	}
	return &n, nil
}

func (k *memoryStore) ForgetSnapshot(_ context.Context, tenantID string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.rows, tenantID)
	return k.err
}

func (k *memoryStore) is(err error, hangs bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.err, k.hangs = err, hangs
}

// kept gives how many rows there are.
func (k *memoryStore) kept() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.rows)
}

// inTier runs a test on a tier of so many bytes at most.
func inTier(t *testing.T, most int, body func(t *testing.T, k *memoryStore, s *tier, logs *lockedBuffer)) {
	synctest.Test(t, func(t *testing.T) {
		k := &memoryStore{rows: map[string]registry.Snapshot{}, writes: map[string]int{}}
		d := registry.NewDirectory(k, registry.DirectoryOptions{})
		defer d.Close()
		var logs lockedBuffer
		s := newTier(d, slog.New(slog.NewTextHandler(&logs, nil)), time.Hour, shares{saving: most})
		body(t, k, s, &logs)
		s.close(t.Context())
	})
}

// waiting gives how many tenants wait to be written.
func waiting(s *tier) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, of := range s.tenants {
		if of.newest.Doc != nil {
			n++
		}
	}
	return n
}

// lockedBuffer is a log that can be read while it is written.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func copyNow(text string) snapshot.Copy[*document] {
	return snapshot.Copy[*document]{
		Doc:        newDocument(time.Now(), said{Status: &api.Status{Adapter: api.Adapter{Type: text}}, Subscribed: new(bool)}),
		ReceivedAt: time.Now(), Epoch: 3,
	}
}

// TestTierWritesBehind: a tenant is written soon, then once a minute, with its newest document.
func TestTierWritesBehind(t *testing.T) {
	inTier(t, 0, func(t *testing.T, k *memoryStore, s *tier, _ *lockedBuffer) {
		for second := range 600 {
			for i := range 20 {
				s.Store(fmt.Sprint("t", i), copyNow(fmt.Sprint(second)))
			}
			time.Sleep(time.Second)
			if second > 1 && k.kept() != 20 {
				t.Errorf("%d of 20 tenants are kept after %d s", k.kept(), second+1)
			}
		}
		k.mu.Lock()
		writes := maps.Clone(k.writes)
		k.mu.Unlock()
		for tenant, n := range writes {
			if n < 9 || n > 10 {
				t.Errorf("%s was written %d times in ten minutes", tenant, n)
			}
		}
		time.Sleep(time.Minute + time.Second)
		got, ok := s.Load(t.Context(), "t7")
		if k.kept() != 20 || !ok || got.Doc.unpack().Status.Adapter.Type != "599" || got.Epoch != 3 || got.Doc.unpack().Subscribed == nil || waiting(s) != 0 {
			t.Errorf("%d rows, %+v", k.kept(), got)
		}
		s.Store("t7", copyNow("late"))
		s.Drop("t7")
		time.Sleep(2 * time.Second)
		if _, ok := s.Load(t.Context(), "t7"); ok || k.kept() != 19 {
			t.Error("it is still there")
		}
	})
}

// TestTierLoadsManyTenants: those that are read together after a restart take turns, as the
// database has other reads to make.
func TestTierLoadsManyTenants(t *testing.T) {
	inTier(t, 0, func(t *testing.T, k *memoryStore, s *tier, _ *lockedBuffer) {
		for i := range 2000 {
			s.Store(fmt.Sprint("t", i), copyNow("x"))
		}
		time.Sleep(time.Minute)
		k.takes = time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		var loads sync.WaitGroup
		for i := range 2000 {
			loads.Go(func() {
				if _, ok := s.Load(ctx, fmt.Sprint("t", i)); !ok {
					t.Errorf("t%d was not loaded", i)
				}
			})
		}
		if loads.Wait(); k.most > loadsAtOnce {
			t.Errorf("%d loads at once", k.most)
		}
	})
}

// TestTierWhileTheStoreFails: what can't be written is kept and bounded, told of now and then, and
// written once that can be done.
func TestTierWhileTheStoreFails(t *testing.T) {
	const most = 50
	size := savingOverhead + len("t10") + copyNow("1").Doc.Size()
	inTier(t, (most-1)*size, func(t *testing.T, k *memoryStore, s *tier, logs *lockedBuffer) {
		k.is(errors.New("the disk is full"), false)
		for minute := range 10 {
			for i := range 80 {
				s.Store(fmt.Sprint("t", i), copyNow(fmt.Sprint(minute)))
			}
			time.Sleep(time.Minute)
		}
		if n := strings.Count(logs.String(), "\n"); k.kept() != 0 || waiting(s) < most-5 || waiting(s) > most+5 || n < 5 || n > 11 {
			t.Errorf("%d kept, %d wait, logs:\n%s", k.kept(), waiting(s), logs)
		}
		all := waiting(s)
		k.is(nil, false)
		time.Sleep(time.Minute + time.Second)
		if got, ok := s.Load(t.Context(), "t3"); k.kept() != all || waiting(s) != 0 || ok && got.Doc.unpack().Status.Adapter.Type != "9" {
			t.Errorf("%d kept: %+v", k.kept(), got)
		}
	})
}

// TestTierIsAsNewAsMemory: a document that memory has let go of before it was written is given as it is,
// and not the older one of the database.
func TestTierIsAsNewAsMemory(t *testing.T) {
	inTier(t, 0, func(t *testing.T, k *memoryStore, s *tier, _ *lockedBuffer) {
		loads := func(want string) {
			t.Helper()
			got, ok := s.Load(t.Context(), "t")
			if is := ok && got.Doc.unpack().Status.Adapter.Type == want; is != (want != "") || ok != is {
				t.Errorf("%v, want %q", ok, want)
			}
		}
		s.Store("t", copyNow("first"))
		loads("first")
		time.Sleep(2 * time.Second)
		if loads("first"); waiting(s) != 0 {
			t.Error("it is not written")
		}
		s.Store("t", copyNow("second")) // less than a minute later
		time.Sleep(2 * time.Second)
		loads("second")
		k.is(errors.New("the disk is full"), false)
		time.Sleep(time.Minute) // a write fails
		loads("second")
		s.Store("t", copyNow("third"))
		loads("third")
		s.Drop("t")
		loads("")
		k.is(nil, false)
	})
}

// TestTierEnds: at the end all is written that can be within the limit.
func TestTierEnds(t *testing.T) {
	inTier(t, 0, func(t *testing.T, k *memoryStore, s *tier, _ *lockedBuffer) {
		for i := range 900 {
			s.Store(fmt.Sprint("t", i), copyNow("x"))
		}
		s.close(t.Context())
		if k.kept() != 900 {
			t.Errorf("%d kept", k.kept())
		}
	})
	inTier(t, 0, func(t *testing.T, k *memoryStore, s *tier, _ *lockedBuffer) {
		k.is(nil, true)
		s.Store("t", copyNow("x"))
		begun := time.Now()
		if s.close(t.Context()); time.Since(begun) > closeLimit {
			t.Errorf("it took %s", time.Since(begun))
		}
	})
}

func TestDocumentsOfAnotherFormat(t *testing.T) {
	good := string(copyNow("x").Doc.encode())
	if _, ok := decodeDocument([]byte(good)); !ok {
		t.Fatal(good)
	}
	for _, bad := range []string{
		"", "{", "null", "{}", "7", strings.Replace(good, `"format":1`, `"format":2`, 1),
		strings.Replace(good, `"at"`, `"more":1,"at"`, 1), strings.Replace(good, `"connected":false`, `"connected":"?"`, 1),
	} {
		if doc, ok := decodeDocument([]byte(bad)); ok {
			t.Errorf("%s: %+v", bad, doc)
		}
	}
}
