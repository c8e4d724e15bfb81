// Package snapshot keeps the last good document of each key and decides, read
// by read, whether to serve it, to wait for a newer one, or to give up
// (contract 4.12). It does not know what the documents say, or where they come from.
package snapshot

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Limits are ages since receipt, and waits.
type Limits struct {
	Fresh                time.Duration // up to this age: served at once, nothing asked
	Jitter               float64       // the share of Fresh by which it differs from copy to copy, up or down; 0: none
	StaleWhileRevalidate time.Duration // up to this age: served at once while one refresh runs
	StaleIfError         time.Duration // up to this age: served after Patience at the latest
	Patience             time.Duration // from the start of a fetch: how long readers with a copy to fall back on wait
	Timeout              time.Duration // how long a reader without one waits
	FetchTimeout         time.Duration // how long a fetch may go on, though its readers have left
	QueueTimeout         time.Duration // how long it may wait in a queue of its own beside that
	Backoff              time.Duration // after a failed fetch no other begins for this long; 0: 5 s
	MaxBackoff           time.Duration // after further failures; 0: 10 s. Half of either may be added
	Entries              int           // most keys kept, and most that were offered alone; the least recently used go first; 0: any
	Bytes                int           // most that all of them take, but for one; those that were offered alone go first; 0: any
}

// Document is what a Cache keeps. It is shared between readers and so immutable.
//
// A document may also have a method Ahead(now time.Time) bool, which reports whether its
// state is of a time to come. While newer answers are discarded because of such a copy,
// reads of it are Failed. And a method Size() int, the bytes that it takes in memory beside its key
// and its place in the Cache, as long as it is kept.
type Document[D any] interface {
	// Older reports whether this is an older state than another document of the same
	// key: a Cache never serves it after that one.
	Older(than D) bool
}

// Fetch gets the newest document of a key. Its context has the deadline
// FetchTimeout and QueueTimeout and the values, but not the end, of the context of the reader that
// started it.
type Fetch[D Document[D]] func(ctx context.Context, d Demand) (D, error)

// Demand says for whom a fetch is made.
type Demand struct {
	// CopyFrom is when the copy was received that readers can have meanwhile. Zero: there
	// is none, so they wait.
	CopyFrom time.Time
	// Unwanted is closed when all who waited without a copy have left, and no reader was
	// given a copy while the fetch ran: those want the next. A fetch that has not asked
	// anybody yet ends then, with an error that Options.Busy holds for; one that has goes on.
	Unwanted <-chan struct{}
	// Queued is told true when the fetch begins to wait for its turn in a queue of its own,
	// and false when that is over. It need not be called where there is no queue.
	Queued func(waits bool)
}

// Options are what a Cache needs beside its limits.
type Options struct {
	// Gone reports whether an error says that there is no such thing: the copy is
	// dropped and the error remembered for Fresh. Nil: never.
	Gone func(error) bool
	// ForgetGone: such an error answers those who wait for it, and is not remembered.
	ForgetGone bool
	// Busy reports whether an error says that nobody was asked, as too many others ask. It
	// is no failed refresh: readers get the copy, or else this error. Nil: never.
	Busy func(error) bool
	// Waits is told true when a reader of GetFor begins to wait without a copy, and reports whether it may; if so, it
	// is told false when the wait has ended. Nil: all may.
	Waits func(customer int64, begins bool) bool
	// RetryAfter gives how long an error asks to wait; 0 for no wish. Nil: never.
	RetryAfter func(error) time.Duration
	// Refreshed is called with the key and the outcome of each fetch, of one key in the order
	// of the fetches where there is a tier. The next answer of the key is not taken in before it
	// returns. May be nil.
	Refreshed func(key string, o Outcome)
	// Took is called when another replica's answer was taken in: Stored, NotFound or Failed. May be nil.
	Took func(key string, o Outcome)
}

// Outcome is how a fetch ended.
type Outcome uint8

// Outcomes of a fetch.
const (
	Stored    Outcome = iota // a document not older than the last one
	Discarded                // an older state: it counts as an answer and is dropped
	Taken                    // another replica had a newer document, which was taken
	NotFound                 // Gone said so
	Refused                  // Busy said so
	Failed                   // anything else
)

// State says where a read's document came from.
type State uint8

// States of a read.
const (
	Hit   State = iota // the copy, within Fresh
	Stale              // the copy, older than Fresh or expired
	Miss               // a document that this read waited for
)

// Read is one answer of a Cache.
type Read[D Document[D]] struct {
	Doc       D
	Age       time.Duration // since receipt
	Fresh     time.Duration // how long it stays fresh; negative: for how long it has not been
	State     State
	Expired   bool // the copy is to be asked for again however young it is
	Replaced  bool // a Miss in place of a copy that was there
	Collapsed bool // waited for a fetch that another reader had started
	// Failed: the copy's freshness is over, and a refresh has failed since or brought
	// nothing because the copy is of a time to come.
	Failed bool
	// GaveUp: the reader waited for a fetch as long as it may, and got the copy.
	GaveUp bool
}

// UnavailableError says that there is no document to serve.
type UnavailableError struct {
	Cause      error         // the last fetch's error, ErrNoAnswer or ErrQueued
	RetryAfter time.Duration // when the next try is due
}

// Error implements error.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("no snapshot to serve, next try in %s: %v", e.RetryAfter.Round(time.Millisecond), e.Cause)
}

// Unwrap gives the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }

// ErrNoAnswer is the cause when the running fetch took longer than a reader waits.
var ErrNoAnswer = errors.New("no answer yet")

// ErrQueued is the cause when that was so because the fetch waited in its queue for most of
// the reader's time, and who was to be asked is not to blame.
var ErrQueued = errors.New("the fetch had to wait for its turn")

// ErrClosed is the cause after Close.
var ErrClosed = errors.New("the snapshot cache is closed")
