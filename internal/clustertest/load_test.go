package clustertest_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	readersPerReplica = 2
	writers           = 2
	readPause         = 15 * time.Millisecond
	writePause        = 60 * time.Millisecond
)

// load reads all statuses at all replicas and creates sources, until it is stopped, and writes down what came of it.
type load struct {
	w     *world
	began time.Time
	stop  context.CancelFunc
	wg    sync.WaitGroup

	mu       sync.Mutex
	reads    int
	failed   []string // what was wrong with reads
	oldest   time.Duration
	byTenant map[string][]porcupine.Operation // statuses that were read
	byKey    map[string][]porcupine.Operation // creations, by their Idempotency-Key
	created  map[string]string                // sourceIds by Idempotency-Key
	marks    []mark
}

// mark is where a phase begins.
type mark struct {
	phase string
	at    time.Time
	calls int
}

// begin begins the load with a first phase.
func (w *world) begin(phase string) *load {
	ctx, cancel := context.WithCancel(w.t.Context())
	l := &load{w: w, began: time.Now(), stop: cancel, byTenant: map[string][]porcupine.Operation{}, byKey: map[string][]porcupine.Operation{},
		created: map[string]string{}}
	for i := range readersPerReplica * len(w.replicas) {
		l.wg.Go(func() { l.read(ctx, i) })
	}
	for i := range writers {
		l.wg.Go(func() { l.write(ctx, i) })
	}
	// Copies of before have ended, and all tenants are known everywhere.
	time.Sleep(2 * fresh)
	l.phase(phase)
	return l
}

// phase ends a phase and begins another.
func (l *load) phase(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.marks = append(l.marks, mark{name, time.Now(), l.w.calls()})
}

// goOn lets a number of intervals pass.
func (l *load) goOn(intervals int) { time.Sleep(time.Duration(intervals) * fresh) }

var fetchedAt = regexp.MustCompile(`"fetchedAt":"([^"]+)"`)

// read reads one tenant after the other, first at one replica, and at the next where that does not answer: as a
// load balancer has it.
func (l *load) read(ctx context.Context, number int) {
	for i := number; ctx.Err() == nil; i++ {
		l.readOne(ctx, number, i%tenants)
		time.Sleep(readPause)
	}
}

func (l *load) readOne(ctx context.Context, number, i int) {
	var faults []string
	for attempt := range 2 * len(l.w.replicas) {
		r := l.w.replicas[(number+attempt)%len(l.w.replicas)]
		base := r.base.Load()
		if base == nil {
			continue
		}
		p := process{r.number, r.starts.Load()}
		called := time.Now()
		status, body, _, err := ask(ctx, "GET", *base+sources+"/"+source(i)+"/status", "", "")
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			faults = append(faults, fmt.Sprintf("replica %d gave no answer", r.number))
			continue
		}
		m := fetchedAt.FindStringSubmatch(body)
		if status != http.StatusOK || m == nil {
			faults = append(faults, fmt.Sprintf("replica %d: %d %.300s", r.number, status, body))
			break
		}
		at, err := time.Parse(time.RFC3339Nano, m[1])
		if err != nil {
			faults = append(faults, err.Error())
			break
		}
		l.note(number, p, i, called, at)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	l.failed = append(l.failed, fmt.Sprintf("after %s: %s", time.Since(l.began).Round(time.Millisecond), strings.Join(faults, "; ")))
}

// process is one run of a replica.
type process struct {
	replica int
	start   int64
}

func (l *load) note(reader int, p process, i int, called, at time.Time) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	l.oldest = max(l.oldest, now.Sub(at))
	l.byTenant[tenant(i)] = append(l.byTenant[tenant(i)], porcupine.Operation{
		ClientId: reader, Input: p, Call: called.UnixNano(), Output: at.UnixNano(), Return: now.UnixNano(),
	})
}

var sourceID = regexp.MustCompile(`"sourceId":"([^"]+)"`)

// write creates sources, each by two requests at once at two replicas, with one Idempotency-Key, which are repeated
// until one of them is answered.
func (l *load) write(ctx context.Context, number int) {
	for i := 0; ctx.Err() == nil; i++ {
		name := fmt.Sprintf("made-%d-%d", number, i)
		var both sync.WaitGroup
		for twin := range 2 {
			both.Go(func() { l.create(ctx, 2*number+twin, name) })
		}
		both.Wait()
		time.Sleep(writePause)
	}
}

func (l *load) create(ctx context.Context, client int, name string) {
	body := fmt.Sprintf(`{"name":%q,"type":"SALES","endpointUrl":"https://agent.harbour.example/mcp","protocol":"MCP",`+
		`"authenticationType":"API_KEY","auth":{"type":"bearer","token":"tok-CANARY-77"}}`, name)
	for attempt := 0; ctx.Err() == nil; attempt++ {
		base := l.w.replicas[(client+attempt)%len(l.w.replicas)].base.Load()
		if base == nil {
			continue
		}
		called := time.Now()
		// To its end also when the load ends: what is asked for may be done.
		status, answer, _, err := ask(context.WithoutCancel(ctx), "POST", *base+sources, body, name)
		id := ""
		if m := sourceID.FindStringSubmatch(answer); err == nil && status == http.StatusCreated && m != nil {
			id = m[1]
		}
		l.mu.Lock()
		l.byKey[name] = append(l.byKey[name], porcupine.Operation{
			ClientId: client, Call: called.UnixNano(), Output: id, Return: time.Now().UnixNano(),
		})
		if id != "" {
			l.created[name] = id
		}
		l.mu.Unlock()
		if id != "" {
			return
		}
		time.Sleep(readPause)
	}
}

// end ends the load.
func (l *load) end() {
	l.phase("end")
	l.stop()
	l.wg.Wait()
}
