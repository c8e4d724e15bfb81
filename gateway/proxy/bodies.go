package proxy

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// patience is a time that may pass until something is heard of. The zero of it, nil, has no end.
type patience struct {
	timer  *time.Timer
	within time.Duration
}

func newPatience(within time.Duration, over func()) *patience {
	if within <= 0 {
		return nil
	}
	return &patience{time.AfterFunc(within, over), within}
}

// heard begins the time anew.
func (p *patience) heard() {
	if p != nil {
		p.timer.Reset(p.within)
	}
}

func (p *patience) stop() {
	if p != nil {
		p.timer.Stop()
	}
}

// sentBody counts and bounds what a client sends. The transport reads it, in a goroutine that may outlive the answer's
// beginning.
type sentBody struct {
	io.ReadCloser
	x    *exchange
	wait *patience

	reading  sync.Mutex
	forsaken bool // nobody reads it any more

	mu       sync.Mutex
	answered bool // the first byte is not waited for any more
}

// forsake ends its being read. What is being read has to end by itself.
func (b *sentBody) forsake() {
	if b != nil {
		b.reading.Lock()
		defer b.reading.Unlock()
		b.forsaken = true
	}
}

// Read implements io.Reader.
func (b *sentBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.forsaken {
		return 0, ErrRequest
	}
	b.x.client.expectMore()
	n, err := b.ReadCloser.Read(p)
	total := b.x.sent.Add(int64(n))
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.answered {
		b.wait.heard()
	}
	switch most := b.x.limits.Request; {
	case most > 0 && total > most:
		b.x.abort(ErrRequestTooLarge)
		return n, ErrRequestTooLarge
	case err == io.EOF:
		b.x.sentAll.Store(true)
		b.x.client.expectNothing()
	case err != nil && b.x.client.late(err, &b.x.client.readTil):
		b.x.slow(ErrRequest)
	case err != nil:
		b.x.abort(ErrRequest)
	}
	return n, err
}

// leave is called when the answer has begun, or there is none.
func (b *sentBody) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.answered = true
	b.wait.stop()
}

// receivedBody counts and bounds an answer.
type receivedBody struct {
	io.ReadCloser
	x    *exchange
	idle *patience
	most int64 // bytes of it all; 0: any
	line int   // bytes of a line; 0: any
	long int   // how long the line is by now
}

// Read implements io.Reader.
func (b *receivedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.idle.heard()
	total := b.x.received.Add(int64(n))
	switch {
	case b.most > 0 && total > b.most:
		err = ErrTooLarge
	case b.line > 0 && b.tooLong(p[:n]):
		err = ErrLine
	case err == nil, err == io.EOF, b.x.upgraded: // a connection ends by being closed, on either side
		return n, err
	default:
		err = ErrCut
	}
	b.x.abort(err)
	return 0, err
}

// tooLong follows the lines of an event stream and reports whether one is longer than it may be.
func (b *receivedBody) tooLong(piece []byte) bool {
	for len(piece) > 0 {
		end := bytes.IndexAny(piece, "\r\n")
		if end < 0 {
			b.long += len(piece)
			return b.long > b.line
		}
		if b.long+end > b.line {
			return true
		}
		b.long, piece = 0, piece[end+1:]
	}
	return false
}

// Close implements io.Closer.
func (b *receivedBody) Close() error {
	b.idle.stop()
	return b.ReadCloser.Close()
}

// upgradedBody is a connection that became another protocol's.
type upgradedBody struct {
	*receivedBody
	to io.Writer
}

// Write implements io.Writer.
func (b *upgradedBody) Write(p []byte) (int, error) {
	n, err := b.to.Write(p)
	b.idle.heard()
	if total := b.x.sent.Add(int64(n)); b.most > 0 && total > b.most {
		b.x.abort(ErrRequestTooLarge)
		return n, ErrRequestTooLarge
	}
	return n, err
}

// pool lends ReverseProxy the memory to copy with.
type pool struct{}

var copyBuffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

const copyBuffer = 32 << 10

// Get implements httputil.BufferPool.
func (pool) Get() []byte { return copyBuffers.Get().(*[copyBuffer]byte)[:] }

// Put implements httputil.BufferPool.
func (pool) Put(b []byte) { copyBuffers.Put((*[copyBuffer]byte)(b)) }
