package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/singleflight"
)

// probePause is the time between two looks at a store that is away.
const probePause = time.Second

var (
	errDirectoryClosed = errors.New("registry: the directory is closed")
	// errLate: the store took longer than a reader with a copy waits.
	errLate = errors.New("registry: the store is slow")
	errAway = errors.New("registry: the store did not answer when it was last asked")
	// errUnreadable: the store is there, and still fails one read.
	errUnreadable = errors.New("registry: the store answers, but can't read this")
)

// await makes a read of the store, once for all that ask for it by the same name,
// and waits for it: not for long if the caller has something to fall back on. The
// read goes on without those who left, to its own deadline.
func (d *Directory) await(ctx context.Context, fallback bool, name string, read func(context.Context) (any, error)) (any, error) {
	answers := d.flights.DoChan(name, func() (any, error) {
		if !d.start() {
			return nil, errDirectoryClosed
		}
		defer d.work.Done()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.opts.StoreTimeout)
		defer cancel()
		defer context.AfterFunc(d.life, cancel)()
		return d.ask(ctx, read)
	})
	var late <-chan time.Time
	if fallback {
		timer := time.NewTimer(d.opts.ReadTimeout)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case answer := <-answers:
		return answer.Val, answer.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late:
		d.note(errLate)
		return nil, errLate
	}
}

// ask makes a read within its deadline and draws from its error whether the store is
// there. An error of no kind that we know may be one row's own, and no row that can't
// be read shall send all readers to memory: the store is looked at first. If it is
// there, a connection may have broken: what fails twice fails by itself.
func (d *Directory) ask(ctx context.Context, read func(context.Context) (any, error)) (any, error) {
	answer, err := guarded(ctx, read)
	if !answered(err) && ctx.Err() == nil {
		if !d.suspect(ctx, err) {
			return nil, err
		}
		answer, err = guarded(ctx, read)
	}
	switch {
	case answered(err), ctx.Err() != nil: // silence up to the deadline is as good as a look
		d.note(err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled): // a limit of the store's own
	default:
		err = fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return answer, err
}

// guarded turns a panic into an error: singleflight would raise it again where
// nobody can catch it.
func guarded(ctx context.Context, read func(context.Context) (any, error)) (answer any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("registry: the store panicked: %T", p)
		}
	}()
	return read(ctx)
}

// start counts in one piece of work; false once the Directory has ended.
func (d *Directory) start() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return false
	}
	d.work.Add(1)
	return true
}

// note draws from a call's error whether the store is there. While it is away,
// readers with a copy don't ask it; one goroutine does, and recovery waits for no
// reader.
func (d *Directory) note(err error) {
	there := answered(err)
	if there == !d.away.Load() {
		return
	}
	d.mu.Lock()
	was, away := d.away.Load(), !there && !d.ended
	d.away.Store(away)
	switch {
	case away && !was:
		d.back = make(chan struct{})
	case was && !away:
		close(d.back)
	}
	if away && !d.probe {
		d.probe = true
		d.work.Add(1)
		go d.probeUntilThere()
	}
	d.mu.Unlock()
	if was != away && d.opts.Changed != nil {
		d.opts.Changed(!away, err)
	}
}

// reach waits for a store that is away to come back, for as long as the probe needs
// for one look: a store that was slow once does not refuse writes.
func (d *Directory) reach(ctx context.Context) error {
	d.mu.Lock()
	away, back := d.away.Load(), d.back
	d.mu.Unlock()
	if !away {
		return nil
	}
	patience := time.NewTimer(probePause + d.opts.ReadTimeout)
	defer patience.Stop()
	select {
	case <-back:
		return nil
	case <-patience.C:
	case <-ctx.Done():
		return errors.Join(errAway, ctx.Err())
	case <-d.life.Done():
	}
	return errAway
}

// suspect looks at the store after a call failed, and reports whether it is there. A
// look that outlasts the context is late: the store is away.
func (d *Directory) suspect(ctx context.Context, err error) bool {
	if d.away.Load() {
		return false // the probe looks
	}
	select {
	case looked := <-d.look(err):
		if looked.Err == nil {
			return true
		}
	case <-ctx.Done():
	}
	d.note(err)
	return false
}

// look asks the store whether it is there, once for all that want to know. It notes
// if it is; and if it is not, with the error that gave rise to the look. Nil: the
// store is away, and what a probe misses is no news.
func (d *Directory) look(cause error) <-chan singleflight.Result {
	return d.flights.DoChan("look", func() (any, error) {
		if !d.start() {
			return nil, errDirectoryClosed
		}
		defer d.work.Done()
		ctx, cancel := context.WithTimeout(d.life, d.opts.StoreTimeout)
		defer cancel()
		_, err := guarded(ctx, func(ctx context.Context) (any, error) { return nil, d.store.Ping(ctx) })
		switch {
		case err == nil:
			d.note(nil)
		case cause != nil:
			d.note(cause)
		}
		return nil, err
	})
}

func (d *Directory) probeUntilThere() {
	defer d.work.Done()
	for d.probing() {
		select {
		case <-time.After(probePause):
		case <-d.life.Done():
			return
		}
		<-d.look(nil)
	}
}

// probing says whether the probe goes on; when not, the next failure starts another.
func (d *Directory) probing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.probe = d.away.Load()
	return d.probe
}
