package gateway

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"esagate/internal/auth"
	"esagate/internal/events"
)

const (
	heartbeatEvery = 20 * time.Second
	// sessionStream is how long a stream by a session goes on: when its client comes back the session is renewed.
	sessionStream = auth.SessionIdle / 2

	streamWriteTimeout = 10 * time.Second // for each event
	streamLastTimeout  = time.Second      // for the last words to a client, at a stop
	// streamBuffer is what the system holds of a stream for a slow client. What is in it can't be
	// replaced by newer events any more.
	streamBuffer = 16 << 10
)

// stream writes events to one client, from the goroutine of its request. It takes what is new only
// when the last of it has been written: a slow client gets the latest of what it missed.
type stream struct {
	gateway *Gateway
	request *request
	w       http.ResponseWriter
	control *http.ResponseController
	reader  *events.Reader

	watch *watch
	turn  *time.Timer      // to the next heartbeat, before which the credential is judged in any case
	end   <-chan time.Time // nil: none is set
}

// How a stream ends, in the words of the log.
var (
	errClientLeft = errors.New("the client left")
	errStopping   = errors.New("the gateway stops")
	errRenew      = errors.New("the session is to be renewed")
)

// stream writes what a reader gets until the client leaves, does not read or may no longer read, or
// the gateway stops.
func (g followers) stream(w http.ResponseWriter, r *request, reader *events.Reader) {
	s := &stream{gateway: g.Gateway, request: r, w: w, control: http.NewResponseController(w), reader: reader,
		watch: newWatch(g.Gateway, r), turn: time.NewTimer(heartbeatEvery)}
	defer s.turn.Stop()
	if r.session != nil {
		end := time.NewTimer(sessionStream)
		defer end.Stop()
		s.end = end.C
	}
	// The server's own deadlines are for requests: the one for reading would look like a client that left.
	_ = s.control.SetReadDeadline(time.Time{})
	if c, ok := r.Context().Value(connKey{}).(*gatheringConn); ok {
		c.boundBuffer(streamBuffer)
	}
	begun := time.Now()
	err := s.begin()
	r.count(g.Gateway)
	for err == nil {
		err = s.next()
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(streamLastTimeout)) // for the end of the answer
	if errors.Is(err, errStopping) {
		// Clients that all come back at once would find the next replica cold.
		_ = s.say(streamLastTimeout, retryIn(time.Second, 15*time.Second)+"\n")
	}
	g.log.LogAttrs(r.Context(), slog.LevelDebug, "a stream of events ended", slog.String("request_id", r.id),
		slog.String("key_name", r.key.Name), slog.Duration("duration", time.Since(begun)), slog.Any("cause", err))
}

// begin judges the key, which may be another's since the request was let in, and writes the first bytes.
func (s *stream) begin() error {
	if err := s.judge(); err != nil {
		return err
	}
	// To a client that can't be written to at once, this is all until it asks again.
	return s.say(streamWriteTimeout, retryIn(time.Second, 5*time.Second)+s.heartbeat())
}

// next waits for something to do, and does it.
func (s *stream) next() error {
	select {
	case <-s.request.Context().Done():
		return errClientLeft
	case <-s.gateway.stop:
		return errStopping
	case <-s.end:
		return errRenew
	case <-s.watch.changed:
		return s.judge()
	case <-s.turn.C:
		if err := s.takeTurn(); err != nil {
			return err
		}
		return s.say(streamWriteTimeout, s.heartbeat())
	case <-s.reader.Ready():
		return s.deliver()
	}
}

// deliver writes what is new. A slow client takes its time for each event: nothing else waits for it.
func (s *stream) deliver() error {
	for _, d := range s.reader.Take() {
		var err error
		select {
		case <-s.gateway.stop:
			return errStopping
		case <-s.watch.changed:
			err = s.judge()
		case <-s.turn.C:
			err = s.takeTurn()
		default:
		}
		if err == nil {
			err = s.write(streamWriteTimeout, "id: "+d.ID+"\nevent: "+d.Name+"\ndata: "+string(d.Data)+"\n\n")
		}
		if err != nil {
			return err
		}
	}
	return s.control.Flush()
}

// takeTurn judges the credential, which is then known to be in use, and sets the next turn.
func (s *stream) takeTurn() error {
	s.setTurn()
	return s.judge()
}

// setTurn has streams act at whole seconds, together: waking the process is most of what a turn costs.
func (s *stream) setTurn() {
	now := time.Now()
	s.turn.Reset(now.Truncate(time.Second).Add(s.watch.every(heartbeatEvery)).Sub(now))
}

// judge says why the stream is over, if its credential is not good any more or has become another's.
func (s *stream) judge() error {
	byClock := s.watch.byClock
	err := s.watch.judge()
	if s.watch.byClock != byClock {
		s.setTurn()
	}
	return err
}

// say writes a text and has it sent.
func (s *stream) say(within time.Duration, text string) error {
	if err := s.write(within, text); err != nil {
		return err
	}
	return s.control.Flush()
}

// write writes a text, and gives the client a time to take it.
func (s *stream) write(within time.Duration, text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(within)) // unless the server knows none
	_, err := io.WriteString(s.w, text)
	return err
}

// heartbeat is a comment, and lets the client come back to where it is, where it has got no event for
// long. It must be written when all that was taken has been.
func (s *stream) heartbeat() string {
	if id := s.reader.Position(); id != "" {
		return ":\nid: " + id + "\n\n"
	}
	return ":\n\n"
}

// retryIn tells the client when to come back after the stream has ended, some time within bounds.
func retryIn(least, most time.Duration) string {
	d := least + rand.N(most-least)
	return "retry: " + strconv.FormatInt(d.Milliseconds(), 10) + "\n"
}
