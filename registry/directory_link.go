package registry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// probePause is the time between two looks at a store that is away.
const probePause = time.Second

var (
	errDirectoryClosed = errors.New("registry: the directory is closed")
	// errLate: the store took longer than a reader with a copy waits.
	errLate = errors.New("registry: the store is slow")
	errAway = errors.New("registry: the store did not answer when it was last asked")
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
		answer, err := guarded(ctx, read)
		d.note(err)
		return answer, err
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
	there := err == nil || isNotFound(err) || isRefusal(err)
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
	case <-d.life.Done():
	}
	return errAway
}

// suspect looks at the store after a write failed: the write may have failed for a
// reason of its own, and no caller's write shall send all readers to memory.
func (d *Directory) suspect(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.probe {
		return
	}
	d.probe = true
	d.work.Add(1)
	go func() {
		if !d.look() {
			d.note(err)
		}
		d.probeUntilThere()
	}()
}

func (d *Directory) probeUntilThere() {
	defer d.work.Done()
	for d.probing() {
		select {
		case <-time.After(probePause):
		case <-d.life.Done():
			return
		}
		d.look()
	}
}

// look asks the store whether it is there, and notes if it is.
func (d *Directory) look() bool {
	ctx, cancel := context.WithTimeout(d.life, d.opts.StoreTimeout)
	defer cancel()
	there := d.store.Ping(ctx) == nil
	if there {
		d.note(nil)
	}
	return there
}

// probing says whether the probe goes on; when not, the next failure starts another.
func (d *Directory) probing() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.probe = d.away.Load()
	return d.probe
}
