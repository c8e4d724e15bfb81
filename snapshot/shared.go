package snapshot

import (
	"context"
	"time"
)

// Shared keeps what the caches of several replicas know of keys. It may lose everything at any time. Each method is
// one exchange, which it bounds itself; after an error of any kind a cache goes on alone. Times are durations, so that
// the clocks of replicas need not agree.
type Shared interface {
	// Available reports whether it is worth asking.
	Available() bool
	// Look gives what is known of a key. With a Lease it takes the key's lease where nobody has it and what is known
	// answers nothing.
	Look(ctx context.Context, key string, q Question) (Known, error)
	// Renew extends the lease of a key for its holder, and takes it anew where it was lost.
	Renew(ctx context.Context, key, lease string) error
	// Publish keeps a document unless a newer one is known, which it gives then, and ends the lease.
	Publish(ctx context.Context, key string, p Publication) (Known, error)
	// End ends a lease without a document. What its holder found out is kept; of others nothing is.
	End(ctx context.Context, key, lease string, f Finding) (Known, error)
}

// Stamp tells publications of a key apart. The zero Stamp is none's.
type Stamp struct {
	At       int64 // the document's own time, by which it is newer than another: Unix microseconds
	Received int64 // of the same document: its receipt, by a clock of the Shared
}

// Question says what one cache wants to know of a key.
type Question struct {
	Lease  string // the token to take the key's lease by; "": look only
	Have   Stamp  // the publication that is here already: its document is not sent again
	Format int    // that the cache reads: others answer nothing
	Epoch  int64  // the newest known here: what is of an earlier one answers nothing
	// Expired is since when what was asked for before answers nothing, and Retried since when a failure before does not
	// count. A second below zero: there is no such time.
	Expired, Retried time.Duration
}

// Known is what a Shared knows of a key.
type Known struct {
	Held    bool // the lease is the asker's
	Waits   bool // another has it
	Stored  bool // of Publish: the document is kept
	Tell    bool // of Publish and End: others wait for it, or have a copy that they would serve as fresh
	There   bool // there is a document
	Stamp   Stamp
	Format  int
	Epoch   int64
	Body    []byte        // nil: it is here already
	Age     time.Duration // since its receipt
	Asked   time.Duration // since it, or that there is nothing, was asked for
	Fresh   time.Duration // how long it stays fresh
	Settled time.Duration // likewise, for an answer that was older than the document; 0 or below: none, or no longer
	Failure *SharedFailure
	Gone    []byte        // the error that says that there is no such thing; nil: there may be
	GoneFor time.Duration // how long that counts
}

// SharedFailure is a fetch that failed.
type SharedFailure struct {
	Error       []byte
	Ago         time.Duration
	Left        time.Duration // until the next fetch
	Again, Slow bool          // see failure
}

// Publication is a document that a fetch brought.
type Publication struct {
	Lease    string
	At       int64 // see Stamp
	Format   int
	Epoch    int64 // the newest known when the fetch began
	Body     []byte
	Age      time.Duration // since its receipt
	Asked    time.Duration // since the fetch began
	Fresh    time.Duration // from now; negative: it is not
	Lifetime time.Duration // after which an older document may replace it
}

// Finding is what a fetch found out that brought no document. The zero Finding is nothing.
type Finding struct {
	Format  int
	Failure *SharedFailure
	Gone    []byte
	GoneFor time.Duration
	Epoch   int64
	Asked   time.Duration
}

// Sharing is how a Cache shares documents with those of other replicas.
type Sharing[D any] struct {
	Store Shared
	// At gives a document's own time in Unix microseconds, which orders documents as Older does.
	At func(D) int64
	// Format is the version of what Encode and EncodeError write. Decode and DecodeError judge what they are given: it
	// comes from outside.
	Format      int
	Encode      func(D) []byte
	Decode      func([]byte) (D, bool)
	EncodeError func(error) []byte // nil: it is for nobody else
	DecodeError func([]byte) (error, bool)
	// Tell has the others look at a key again, if it can: it may be lost. at is the own time of the document that they
	// find, 0 without one. It must not block.
	Tell func(key string, at int64)
	// Looked is called with the outcome of each look, and Waited when a fetch begins to wait for another replica's.
	Looked func(LookOutcome)
	Waited func()
}

// LookOutcome is what a look at a Shared brought.
type LookOutcome uint8

// Outcomes of a look.
const (
	LookSame   LookOutcome = iota // nothing newer than what is here
	LookNewer                     // a document
	LookFailed                    // the Shared did not answer
)
