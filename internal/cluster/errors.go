package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// clusterError is an error of ours, with nothing of Redis or its address in it.
type clusterError string

// Error implements error.
func (e clusterError) Error() string { return "cluster: " + string(e) }

// OwnWords is the error, which may be shown whatever it stands in.
func (e clusterError) OwnWords() string { return e.Error() }

var (
	// ErrAway: Redis did not answer in time, or could not do what it was asked for, or is not asked
	// because it did not lately.
	ErrAway error = clusterError("Redis is away")
	// ErrURL: an address that [Open] can't read. The address is not part of the error: it may hold a password.
	ErrURL error = clusterError("not the address of a Redis")
)

// awayError says in our words why Redis is away: what the client and the server say has addresses in it.
type awayError struct {
	why   string
	cause error
}

// inOurWords makes an awayError of an error of the client.
func inOurWords(err error) error {
	if err == nil {
		return nil
	}
	why, _ := explain(err)
	return &awayError{why, err}
}

// Error implements error.
func (e *awayError) Error() string { return ErrAway.Error() + ": " + e.why }

// OwnWords is the error.
func (e *awayError) OwnWords() string { return e.Error() }

// Unwrap gives ErrAway and what went wrong.
func (e *awayError) Unwrap() []error { return []error{ErrAway, e.cause} }

// refusals are the states of a server that error replies tell of, by how these begin (Redis' documentation of
// its protocol, "Simple errors"; the client leaves out a leading "ERR ").
var refusals = []struct{ prefix, words string }{
	{"OOM ", "it is full (maxmemory)"},
	{"READONLY ", "it is a replica, which takes no writes"},
	{"LOADING ", "it is reading its data"},
	{"MASTERDOWN ", "it is a replica that has lost its master"},
	{"CLUSTERDOWN ", "its cluster is down"},
	{"MISCONF ", "it can't write to its disk, and takes no writes"},
	{"NOREPLICAS ", "it has too few replicas, and takes no writes"},
	{"WRONGPASS ", "it refuses the user or password"},
	{"NOAUTH ", "it wants a password"},
	{"NOPERM ", "its user may not do what is needed"},
	{"max number of clients reached", "it has too many clients"},
}

// explain says in our words why an exchange failed, and whether that lasts, so that asking again is of no use.
func explain(err error) (why string, lasts bool) {
	for _, r := range refusals {
		if redis.HasErrorPrefix(err, r.prefix) {
			return r.words, true
		}
	}
	var (
		reply       redis.Error
		timeout     net.Error
		certificate *tls.CertificateVerificationError
		dial        *net.OpError
	)
	switch {
	case errors.As(err, &reply):
		return "it answers with an error", false
	case errors.As(err, &certificate):
		return "its certificate is not trusted", true
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it does not answer in time", false
	case errors.As(err, &dial) && dial.Op == "dial":
		return "it can't be reached", false
	}
	return "the connection broke", false
}
