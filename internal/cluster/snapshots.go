package cluster

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"esagate/snapshot"
)

// leaseFor is how long a lease lasts that its holder does not renew: as long as others wait after its process was killed.
const leaseFor = time.Second

// maxBody bounds what is read or written of one value. A document beyond it is not shared.
const maxBody = 1 << 20

var errTooLarge error = clusterError("too large to share")

// Snapshots keeps the snapshots of tenants in Redis. It is a snapshot.Shared.
type Snapshots struct{ r *Redis }

var _ snapshot.Shared = (*Snapshots)(nil)

// Snapshots gives the snapshots in this Redis.
func (r *Redis) Snapshots() *Snapshots { return &Snapshots{r} }

// Available implements snapshot.Shared.
func (s *Snapshots) Available() bool { return s.r.Available() }

// run runs a script on the keys of a tenant.
func (s *Snapshots) run(ctx context.Context, script *redis.Script, key string, args ...any) (reply []any, err error) {
	err = s.r.Do(ctx, func(ctx context.Context, c redis.UniversalClient) (err error) {
		reply, err = script.Run(ctx, c, []string{s.r.Key("snapshot", key), s.r.Key("lease", key)}, args...).Slice()
		return err
	})
	return reply, err
}

// Look implements snapshot.Shared.
func (s *Snapshots) Look(ctx context.Context, key string, q snapshot.Question) (snapshot.Known, error) {
	reply, err := s.run(ctx, lookScript, key, q.Lease, leaseFor.Milliseconds(), q.Have.At, q.Have.Received, q.Format, q.Epoch,
		q.Expired.Microseconds(), q.Retried.Microseconds())
	if err != nil {
		return snapshot.Known{}, err
	}
	return known(reply)
}

// Renew implements snapshot.Shared.
func (s *Snapshots) Renew(ctx context.Context, key, lease string) error {
	_, err := s.run(ctx, renewScript, key, lease, leaseFor.Milliseconds())
	return err
}

// Publish implements snapshot.Shared.
func (s *Snapshots) Publish(ctx context.Context, key string, p snapshot.Publication) (snapshot.Known, error) {
	if len(p.Body) > maxBody {
		_, _ = s.End(ctx, key, p.Lease, snapshot.Finding{}) // nobody is to wait for it: the lease would end by itself
		return snapshot.Known{}, errTooLarge
	}
	reply, err := s.run(ctx, publishScript, key, p.Lease, p.Format, p.At, p.Epoch, p.Asked.Microseconds(), p.Fresh.Microseconds(),
		p.Lifetime.Microseconds(), p.Body, p.Age.Microseconds())
	if err != nil {
		return snapshot.Known{}, err
	}
	return known(reply)
}

// End implements snapshot.Shared.
func (s *Snapshots) End(ctx context.Context, key, lease string, f snapshot.Finding) (snapshot.Known, error) {
	args := []any{lease, f.Format, f.Epoch, f.Asked.Microseconds(), f.Gone, f.GoneFor.Microseconds()}
	if x := f.Failure; x != nil {
		args = append(args, x.Error, x.Left.Microseconds(), flags(x))
	}
	reply, err := s.run(ctx, endScript, key, args...)
	if err != nil {
		return snapshot.Known{}, err
	}
	return known(reply)
}

// Flags of a failure.
const (
	flagAgain = 1 << iota
	flagSlow
)

func flags(x *snapshot.SharedFailure) (n int64) {
	if x.Again {
		n |= flagAgain
	}
	if x.Slow {
		n |= flagSlow
	}
	return n
}

// known reads what a script returned.
func known(reply []any) (k snapshot.Known, err error) {
	r := fields{reply: reply}
	switch r.number() {
	case 1:
		k.Held = true
	case 2:
		k.Waits = true
	}
	k.Stored, k.Tell, k.There = r.number() == 1, r.number() == 1, r.number() == 1
	k.Stamp = snapshot.Stamp{At: r.number(), Received: r.number()}
	k.Format, k.Epoch = int(r.number()), r.number()
	k.Age, k.Asked, k.Fresh, k.Settled = r.duration(), r.duration(), r.duration(), r.duration()
	k.Body = r.bytes()
	failure := &snapshot.SharedFailure{Error: r.bytes(), Ago: r.duration(), Left: r.duration()}
	flags := r.number()
	failure.Again, failure.Slow = flags&flagAgain != 0, flags&flagSlow != 0
	if failure.Error != nil && failure.Left > 0 {
		k.Failure = failure
	}
	k.Gone, k.GoneFor = r.bytes(), r.duration()
	if r.bad || len(r.reply) > 0 {
		return snapshot.Known{}, errReply
	}
	return k, nil
}

// errReply: something else is at our keys.
var errReply error = clusterError("not what our script returns")

// fields reads a reply from its beginning. What is missing or of another type makes it bad.
type fields struct {
	reply []any
	bad   bool
}

func take[T any](r *fields) (v T) {
	if len(r.reply) == 0 {
		r.bad = true
		return v
	}
	v, ok := r.reply[0].(T)
	r.bad = r.bad || !ok
	r.reply = r.reply[1:]
	return v
}

func (r *fields) number() int64 { return take[int64](r) }

// maxDuration bounds what is made of a number of another's: beyond it lies nothing that is kept.
const maxDuration = 1 << 45 // microseconds, a year

func (r *fields) duration() time.Duration {
	return time.Duration(min(max(r.number(), -maxDuration), maxDuration)) * time.Microsecond
}

func (r *fields) bytes() []byte {
	s := take[string](r)
	if s == "" || len(s) > maxBody {
		return nil
	}
	return []byte(s)
}
