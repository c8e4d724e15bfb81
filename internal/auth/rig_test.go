package auth_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"esagate/internal/auth"
	"esagate/internal/fault"
	"esagate/internal/vault"
	"esagate/registry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// canary stands in every secret that a test makes up; no log and no error may hold it.
const canary = "CANARY-58c1"

// rig is an Authenticator between a store and an issuer that tests can play with.
type rig struct {
	*auth.Authenticator
	t       testing.TB
	store   *fakeStore
	idp     *idp
	log     *lockedBuffer
	vault   *vault.Vault
	fetched chan bool // what was told of fetches
}

// bubble runs f with a rig in a synctest bubble.
func bubble(t *testing.T, f func(t *testing.T, r *rig)) {
	t.Helper()
	bubbleWith(t, func(*idp) {}, func(t *testing.T, r *rig) {
		synctest.Wait() // the first fetch is over
		f(t, r)
	})
}

// bubbleWith has the issuer changed before, and does not wait for the first fetch.
func bubbleWith(t *testing.T, change func(*idp), f func(t *testing.T, r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newIDP()
		change(p)
		r := newRig(t, p, &http.Client{Transport: p})
		defer r.Close(ctx())
		f(t, r)
	})
}

// sessionKey is what sessions are sealed with.
var sessionKey = vault.Generate()

// newRig makes a rig over fakes. Its log is searched for the canary at the end.
func newRig(t testing.TB, p *idp, client *http.Client) *rig {
	t.Helper()
	return newRigWith(t, p, client, sessionKey)
}

