package upstream

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// NotSent reports whether the request of a failed call can't have reached upstream: a
// breaker kept it back, its context had ended before, there was no connection, or
// there is no such path. A write has then certainly not been done. In doubt it is false.
func NotSent(err error) bool {
	var u *unsentError
	return errors.As(err, &u)
}

// unsentError marks the cause of a failure before anything was sent.
type unsentError struct{ cause error }

// Error implements error.
func (e *unsentError) Error() string { return e.cause.Error() }

// Unwrap gives the cause itself.
func (e *unsentError) Unwrap() error { return e.cause }

// neverSent marks a failure as one before anything was sent.
func neverSent(f *failure) *failure {
	f.err.Cause = &unsentError{f.err.Cause}
	return f
}

// sending watches how far a request gets. Of net/http's events only those of getting a
// connection are proof: they come on the caller's own goroutine, before a byte can be
// written. WroteHeaders comes from the goroutine that writes, over HTTP/2 after the bytes
// have left.
type sending struct {
	asked     atomic.Bool // a connection was asked for
	connected atomic.Bool // and one was got
	reused    atomic.Bool // which had been used before
	answered  atomic.Bool // something came back
}

// watch returns the request with a trace of its connection.
func (s *sending) watch(r *http.Request) *http.Request {
	return r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { s.asked.Store(true) },
		GotConn: func(got httptrace.GotConnInfo) {
			s.reused.Store(got.Reused)
			s.connected.Store(true)
		},
		GotFirstResponseByte: func() { s.answered.Store(true) },
	}))
}

// silent reports whether a connection that had been used before has given nothing back. It may
// be dead, as those are whose proxy or firewall forgot them, and then all that are idle may be.
func (s *sending) silent() bool { return s.reused.Load() && !s.answered.Load() }

// impossible reports whether the request can't have been sent. Of a transport without these
// events only an error of connecting proves it.
func (s *sending) impossible(err error) bool {
	var loss *transportError
	return !s.connected.Load() && (s.asked.Load() || errors.As(err, &loss) && loss.connecting)
}

// whileConnecting reports whether an error of a transport is one of connecting.
func whileConnecting(err error) bool {
	var (
		op  *net.OpError
		dns *net.DNSError
	)
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED)
}
