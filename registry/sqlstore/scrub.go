package sqlstore

import (
	"context"
	"database/sql"
	"os"
	"regexp"
	"sync/atomic"
	"time"
)

// erasure matches statements that take away what was sealed and has to be gone then:
// credentials, consents, launches, settings and subscriptions, and whatever a key had sealed that is given up.
var erasure = regexp.MustCompile(`^(DELETE FROM (credentials|consents|launches|kept_settings|subscriptions)|UPDATE \w+ SET (sealed|fingerprint) = \$1) `)

// eraser is a transaction that records whether it erases something.
type eraser struct {
	runner
	erased bool
}

func (e *eraser) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	res, err := e.runner.ExecContext(ctx, query, args...)
	if err == nil && erasure.MatchString(query) {
		if n, _ := res.RowsAffected(); n > 0 { // both drivers know it
			e.erased = true
		}
	}
	return res, err
}

func (e *eraser) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	e.erased = e.erased || erasure.MatchString(query)
	return e.runner.QueryRowContext(ctx, query, args...)
}

// The pause after an attempt, which doubles while attempts fail, and the time limit of one.
const (
	scrubPause    = 100 * time.Millisecond
	scrubPauseMax = 30 * time.Second
	scrubLimit    = time.Second
)

// scrubber moves the log of writes into a SQLite file and empties it, in the
// background, after something was erased. What was deleted is overwritten in the file
// (secure_delete), but its pages as they were stand in the log until that is emptied,
// which can't be done while a reader uses an older state. Blocks that a file has given
// up and backups are out of reach: that is why secrets are sealed.
//
// It queues with the writers, and blocks the next one for busyTimeout while readers are
// in the way: hence the pauses.
type scrubber struct {
	write *sql.DB
	left  atomic.Bool   // something erased may stand in the log
	wake  chan struct{} // holds one word at most
	end   context.CancelFunc
	ended chan struct{}
}

// startScrubber starts with what a process that was killed may have left in the log.
// The Store stops it in Close.
func startScrubber(write *sql.DB, left bool) *scrubber {
	ctx, end := context.WithCancel(context.Background())
	s := &scrubber{write: write, wake: make(chan struct{}, 1), end: end, ended: make(chan struct{})}
	if left {
		s.erased()
	}
	go s.run(ctx)
	return s
}

// leftLog reports whether a SQLite file that is not open yet has a log beside it.
func leftLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// erased tells the scrubber that a transaction that erased something was committed.
func (s *scrubber) erased() {
	s.left.Store(true)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *scrubber) run(ctx context.Context) {
	defer close(s.ended)
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		for pause := scrubPause; s.left.Load(); {
			if s.empty(ctx) {
				pause = scrubPause
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause): // after success too: what is erased meanwhile goes together
			}
			pause = min(2*pause, scrubPauseMax)
		}
	}
}

// empty tries once. What is erased after it has begun is noted anew.
func (s *scrubber) empty(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, scrubLimit)
	defer cancel()
	s.left.Store(false)
	var busy, pages, moved int // https://sqlite.org/pragma.html#pragma_wal_checkpoint
	err := s.write.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
	if err != nil || busy != 0 {
		s.left.Store(true)
		return false
	}
	return true
}

// stop ends the goroutine and waits for it.
func (s *scrubber) stop() {
	s.end()
	<-s.ended
}

// last tries once more if something is left. Our own readers are gone by then, but
// another process may have the file open, and the log then outlives the closing.
func (s *scrubber) last() {
	if s.left.Load() {
		s.empty(context.Background())
	}
}
