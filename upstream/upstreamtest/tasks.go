package upstreamtest

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
)

// tasksKept is how many tasks of A2A can be asked about.
const tasksKept = 256

// The states of a task, in the words of A2A 0.3.
const (
	taskWorking   = "working"
	taskCompleted = "completed"
	taskFailed    = "failed"
	taskCanceled  = "canceled"
)

// taskState is how a task stands.
type taskState struct {
	state  string
	note   string          // what was told last
	result json.RawMessage // once it is completed
}

// task is something that a buyer has the agent do by A2A. It goes on without its client.
type task struct {
	id, context string
	owner       buyer
	skill       string
	cancel      context.CancelFunc

	mu      sync.Mutex
	now     taskState
	changed chan struct{} // closed when now changes
}

// stands gives how a task stands, and what is closed when that changes.
func (t *task) stands() (taskState, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.now, t.changed
}

// set changes how a task stands, unless it has ended.
func (t *task) set(s taskState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now.state == taskWorking {
		t.now = s
		close(t.changed)
		t.changed = make(chan struct{})
	}
}

// tasks are the tasks of an agent, and the sessions of MCP beside them: what is under way until it starts anew.
type tasks struct {
	mu      sync.Mutex
	kept    []*task // oldest first
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
}

// begin has what comes from now on be under way until ended is called.
func (s *tasks) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx, s.end = context.WithCancel(context.Background())
	s.kept = nil
}

// ended ends all that is under way, and waits for it.
func (s *tasks) ended() {
	s.mu.Lock()
	end := s.end
	s.mu.Unlock()
	end()
	s.running.Wait()
}

// until gives a context that ends with what is under way too.
func (s *tasks) until(parent context.Context) (ctx context.Context, done func()) {
	s.mu.Lock()
	all := s.ctx
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(parent)
	stop := context.AfterFunc(all, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// start begins a task; nil where none is begun any more.
func (s *tasks) start(t *task, do func(ctx context.Context, tell func(string)) (json.RawMessage, error)) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(s.ctx)
	t.cancel, t.now, t.changed = cancel, taskState{state: taskWorking}, make(chan struct{})
	if len(s.kept) >= tasksKept {
		s.kept[0].cancel()
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	s.kept = append(s.kept, t)
	s.running.Go(func() {
		defer cancel()
		doc, err := do(ctx, func(text string) { t.set(taskState{state: taskWorking, note: text}) })
		switch {
		case ctx.Err() != nil:
			t.set(taskState{state: taskCanceled})
		case err != nil:
			t.set(taskState{state: taskFailed, note: err.Error()})
		default:
			t.set(taskState{state: taskCompleted, result: doc})
		}
	})
	return t
}

// find gives a buyer's task; nil without.
func (s *tasks) find(owner buyer, id string) *task {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.kept, func(t *task) bool { return t.id == id && t.owner == owner })
	if i < 0 {
		return nil
	}
	return s.kept[i]
}

// of gives the tasks of a buyer, the latest first.
func (s *tasks) of(owner buyer) (all []*task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range slices.Backward(s.kept) {
		if t.owner == owner {
			all = append(all, t)
		}
	}
	return all
}
