package proxy

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// clientWriter answers a client. It gives the client a time for each piece, since the deadlines of the server are for
// whole requests, and none once the exchange has ended.
type clientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	within  time.Duration
	x       *exchange

	hijacked bool // what is answered is on the connection itself

	mu    sync.Mutex
	begun bool // an answer was
	over  bool // no more deadlines are set
	// The deadlines that were set last; zero: none.
	readTil, writeTil time.Time
}

// WriteHeader implements http.ResponseWriter. Answers that come before the answer are not passed on.
func (w *clientWriter) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		if status >= 200 {
			w.closeUnlessSent()
		}
		if _, said := w.Header()["Content-Type"]; !said { // net/http would guess it from the body
			w.Header()["Content-Type"] = nil
		}
		w.expectTaking()
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (w *clientWriter) Write(p []byte) (int, error) {
	w.expectTaking()
	n, err := w.ResponseWriter.Write(p)
	w.wrote(err)
	return n, err
}

// FlushError serves http.ResponseController.
func (w *clientWriter) FlushError() error {
	w.expectTaking()
	err := w.control.Flush()
	w.wrote(err)
	return err
}

// closeUnlessSent has the connection closed after an answer to what has not come in whole: net/http does not see to it
// once an answer may begin before its request ends, and would take the rest for the next request.
func (w *clientWriter) closeUnlessSent() {
	if !w.x.sentAll.Load() {
		w.Header()["Connection"] = []string{"close"}
	}
}

// wrote looks at why a client does not take what is written to it.
func (w *clientWriter) wrote(err error) {
	switch {
	case err == nil:
	case w.late(err, &w.writeTil):
		w.x.slow(ErrClient)
	default:
		w.x.fail(ErrClient)
	}
}

// late reports whether an error of the client's connection is that the client was slow: an end of the exchange shows as
// a deadline too.
func (w *clientWriter) late(err error, til *time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Is(err, os.ErrDeadlineExceeded) && !til.IsZero() && !time.Now().Before(*til)
}

// Hijack implements http.Hijacker. The client's connection ends with the exchange: a client that neither reads nor
// writes would hold it otherwise.
func (w *clientWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.control.Hijack()
	if err == nil {
		w.hijacked = true
		context.AfterFunc(w.x.ctx, func() { _ = conn.Close() })
	}
	return conn, buffered, err
}

// expectTaking gives the client time to take what is written next.
func (w *clientWriter) expectTaking() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = true
	if w.within > 0 && !w.over {
		w.writeTil = time.Now().Add(w.within)
		_ = w.control.SetWriteDeadline(w.writeTil)
	}
}

// expectMore gives the client time to send more.
func (w *clientWriter) expectMore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.within > 0 && !w.over {
		w.readTil = time.Now().Add(w.within)
		_ = w.control.SetReadDeadline(w.readTil)
	}
}

// expectNothing waits for the client to leave, for as long as it stays.
func (w *clientWriter) expectNothing() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		_ = w.control.SetReadDeadline(time.Time{})
	}
}

// cut ends what waits for the client, once the exchange is over: the rest of its request, and its taking the answer.
// Where none has begun, there may be an error to be answered.
func (w *clientWriter) cut(sentAll bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.over = true
	past := time.Unix(1, 0)
	if !sentAll {
		_ = w.control.SetReadDeadline(past)
	}
	if w.begun {
		_ = w.control.SetWriteDeadline(past)
	}
}

// restTime is for what is on its way of a request that was answered before it came in whole.
const restTime = 500 * time.Millisecond

// leave keeps hands off the connection from now on, the transport's too, if it still reads the request, which nobody
// wants any more. If no answer has begun, there is time for one of somebody else's. The server waits for what is on its
// way.
func (w *clientWriter) leave(sent *sentBody) {
	w.mu.Lock()
	w.over = true
	if !w.begun && w.within > 0 {
		_ = w.control.SetWriteDeadline(time.Now().Add(w.within))
	}
	w.mu.Unlock()
	if w.x.sentAll.Load() {
		return
	}
	if !w.begun {
		w.closeUnlessSent()
	}
	_ = w.control.SetReadDeadline(time.Unix(1, 0))
	sent.forsake()
	_ = w.control.SetReadDeadline(time.Now().Add(restTime))
}
