package outbound

import (
	"context"
	"io"
)

// body gives at most left bytes of an answer, and errors of this package. Its
// context is that of the exchange, which end cancels.
type body struct {
	ctx  context.Context
	end  context.CancelFunc
	from io.ReadCloser
	left int
	err  error // what reading has come to
}

// Read implements io.Reader: ErrTooLarge once there is more than may be.
func (b *body) Read(p []byte) (int, error) {
	if b.err != nil || len(p) == 0 {
		return 0, b.err
	}
	if len(p) > b.left+1 {
		p = p[:b.left+1] // one more shows that there is more
	}
	n, err := b.from.Read(p)
	switch {
	case n > b.left:
		n, b.err = b.left, ErrTooLarge
		b.end() // nothing more of it is wanted
	case err == nil, err == io.EOF && b.ctx.Err() == nil:
		b.err = err
	case err == io.EOF:
		// A server may still end its answer properly after the context has ended: the
		// answer counts as cut short.
		b.err = b.ctx.Err()
	default:
		b.err = reasonWithin(b.ctx, err)
	}
	b.left -= n
	return n, b.err
}

// Close implements io.Closer, and ends the exchange.
func (b *body) Close() error {
	defer b.end()
	if err := b.from.Close(); err != nil {
		return reasonWithin(b.ctx, err)
	}
	return nil
}