// newRigWith is newRig with a key of its own for sessions.
func newRigWith(t testing.TB, p *idp, client *http.Client, key string) *rig {
	t.Helper()
	r := &rig{t: t, store: newStore(), idp: p, log: &lockedBuffer{}, fetched: make(chan bool, 1000)}
	var err error
	if r.vault, err = vault.New(key); err != nil {
		t.Fatal(err)
	}
	r.Authenticator, err = auth.New(context.Background(), auth.Config{
		Keys: []auth.Key{
			{Name: "kiosk", CustomerID: 31, SHA256: sha256.Sum256([]byte("config-read-" + canary))},
			{Name: "harbour", CustomerID: 32, Write: true, SHA256: sha256.Sum256([]byte("config-write-" + canary))},
		},
		OIDC: &auth.OIDC{Issuer: p.issuer, Audience: audience, CustomerClaim: customerClaim, AccessClaim: "scope", Client: p.client},
	}, auth.Deps{
		Store: r.store, Sealer: r.vault, Logger: slog.New(slog.NewTextHandler(r.log, nil)), HTTP: client,
		IssuerFetched: func(ok bool) {
			select {
			case r.fetched <- ok:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if strings.Contains(r.log.String(), canary) {
			t.Errorf("a secret in the log:\n%s", r.log)
		}
	})
	return r
}

// good expects a credential to be taken.
func (r *rig) good(credential string) *auth.Caller {
	r.t.Helper()
	c, err := r.Authenticate(r.t.Context(), credential)
	if err != nil || c == nil {
		r.t.Fatalf("refused: %v", err)
	}
	return c
}

// bad expects it to be refused for a reason; what names the case.
func (r *rig) bad(credential string, reason auth.Reason, what ...string) {
	r.t.Helper()
	c, err := r.Authenticate(r.t.Context(), credential)
	switch {
	case err == nil:
		r.t.Errorf("%s taken as %+v, want it refused as %v", what, *c, reason)
	case c != nil:
		r.t.Errorf("%s a caller beside the error %v", what, err)
	case !errors.Is(err, auth.ErrUnknown) || auth.ReasonOf(err) != reason:
		r.t.Errorf("%s %v, want %v", what, err, reason)
	case strings.Contains(err.Error(), canary):
		r.t.Errorf("%s a secret in the error: %v", what, err)
	}
}

// unavailable expects that it can't be judged, and gives when to come again.
func (r *rig) unavailable(credential string) time.Duration {
	r.t.Helper()
	_, err := r.Authenticate(r.t.Context(), credential)
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Unavailable || errors.Is(err, auth.ErrUnknown) {
		r.t.Fatalf("%v, want Unavailable", err)
	}
	return f.RetryAfter
}

// took runs f and holds it to the time that it may take on the bubble's clock.
func took(t *testing.T, what string, want time.Duration, f func()) {
	t.Helper()
	began := time.Now()
	f()
	if d := time.Since(began); d != want {
		t.Fatalf("%s took %v, want %v", what, d, want)
	}
}

var errDisk = errors.New("the disk is on fire")

// fakeStore is a KeyStore in memory that can fail or hang. It counts its calls.
type fakeStore struct {
	registry.KeyStore
	mu         sync.Mutex
	keys       map[int64]registry.APIKey
	generation int64
	used       map[int64]time.Time
	batches    []int
	calls      map[string]int
	failing    bool
	hanging    bool          // until the caller gives up
	panicking  bool          // at the next call
	delay      time.Duration // between reading and answering
}

func newStore() *fakeStore {
	return &fakeStore{keys: map[int64]registry.APIKey{}, used: map[int64]time.Time{}, calls: map[string]int{}}
}

// make keeps a key and gives it in clear.
func (s *fakeStore) make(id int64, write bool) string {
	return s.makeAs(id, write, fmt.Sprintf("stored-%d-%s", id, canary))
}

func (s *fakeStore) makeAs(id int64, write bool, clear string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	s.keys[id] = registry.APIKey{ID: id, CustomerID: 100 + id, Name: fmt.Sprint("made-", id), Write: write, SHA256: sha256.Sum256([]byte(clear))}
	return clear
}

// operate makes a stored key an operator's.
func (s *fakeStore) operate(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	key := s.keys[id]
	key.CustomerID = registry.OperatorID
	s.keys[id] = key
}

// identify says anew who the owner of a stored key is.
func (s *fakeStore) identify(id int64, as registry.Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	key := s.keys[id]
	key.Identity = as
	s.keys[id] = key
}

func (s *fakeStore) revoke(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	delete(s.keys, id)
}

// is changes how the store behaves.
func (s *fakeStore) is(failing, hanging bool, delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing, s.hanging, s.delay = failing, hanging, delay
}

// panics has the next call panic.
func (s *fakeStore) panics() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panicking = true
}

// count gives how often a call came since it was last asked.
func (s *fakeStore) count(call string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.calls[call]
	s.calls[call] = 0
	return n
}

func (s *fakeStore) do(ctx context.Context, call string, f func()) error {
	s.mu.Lock()
	s.calls[call]++
	failing, hanging, panicking, delay := s.failing, s.hanging, s.panicking, s.delay
	s.panicking = false
	if !failing && !hanging && !panicking {
		f()
	}
	s.mu.Unlock()
	if panicking {
		panic(errDisk)
	}
	if hanging {
		<-ctx.Done()
		return ctx.Err()
	}
	if failing {
		return errDisk
	}
	time.Sleep(delay)
	return ctx.Err()
}

func (s *fakeStore) KeyGeneration(ctx context.Context) (n int64, err error) {
	err = s.do(ctx, "KeyGeneration", func() { n = s.generation })
	return n, err
}

func (s *fakeStore) GoodKeys(ctx context.Context) (keys []registry.APIKey, n int64, err error) {
	err = s.do(ctx, "GoodKeys", func() {
		for k := range maps.Values(s.keys) {
			keys = append(keys, k)
		}
		n = s.generation
	})
	return keys, n, err
}

func (s *fakeStore) TouchKeys(ctx context.Context, used map[int64]time.Time) error {
	return s.do(ctx, "TouchKeys", func() {
		s.batches = append(s.batches, len(used))
		maps.Copy(s.used, used)
	})
}

// lastUse gives what was recorded of a key.
func (s *fakeStore) lastUse(id int64) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used[id]
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// ctx is a context that does not end: what Close gets, also in a deferred call.
func ctx() context.Context { return context.Background() }
