package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"

	"esagate/internal/cluster"
	"esagate/snapshot"
)

// replicas are caches that share a Redis, before one upstream, on a fake clock.
type replicas struct {
	changing sync.RWMutex // held while a node is replaced: others tell it of documents
	*testing.T
	u      *upstream
	server *miniredis.Miniredis
	nodes  []*node
	limits snapshot.Limits
	mute   atomic.Bool   // hints are lost
	looked func(n *node) // nil, or called when a look ends
}

// node is a replica.
type node struct {
	all    *replicas
	line   line
	redis  *cluster.Redis
	c      *snapshot.Cache[*doc]
	looks  [3]atomic.Int32 // by outcome
	waited atomic.Int32
	told   atomic.Int32
	mu     sync.Mutex
	took   []snapshot.Outcome
}

// inReplicas runs a test with so many replicas.
func inReplicas(t *testing.T, n int, body func(r *replicas)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &replicas{T: t, u: &upstream{}, server: miniredis.NewMiniRedis(), limits: limits}
		defer time.Sleep(2 * time.Second) // the client's dialing ends with its next try, a second later
		r.server.ClockTTL(true)
		r.u.set(now("first"))
		defer r.server.Close()
		for range n {
			r.nodes = append(r.nodes, r.node(1))
		}
		defer func() {
			for _, n := range r.nodes {
				n.close()
			}
		}()
		body(r)
	})
}

// node makes a replica whose version writes a format.
func (r *replicas) node(format int) *node {
	n := &node{all: r}
	var err error
	n.redis, err = cluster.Open(cluster.Options{URL: "redis://127.0.0.1", Dial: n.line.dial(r.server)})
	if err != nil {
		r.Fatal(err)
	}
	n.c = snapshot.New[*doc](r.limits, snapshot.Options{
		Gone: func(err error) bool { return errors.Is(err, errGone) },
		Busy: func(err error) bool { return errors.Is(err, errBusy) },
		Took: func(_ string, o snapshot.Outcome) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.took = append(n.took, o)
		},
	})
	n.c.Share(snapshot.Sharing[*doc]{
		Store: n.redis.Snapshots(), Format: format, At: func(d *doc) int64 { return d.at.UnixMicro() },
		Encode: func(d *doc) []byte { return []byte(strconv.FormatInt(d.at.UnixMicro(), 10) + " " + d.name) },
		Decode: func(b []byte) (*doc, bool) {
			at, name, _ := bytes.Cut(b, []byte(" "))
			micro, err := strconv.ParseInt(string(at), 10, 64)
			return &doc{time.UnixMicro(micro), string(name)}, err == nil
		},
		EncodeError: func(err error) []byte {
			if errors.Is(err, errDown) || errors.Is(err, errGone) {
				return []byte(err.Error())
			}
			return nil
		},
		DecodeError: func(b []byte) (error, bool) {
			for _, err := range []error{errDown, errGone} {
				if err.Error() == string(b) {
					return err, true
				}
			}
			return nil, false
		},
		Tell: func(key string, at int64) {
			n.told.Add(1)
			if r.mute.Load() {
				return
			}
			r.changing.RLock()
			nodes := slices.Clone(r.nodes)
			r.changing.RUnlock()
			for _, other := range nodes {
				if other != n && other != nil {
					other.c.Hear(key, at)
				}
			}
		},
		Looked: func(o snapshot.LookOutcome) {
			n.looks[o].Add(1)
			if r.looked != nil {
				r.looked(n)
			}
		},
		Waited: func() { n.waited.Add(1) },
	})
	return n
}

// line is a replica's way to Redis, within the process.
type line struct {
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

func (l *line) dial(server *miniredis.Miniredis) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.cut {
			return nil, errors.New("unreachable")
		}
		c, err := server.Dial()
		l.conns = append(l.conns, c)
		return c, err
	}
}

// set cuts the line, or mends it.
func (l *line) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut = cut; cut {
		for _, c := range l.conns {
			_ = c.Close()
		}
		l.conns = nil
	}
}

func (n *node) close() {
	n.c.Close()
	n.redis.Close()
}

// get reads at a replica, as a reader that knows of an epoch.
func (n *node) get(epoch int64) (snapshot.Read[*doc], error) {
	return n.c.Get(n.all.Context(), "k", epoch, n.all.u.fetch)
}

func (n *node) read(name string, state snapshot.State) snapshot.Read[*doc] {
	n.all.Helper()
	r, err := n.get(0)
	if err != nil {
		n.all.Fatal(err)
	}
	if r.Doc.name != name || r.State != state {
		n.all.Errorf("read gave %q, state %d, age %s; want %q, state %d", r.Doc.name, r.State, r.Age, name, state)
	}
	return r
}

func (r *replicas) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (r *replicas) wantCalls(n int) {
	r.Helper()
	synctest.Wait()
	if got := int(r.u.calls.Load()); got != n {
		r.Errorf("upstream was asked %d times, want %d", got, n)
	}
}
