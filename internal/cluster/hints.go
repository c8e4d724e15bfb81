package cluster

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"time"

	"esagate/internal/background"
)

// HintKind says what has changed.
type HintKind string

// Kinds of hints. A kind that a replica does not know is passed over: another version sent it.
const (
	// HintSource: a source was written. Customer and Key, its sourceId.
	HintSource HintKind = "source"
	// HintDocument: a newer document of a tenant, Key, is in Redis; At is its own time.
	HintDocument HintKind = "document"
	// HintUpstream: a replica has found the whole sales agent out of order, or well again, or asks those
	// whose breaker is open to say so: Key, one of the three words below.
	HintUpstream HintKind = "upstream"
)

// Keys of HintUpstream.
const (
	UpstreamAway  = "open"
	UpstreamWell  = "closed"
	UpstreamAsked = "asked"
)

// Hint tells other replicas of a change that they would else see later. It may be lost, and it may come
// twice: what it says is looked up, never believed.
type Hint struct {
	Kind     HintKind `json:"kind"`
	Customer int64    `json:"customer,omitempty"`
	Key      string   `json:"key,omitempty"`
	At       int64    `json:"at,omitempty"` // Unix microseconds
}

const (
	maxHints     = 4096        // that wait to be sent; beyond, the newest are lost
	maxHintBatch = 64          // sent at once
	sendTimeout  = time.Second // of one batch
	hintPause    = time.Second // before a connection that broke is made anew
	maxHintBytes = 4096        // of a hint that is read
	hintVersion  = 1           // of message; what has another is passed over
)

// Transport carries messages between replicas, at most once each.
type Transport interface {
	// Publish sends messages to all replicas, this one included.
	Publish(ctx context.Context, messages []string) error
	// Receive calls listening once messages begin to come, and got for each, until ctx ends or the
	// connection breaks.
	Receive(ctx context.Context, listening func(), got func(message string)) error
}

// message is a hint on its way.
type message struct {
	Version int    `json:"v"`
	From    string `json:"from"`
	Hint
}

// Hints sends and receives hints. A nil Hints sends none and receives none. It is safe for concurrent use.
type Hints struct {
	transport Transport
	log       *slog.Logger
	self      string
	queue     chan Hint
	work      *background.Group
	handlers  map[HintKind][]func(Hint)
	listening []func()
}

// NewHints makes a Hints over a transport; it does nothing before Start.
func NewHints(t Transport, log *slog.Logger) *Hints {
	return &Hints{transport: t, log: log, self: rand.Text(), queue: make(chan Hint, maxHints),
		work: background.NewGroup(log), handlers: map[HintKind][]func(Hint){}}
}

// On has hints of a kind, of other replicas alone, handled by do, which must not block. It is called before Start.
func (h *Hints) On(kind HintKind, do func(Hint)) {
	if h != nil {
		h.handlers[kind] = append(h.handlers[kind], do)
	}
}

// OnListening has do called each time that hints begin to come: before, some may have been lost. It
// must not block, and is called before Start.
func (h *Hints) OnListening(do func()) {
	if h != nil {
		h.listening = append(h.listening, do)
	}
}

// Start begins to send and to receive, until Close.
func (h *Hints) Start() {
	if h == nil {
		return
	}
	h.work.Go(context.Background(), "send hints", h.send)
	h.work.Go(context.Background(), "receive hints", h.receive)
}

// Send has a hint sent. It waits for nothing: a hint that there is no room for is lost.
func (h *Hints) Send(hint Hint) {
	if h == nil {
		return
	}
	select {
	case h.queue <- hint:
	default:
	}
}

func (h *Hints) send(ctx context.Context) {
	for {
		select {
		case hint := <-h.queue:
			h.publish(ctx, h.batch(hint))
		case <-ctx.Done():
			return
		}
	}
}

// batch encodes a hint and those that wait behind it, each once.
func (h *Hints) batch(first Hint) []string {
	var batch []string
	sent := map[Hint]struct{}{}
	for hint := first; ; {
		if _, ok := sent[hint]; !ok {
			sent[hint] = struct{}{}
			if encoded, err := json.Marshal(message{hintVersion, h.self, hint}); err == nil {
				batch = append(batch, string(encoded))
			}
		}
		if len(batch) >= maxHintBatch {
			return batch
		}
		select {
		case hint = <-h.queue:
		default:
			return batch
		}
	}
}

func (h *Hints) publish(ctx context.Context, batch []string) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	if err := h.transport.Publish(ctx, batch); err != nil {
		h.log.LogAttrs(ctx, slog.LevelDebug, "hints to other replicas are lost", slog.Int("count", len(batch)), slog.Any("error", err))
	}
}

func (h *Hints) receive(ctx context.Context) {
	for ctx.Err() == nil {
		err := h.transport.Receive(ctx, func() {
			for _, do := range h.listening {
				do()
			}
		}, h.got)
		if ctx.Err() == nil {
			h.log.LogAttrs(ctx, slog.LevelDebug, "hints of other replicas do not come", slog.Any("error", err))
		}
		background.Sleep(ctx, background.Jitter(hintPause))
	}
}

func (h *Hints) got(text string) {
	var m message
	if len(text) > maxHintBytes || json.Unmarshal([]byte(text), &m) != nil || m.Version != hintVersion || m.From == h.self {
		return
	}
	for _, do := range h.handlers[m.Kind] {
		do(m.Hint)
	}
}

// Close ends the sending and receiving, and waits for both.
func (h *Hints) Close(ctx context.Context) {
	if h != nil {
		_ = h.work.Close(ctx)
	}
}
