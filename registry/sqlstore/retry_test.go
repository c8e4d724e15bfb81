package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/pgtest"
	"esagate/registry"
)

// TestWritingTriesAgain has the server refuse a transaction some times over.
func TestWritingTriesAgain(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	tests := []struct {
		state string
		fails int // how often before it would succeed
		runs  int
		ok    bool
	}{
		{"40001", 1, 2, true},
		{"40P01", writeTries - 1, writeTries, true},
		{"40001", writeTries, writeTries, false},
		{"23505", 1, 1, false},
		{"57014", 1, 1, false},
		{"53100", 1, 1, false},
	}
	for i, test := range tests {
		t.Run(fmt.Sprintf("%s %d times", test.state, test.fails), func(t *testing.T) {
			name, runs := fmt.Sprintf("case-%d", i), 0
			err := s.writing(t.Context(), 1, func(in scope) error {
				runs++
				// What an earlier run did must be gone.
				if n, err := in.exec(t.Context(), global(`INSERT INTO sequences (name, last_value) VALUES ($1, 1)`), name); err != nil || n != 1 {
					return fmt.Errorf("run %d: %d rows, %w", runs, n, err)
				}
				if runs <= test.fails {
					_, err := in.exec(t.Context(), global(`DO $$ BEGIN RAISE 'CANARY' USING ERRCODE = '`+test.state+`'; END $$`))
					return err
				}
				return nil
			})
			if (err == nil) != test.ok || runs != test.runs {
				t.Fatalf("%d runs, %v; want %d", runs, err, test.runs)
			}
			if err != nil && (!strings.Contains(err.Error(), test.state) || strings.Contains(err.Error(), "CANARY")) {
				t.Errorf("%v: want the state and none of the server's words", err)
			}
		})
	}
}

// TestDeadlock has two transactions lock two rows each way round.
func TestDeadlock(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	lock := func(ctx context.Context, in scope, name string) error {
		_, err := in.exec(ctx, global(`UPDATE sequences SET last_value = last_value + 1 WHERE name = $1`), name)
		return err
	}
	var meet, wg sync.WaitGroup
	meet.Add(2)
	errs := make([]error, 2)
	for i, names := range [][]string{{"source", "esa"}, {"esa", "source"}} {
		wg.Go(func() {
			first := true
			errs[i] = s.writing(t.Context(), int64(i), func(in scope) error {
				if err := lock(t.Context(), in, names[0]); err != nil {
					return err
				}
				if first { // both hold one row before either asks for the other
					first = false
					meet.Done()
					meet.Wait()
				}
				return lock(t.Context(), in, names[1])
			})
		})
	}
	wg.Wait()
	source, err := s.reading(0).number(t.Context(), global(`SELECT last_value FROM sequences WHERE name = 'source'`))
	must(t)(err)
	esa, err := s.reading(0).number(t.Context(), global(`SELECT last_value FROM sequences WHERE name = 'esa'`))
	must(t)(err)
	if err := errors.Join(errs...); err != nil || source != 2 || esa != 999+2 {
		t.Fatalf("%v; source %d, esa %d", err, source, esa)
	}
}

// kill ends the connection that a transaction runs on, from another one, and waits
// until the server has let go of it.
func kill(t *testing.T, s *Store, url string, in scope) {
	t.Helper()
	pid, err := in.number(t.Context(), global(`SELECT pg_backend_pid()::bigint`))
	must(t)(err)
	must(t)(pgtest.Shared(t).Exec(t.Context(), url, `SELECT pg_terminate_backend($1, 20000)`, int32(pid)))
}

// TestLostConnection: only what was surely not done is done again.
func TestLostConnection(t *testing.T) {
	url := pgtest.Database(t)
	s := opened(t, url)
	insert := func(in scope, name string) error {
		_, err := in.exec(t.Context(), global(`INSERT INTO sequences (name, last_value) VALUES ($1, 1)`), name)
		return err
	}
	must(t)(pgtest.Shared(t).Exec(t.Context(), url, `SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity
		WHERE application_name = 'esagate' AND datname = current_database()`))
	for _, test := range []struct {
		name string
		work func(in scope, run int) error
		runs int
		ok   bool
		open bool // whether it may stand
	}{
		{"before the transaction", func(in scope, _ int) error { return insert(in, "before") }, 1, true, false},
		{"within", func(in scope, _ int) error {
			kill(t, s, url, in)
			return insert(in, "within")
		}, 1, false, false},
		{"at the commit", func(in scope, _ int) error {
			err := insert(in, "commit")
			kill(t, s, url, in)
			return err
		}, 1, false, true},
		{"found dead", func(in scope, run int) error {
			if run == 1 {
				return fmt.Errorf("statement: %w", driver.ErrBadConn)
			}
			return insert(in, "dead")
		}, 2, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			runs := 0
			err := s.writing(t.Context(), 1, func(in scope) error {
				runs++
				return test.work(in, runs)
			})
			if (err == nil) != test.ok || runs != test.runs || errors.Is(err, registry.ErrOutcomeUnknown) != test.open {
				t.Fatalf("%d runs, %v", runs, err)
			}
			if test.open && !strings.Contains(err.Error(), "may stand or not") {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("the caller has gone", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runs := 0
		err := s.writing(ctx, 1, func(scope) error {
			runs++
			cancel()
			return &pgError{code: codeDeadlock}
		})
		if err == nil || runs != 1 {
			t.Fatalf("%d runs, %v", runs, err)
		}
	})
}

// TestWaitingForARowEndsWithTheContext holds a row as another replica would.
func TestWaitingForARowEndsWithTheContext(t *testing.T) {
	s := opened(t, pgtest.Database(t))
	must(t)(s.writing(t.Context(), 1, func(in scope) error {
		if _, err := in.number(t.Context(), nextID, "esa"); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := s.writing(ctx, 2, func(in scope) error {
			_, err := in.number(ctx, nextID, "esa")
			return err
		}); !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("waited, then %w", err)
		}
		return s.Ping(t.Context()) // readers go on meanwhile
	}))
}
