package growth

import (
	"math"
	"time"
)

// Fleet is replicas and what is asked of them.
type Fleet struct {
	Replicas int
	Sources  int
	Reads    float64       // a second, of all sources at all replicas
	Zipf     float64       // exponent of the readership
	Redis    bool          // snapshot.redis_url is set
	Call     time.Duration // how long the sales agent takes for a status
	Fresh    time.Duration // snapshot.fresh
	Poll     time.Duration // reconcile.interval; 0: nothing is polled
	Polls    int           // reconcile.concurrency
}

// What the gateway does, as the packages named have it. Times are in seconds.
const (
	savePause  = 60.0   // between two writes of a tenant's snapshot by one replica, or by all that share a Redis (status)
	renewPause = 0.3    // between two renewals of a lease while a call runs (snapshot)
	waitPause  = 0.04   // between two looks of who waits for another replica's call, at first (snapshot)
	askPause   = 600.0  // between two questions whether a tenant is active (cmd/esagate)
	leasePause = 10.0   // between two extensions of the leader's lease (internal/leader)
	askBytes   = 900.0  // of a look and its answer without a document
	docBytes   = 4000.0 // of a document in Redis
	roundTrip  = 0.0005 // of a look: those of one key at one replica follow each other
	hintBytes  = 200.0  // of a hint on its way to one replica
	poolSize   = 12.0   // connections to PostgreSQL that a replica may hold (registry/sqlstore)
	listeners  = 1.0    // connections that wait for hints
	redisPool  = 20.0   // connections to Redis that a replica of two processors may hold (go-redis: ten for each)
)

// Rates computes what a fleet does in a second, once it has run for some minutes.
func (f Fleet) Rates() Rates {
	var r Rates
	n, idle := float64(f.Replicas), 0.0
	for _, b := range bands(f.Sources, f.Reads, f.Zipf) {
		var of Rates
		if f.Redis {
			of = f.shared(b.reads)
		} else {
			calls := f.calls(b.reads / n)
			of = Rates{Calls: n * calls, RowWrites: written(calls, n)}
		}
		r.Calls += b.count * of.Calls
		r.RedisOps += b.count * of.RedisOps
		r.RedisBytes += b.count * of.RedisBytes
		r.RowWrites += b.count * of.RowWrites
		idle += b.count * math.Exp(-b.reads*f.Poll.Seconds()) // nobody reads it between two polls
	}
	atOnce := float64(f.Polls) / f.Call.Seconds()
	asks := min(float64(f.Sources)/askPause, atOnce) // whether a tenant is still active, which leaves a row
	r.Calls, r.RowWrites = r.Calls+asks, r.RowWrites+asks
	if f.Poll > 0 {
		polls := min(idle/f.Poll.Seconds(), atOnce)
		r.Calls, r.RowWrites = r.Calls+polls, r.RowWrites+3*polls
	}
	r.RowWrites += 1 / leasePause
	r.DatabaseConnections = n * (poolSize + listeners)
	if f.Redis {
		r.DatabaseConnections, r.RedisConnections = n*poolSize, n*(redisPool+listeners)
	}
	return r
}

// calls gives how often a source is fetched that is read so often, at one place: a copy is fresh for a while, the next
// read finds it old, and the call takes its time.
func (f Fleet) calls(reads float64) float64 {
	return reads / (1 + reads*(f.Fresh+f.Call).Seconds())
}

// written gives how many rows n replicas write of a source that each fetches so often. Each writes three at most once in
// savePause: the snapshot, how the source stands, and what was last heard of its sync. What comes in between is written
// at the end of the pause; of the first two the database then refuses what is older than what another replica has
// written meanwhile.
func written(often, n float64) float64 {
	if often == 0 {
		return 0
	}
	waited := 1 - math.Exp(-savePause*often)
	age := 1/often - savePause/math.Expm1(savePause*often) // of what waited, on average
	newer := (n - 1) / savePause * age / 2                 // that others have written
	taken := 1 - waited + waited/(1+newer)
	return n * (1 + 2*taken) / (savePause + math.Exp(-savePause*often)/often)
}

// shared is what a source costs that all replicas share.
func (f Fleet) shared(reads float64) Rates {
	n, call, fresh := float64(f.Replicas), f.Call.Seconds(), f.Fresh.Seconds()
	calls, here := f.calls(reads), reads/n
	// Who calls looks, takes the lease, renews it and publishes.
	caller := 3 + math.Floor(call/renewPause)
	// Each other replica looks once when it is read while the copy is fresh elsewhere, and takes the document.
	takers := (n - 1) * (1 - math.Exp(-here*(fresh+call)))
	// Readers who come during the call look too, one look at a time, and the first one has its replica wait.
	looks := n * min(here, 1/roundTrip) * call
	waits := (n - 1) * (1 - math.Exp(-here*call)) * (1 + call/(call+waitPause))
	hint := 1 - math.Exp(-reads*(n-1)/n*call) // somebody waits: all are told
	return Rates{
		Calls:      calls,
		RedisOps:   calls * (caller + takers + looks + waits + hint),
		RedisBytes: calls * ((caller+takers+looks+waits)*askBytes + (1+takers)*docBytes + hint*(n+1)*hintBytes),
		// The first call of a minute leaves three rows.
		RowWrites: 3 * (1 - math.Exp(-savePause*calls)) / savePause,
	}
}

const (
	sharedBytes = 4600.0 // of a document in Redis' memory
	heldBytes   = 8192.0 // of a source that a replica knows, with its document
	readSeconds = 30e-6  // of a processor for one cached read
)

// Room is the memory, in bytes, and the processors that a fleet needs to serve everything from memory.
type Room struct {
	Redis, Replica float64
	Processors     float64 // of all replicas together, for the reads
}

// Room computes it: a document is held for a time after it was received.
func (f Fleet) Room(held time.Duration) (r Room) {
	for _, b := range bands(f.Sources, f.Reads, f.Zipf) {
		if f.Redis {
			r.Redis += b.count * (1 - math.Exp(-b.reads*held.Seconds())) * sharedBytes
		}
		r.Replica += b.count * (1 - math.Exp(-b.reads/float64(f.Replicas)*held.Seconds())) * heldBytes
	}
	r.Processors = f.Reads * readSeconds
	return r
}
