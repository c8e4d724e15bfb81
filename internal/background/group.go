// Package background runs work that goes on beside the requests: every goroutine has
// an owner ([Group]) and a name, ends when its owner does, and its panics are logged
// and do not end the process. [Every] repeats a task, [Flight] shares work between
// callers that ask for the same, [Shares] bounds what customers have under way.
package background

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
)

var (
	// ErrClosed is the error of work that was asked of a closed Group.
	ErrClosed = errors.New("background: closed")
	// ErrPanicked is the error of work that panicked; the log has the place.
	ErrPanicked = errors.New("background: the work panicked")
)

// Group owns goroutines. The zero Group is not usable: make one with NewGroup.
type Group struct {
	log  *slog.Logger
	life context.Context
	end  context.CancelFunc

	mu     sync.Mutex // guards closed, and work.Add against work.Wait
	closed bool
	work   sync.WaitGroup
}

// NewGroup makes a Group that logs panics; a nil log discards them.
func NewGroup(log *slog.Logger) *Group {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	g := &Group{log: log}
	g.life, g.end = context.WithCancel(context.Background())
	return g
}

// Context gives a context that ends with the Group.
func (g *Group) Context() context.Context { return g.life }

// Go runs work in a goroutine of its own. The context of work has ctx's values and ends
// with the Group alone. The name, a constant, is that of log lines. Go returns false,
// and does not run work, if the Group is closed.
func (g *Group) Go(ctx context.Context, name string, work func(ctx context.Context)) bool {
	if !g.enter() {
		return false
	}
	go func() {
		defer g.work.Done()
		_ = g.run(ctx, name, func(ctx context.Context) error { work(ctx); return nil })
	}()
	return true
}

// enter counts work that begins; false if the Group is closed.
func (g *Group) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Add(1)
	return true
}

// run runs work under ctx's values and the Group's end.
func (g *Group) run(ctx context.Context, name string, work func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(g.life, cancel)()
	return Guard(ctx, g.log, name, work)
}

// End ends the contexts of all work and lets no more begin. It does not wait.
func (g *Group) End() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.end()
}

// Close is End, and waits for the work, no longer than ctx. Its error is ctx's.
func (g *Group) Close(ctx context.Context) error {
	g.End()
	return g.wait(ctx)
}

// Drain lets no more work begin, waits for the work that runs, no longer than ctx, and
// then ends what is left. Its error is ctx's.
func (g *Group) Drain(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	defer g.end()
	return g.wait(ctx)
}

func (g *Group) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() { defer close(done); g.work.Wait() }() // ends with the work
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Guard runs work and turns a panic into ErrPanicked and a log line. The value of the
// panic may hold a secret and is not logged.
func Guard(ctx context.Context, log *slog.Logger, name string, work func(ctx context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ErrPanicked
			log.LogAttrs(ctx, slog.LevelError, "background work panicked", slog.String("operation", name), slog.Any("stack", Callers()))
		}
	}()
	return work(ctx)
}

// Stack is where something happened: functions, files and lines, never values.
type Stack []runtime.Frame

// maxFrames bounds a Stack.
const maxFrames = 40

// Callers gives the stack of its caller. In a deferred function that has recovered, it
// includes the place of the panic.
func Callers() Stack {
	pcs := make([]uintptr, maxFrames)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var s Stack
	for {
		frame, more := frames.Next()
		s = append(s, frame)
		if !more {
			return s
		}
	}
}

// String gives two lines for each frame, as in the runtime's own traces.
func (s Stack) String() string {
	var b strings.Builder
	for _, f := range s {
		fmt.Fprintf(&b, "%s()\n\t%s:%d\n", f.Function, f.File, f.Line)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
