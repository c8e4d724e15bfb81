package gateway

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"esagate/internal/auth"
	"esagate/internal/events"
)

const (
	// streamTurn is how often a stream's credential is judged: stored keys are known to be revoked
	// some seconds after they were, and their streams end within ten.
	streamTurn = 5 * time.Second
	// heartbeatTurns without anything else to say are followed by a heartbeat: 20 s.
	heartbeatTurns = 4

	streamWriteTimeout = 10 * time.Second // for each event
	streamLastTimeout  = time.Second      // for the last words to a client, at a stop
	judgeTimeout       = 2 * time.Second
)

// stream writes events to one client, from the goroutine of its request. It takes what is new only
// when the last of it has been written: a slow client gets the latest of what it missed.
type stream struct {
	gateway *Gateway
	request *request
	w       http.ResponseWriter
	control *http.ResponseController
	reader  *events.Reader

	credential string
	key        auth.Caller // whose credential it was in the beginning
	judged     time.Time   // when it last was
	quiet      int         // turns since anything was written
}

// How a stream ends, in the words of the log.
var (
	errClientLeft = errors.New("the client left")
	errStopping   = errors.New("the gateway stops")
	errRefused    = errors.New("the key is not good any more")
)

// run writes until the client leaves, does not read or may no longer read, or the gateway stops.
func (s *stream) run() {
	begun := time.Now()
	s.judged = begun
	s.w.WriteHeader(http.StatusOK)
	// The server's own deadlines are for requests: the one for reading would look like a client that left.
	_ = s.control.SetReadDeadline(time.Time{})
	err := s.write(streamWriteTimeout, retryIn(time.Second, 5*time.Second), ":\n", s.position())
	if err == nil {
		err = s.control.Flush() // without one, this is all that the client gets, until it asks again
	}
	s.request.count(s.gateway)
	for err == nil {
		err = s.next()
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(streamLastTimeout)) // for the end of the answer
	if errors.Is(err, errStopping) {
		// Clients that all come back at once would find the next replica cold.
		if s.write(streamLastTimeout, retryIn(time.Second, 15*time.Second), "\n") == nil {
			_ = s.control.Flush()
		}
	}
	s.gateway.log.LogAttrs(s.request.Context(), slog.LevelDebug, "a stream of events ended", slog.String("request_id", s.request.id),
		slog.String("key_name", s.key.Name), slog.Duration("duration", time.Since(begun)), slog.Any("cause", err))
}

// next waits for something to do, and does it.
func (s *stream) next() error {
	// Streams act at whole seconds, together: waking the process is most of what a turn costs.
	now := time.Now()
	turn := time.NewTimer(now.Truncate(time.Second).Add(streamTurn).Sub(now))
	defer turn.Stop()
	select {
	case <-s.request.Context().Done():
		return errClientLeft
	case <-s.gateway.stop:
		return errStopping
	case <-s.reader.Ready():
		return s.deliver()
	case <-turn.C:
	}
	if err := s.check(); err != nil {
		return err
	}
	if s.quiet++; s.quiet < heartbeatTurns {
		return nil
	}
	if err := s.write(streamWriteTimeout, ":\n", s.position()); err != nil {
		return err
	}
	return s.control.Flush()
}

// deliver writes what is new.
func (s *stream) deliver() error {
	for _, d := range s.reader.Take() {
		if err := s.check(); err != nil { // a slow client takes its time for each
			return err
		}
		if err := s.write(streamWriteTimeout, "id: ", d.ID, "\nevent: ", d.Name, "\ndata: "); err != nil {
			return err
		}
		if _, err := s.w.Write(d.Data); err != nil {
			return err
		}
		if err := s.write(streamWriteTimeout, "\n\n"); err != nil {
			return err
		}
	}
	return s.control.Flush()
}

// check says why the stream is over, if it is.
func (s *stream) check() error {
	select {
	case <-s.gateway.stop:
		return errStopping
	default:
	}
	if now := time.Now(); now.Sub(s.judged) >= streamTurn-time.Second {
		s.judged = now
		if !s.welcome() {
			return errRefused
		}
	}
	return nil
}

// welcome reports whether the credential is still good, for the same caller. What can't be judged
// now was good.
func (s *stream) welcome() bool {
	ctx, cancel := context.WithTimeout(s.request.Context(), judgeTimeout)
	defer cancel()
	caller, err := s.gateway.deps.Auth.Authenticate(ctx, s.credential)
	if err != nil {
		return !errors.Is(err, auth.ErrUnknown)
	}
	return *caller == s.key
}

// write writes the pieces within a time.
func (s *stream) write(within time.Duration, pieces ...string) error {
	s.quiet = 0
	_ = s.control.SetWriteDeadline(time.Now().Add(within)) // unless the server knows none
	var room [128]byte
	text := room[:0]
	for _, piece := range pieces {
		text = append(text, piece...)
	}
	_, err := s.w.Write(text)
	return err
}

// position lets the client come back to where it is, where it has got no event for long.
func (s *stream) position() string {
	if id := s.reader.Position(); id != "" {
		return "id: " + id + "\n\n"
	}
	return "\n"
}

// retryIn tells the client when to come back after the stream has ended, some time within bounds.
func retryIn(least, most time.Duration) string {
	d := least + rand.N(most-least)
	return "retry: " + strconv.FormatInt(d.Milliseconds(), 10) + "\n"
}
