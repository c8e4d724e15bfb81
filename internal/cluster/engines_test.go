package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"esagate/internal/cluster"
	"esagate/internal/redistest"
	"esagate/snapshot"
)

// The tests here have the client before real servers, and do to these what happens to servers.

// engine is a client, and what it tells of its server.
type engine struct {
	*cluster.Redis
	t       *testing.T
	changes chan string // "" is there, else why it is away
}

func connect(t *testing.T, url string) *engine {
	t.Helper()
	e := &engine{t: t, changes: make(chan string, 16)}
	r, err := cluster.Open(cluster.Options{URL: url, Logger: slog.New(slog.DiscardHandler), Changed: func(there bool, err error) {
		if there {
			e.changes <- ""
			return
		}
		e.changes <- err.Error()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	e.Redis = r
	return e
}

// set writes a key, and wants the exchange to end by its budget whatever comes of it.
func (e *engine) set(key string) error {
	began := time.Now()
	err := e.Do(context.Background(), func(ctx context.Context, c redis.UniversalClient) error {
		return c.Set(ctx, e.Key("test", key), "x", time.Minute).Err()
	})
	// The client's own waits, for a connection, a place or an answer, are of five seconds; a machine that is busy
	// with other things takes longer than the budget too.
	if took := time.Since(began); took > 3*time.Second {
		e.t.Errorf("an exchange took %s", took)
	}
	return err
}

// works waits until writes are taken.
func (e *engine) works() {
	e.t.Helper()
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		err := e.set("a")
		if err == nil {
			return
		}
		if time.Since(began) > 30*time.Second {
			e.t.Fatalf("writes are not taken: %v", err)
		}
	}
}

// goesAway makes exchanges until Redis counts as away, and wants the reason.
func (e *engine) goesAway(reasons ...string) {
	e.t.Helper()
	for range 64 {
		if err := e.set("a"); err != nil && !errors.Is(err, cluster.ErrAway) {
			e.t.Fatalf("not one of ours: %v", err)
		}
		select {
		case why := <-e.changes:
			for _, reason := range reasons {
				if why == "cluster: Redis is away: "+reason {
					return
				}
			}
			e.t.Fatalf("%q, want one of %q", why, reasons)
		default:
		}
	}
	e.t.Fatal("it does not count as away")
}

// comesBack waits until Redis counts as there.
func (e *engine) comesBack() {
	e.t.Helper()
	select {
	case why := <-e.changes:
		if why != "" {
			e.t.Fatal(why)
		}
	case <-time.After(30 * time.Second):
		e.t.Fatal("it does not count as there")
	}
	e.works()
}

func must(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestEngineStopsAndHangs(t *testing.T) {
	server := redistest.Own(t)
	e := connect(t, server.URL())
	e.works()
	must(t, server.Down())
	e.goesAway("the connection broke", "it can't be reached")
	must(t, server.Up(t.Context()))
	e.comesBack()
	must(t, server.Pause())
	e.goesAway("it does not answer in time")
	must(t, server.Resume())
	e.comesBack()
}

// TestEngineHangsUnderManyReaders: none waits for another's connection.
func TestEngineHangsUnderManyReaders(t *testing.T) {
	server := redistest.Own(t)
	e := connect(t, server.URL())
	e.works()
	must(t, server.Pause())
	var readers sync.WaitGroup
	for range 500 {
		readers.Go(func() {
			if err := e.set("a"); !errors.Is(err, cluster.ErrAway) {
				t.Errorf("%v", err)
			}
		})
	}
	readers.Wait()
	must(t, server.Resume())
}

// TestOneLateAnswerIsNoOutage: all exchanges that fail in one moment count as one.
func TestOneLateAnswerIsNoOutage(t *testing.T) {
	server := redistest.Own(t)
	e := connect(t, server.URL())
	e.works()
	var begun, all sync.WaitGroup
	late := make(chan struct{})
	begun.Add(16)
	for range 16 {
		all.Go(func() {
			_ = e.Do(context.Background(), func(context.Context, redis.UniversalClient) error {
				begun.Done()
				<-late
				return context.DeadlineExceeded
			})
		})
	}
	begun.Wait()
	close(late)
	all.Wait()
	if !e.Available() {
		t.Error("it counts as away")
	}
}

func TestEngineFull(t *testing.T) {
	server := redistest.Own(t)
	e := connect(t, server.URL())
	e.works()
	bound := func(bytes string) {
		_, err := server.Do(t.Context(), "CONFIG", "SET", "maxmemory", bytes)
		must(t, err)
	}
	bound("1")
	e.goesAway("it is full (maxmemory)")
	bound("0")
	e.comesBack()
}

func TestEngineBecomesAReplica(t *testing.T) {
	master, server := redistest.Own(t), redistest.Own(t)
	e := connect(t, server.URL())
	e.works()
	host, port, err := net.SplitHostPort(master.Addr())
	must(t, err)
	_, err = server.Do(t.Context(), "REPLICAOF", host, port)
	must(t, err)
	e.goesAway("it is a replica, which takes no writes")
	_, err = server.Do(t.Context(), "REPLICAOF", "NO", "ONE")
	must(t, err)
	e.comesBack()
}

// TestEngineRefusesThePassword: from the start on, before any reader asks, and with no word of it anywhere.
func TestEngineRefusesThePassword(t *testing.T) {
	server := redistest.Own(t, redistest.Password("CANARY-right"))
	stderr, restore := capture(t)
	e := connect(t, strings.Replace(server.URL(), "CANARY-right", "CANARY-wrong", 1))
	select {
	case why := <-e.changes:
		if why != "cluster: Redis is away: it refuses the user or password" {
			t.Error(why)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("nobody is told")
	}
	if err := e.set("a"); !errors.Is(err, cluster.ErrAway) || strings.Contains(err.Error(), "CANARY") {
		t.Error(err)
	}
	none := connect(t, strings.Replace(server.URL(), ":CANARY-right@", "", 1))
	if why := <-none.changes; why != "cluster: Redis is away: it wants a password" {
		t.Error(why)
	}
	connect(t, server.URL()).works()
	must(t, server.Down())
	_ = e.Hints().Publish(t.Context(), []string{"x"})
	restore()
	if said := stderr(); strings.Contains(said, "CANARY") || strings.Contains(said, "127.0.0.1") {
		t.Errorf("the client logs %s", said)
	}
}

// capture takes what is written to the standard error, where the client's own log would go.
func capture(t *testing.T) (said func() string, restore func()) {
	t.Helper()
	r, w, err := os.Pipe()
	must(t, err)
	old := os.Stderr
	os.Stderr = w
	all := make(chan string, 1)
	go func() {
		text, _ := io.ReadAll(r)
		all <- string(text)
	}()
	return func() string { return <-all }, func() { os.Stderr = old; _ = w.Close() }
}

// TestEngineWithTLS: its certificate must be trusted.
func TestEngineWithTLS(t *testing.T) {
	server := redistest.Own(t, redistest.WithTLS(), redistest.Password("CANARY"))
	connect(t, server.URL()+"?skip_verify=true").works()
	stranger := connect(t, server.URL())
	if why := <-stranger.changes; why != "cluster: Redis is away: its certificate is not trusted" {
		t.Error(why)
	}
}

func TestEngineFailsOver(t *testing.T) {
	sentinels, master := redistest.OwnSentinels(t, 1, redistest.Password("CANARY"))
	e := connect(t, sentinels.URL())
	e.works()
	must(t, master.Down())
	e.goesAway("the connection broke", "it can't be reached")
	e.comesBack()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) { // this Sentinel may hear of it last
		if addr, err := sentinels.Master(t.Context()); err != nil || time.Since(began) > 30*time.Second {
			t.Fatalf("%s, %v", addr, err)
		} else if addr != master.Addr() {
			return
		}
	}
}

// TestEngineIsACluster: keys lie on all nodes; without one of these it is away.
func TestEngineIsACluster(t *testing.T) {
	nodes := redistest.OwnCluster(t)
	e := connect(t, redistest.ClusterURL(nodes))
	e.works()
	for i := range 32 {
		if err := e.set(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		if count, err := n.Do(t.Context(), "DBSIZE"); err != nil || count == int64(0) {
			t.Errorf("%v, %v", count, err)
		}
	}
	must(t, nodes[2].Down())
	e.goesAway("the connection broke", "it can't be reached", "its cluster is down", "it does not answer in time")
	must(t, nodes[2].Up(t.Context()))
	e.comesBack()
}

// TestHintsGoOnAfterASilentEnd: a connection on which no answer comes any more is made anew.
func TestHintsGoOnAfterASilentEnd(t *testing.T) {
	server := redistest.Own(t)
	e := connect(t, server.URL())
	h := cluster.NewHints(e.Hints(), slog.New(slog.DiscardHandler))
	listening := make(chan struct{}, 4)
	h.OnListening(func() { listening <- struct{}{} })
	h.Start()
	t.Cleanup(func() { h.Close(context.Background()) })
	<-listening
	must(t, server.Pause())
	time.AfterFunc(6*time.Second, func() { _ = server.Resume() }) // longer than it may be silent
	select {
	case <-listening:
	case <-time.After(30 * time.Second):
		t.Error("nobody listens any more")
	}
}

// TestEngineWithTheUserOfTheDocs: what docs/operations.md gives a user is enough, and is not everything.
func TestEngineWithTheUserOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	must(t, err)
	m := regexp.MustCompile("user of its own\\*\\* needs `([^`]+)`").FindSubmatch(page)
	if m == nil {
		t.Fatal("docs/operations.md names no rules of a user")
	}
	server := redistest.Own(t)
	rules := []any{"ACL", "SETUSER", "gate", "on", ">secret"}
	for _, rule := range strings.Fields(string(m[1])) {
		rules = append(rules, rule)
	}
	_, err = server.Do(t.Context(), rules...)
	must(t, err)
	e := connect(t, strings.Replace(server.URL(), "redis://", "redis://gate:secret@", 1))
	e.works()
	must(t, inTime(func() error {
		_, err := e.Snapshots().Publish(t.Context(), "tenant", snapshot.Publication{Lease: "a", At: 1, Format: 1, Body: []byte("x"),
			Fresh: time.Second, Lifetime: time.Minute})
		return err
	}), e.Hints().Publish(t.Context(), []string{"x"}))
	ctx, cancel := context.WithCancel(t.Context())
	listening := make(chan struct{}, 1)
	go func() {
		<-listening
		cancel()
	}()
	if err := e.Hints().Receive(ctx, func() { listening <- struct{}{} }, func(string) {}); ctx.Err() == nil {
		t.Errorf("it may not listen: %v", err)
	}
	do := func(exchange func(ctx context.Context, c redis.UniversalClient) error) error {
		return inTime(func() error { return e.Do(t.Context(), exchange) })
	}
	must(t, do(func(ctx context.Context, c redis.UniversalClient) error {
		_, err := redis_rate.NewLimiter(c).Allow(ctx, e.Key("limit", "a"), redis_rate.PerSecond(1))
		return err
	}))
	err = do(func(ctx context.Context, c redis.UniversalClient) error { return c.Get(ctx, "others").Err() })
	if err == nil || err.Error() != "cluster: Redis is away: its user may not do what is needed" {
		t.Errorf("a key of others: %v", err)
	}
}

// inTime repeats an exchange that took longer than its budget, as on a machine that is busy with other things.
func inTime(exchange func() error) (err error) {
	for range 50 {
		if err = exchange(); err == nil || !strings.HasSuffix(err.Error(), "it does not answer in time") {
			return err
		}
	}
	return err
}
