package outbound

import (
	"context"
	"errors"
	"io"
	"net/http"
)

// body gives at most MaxBody bytes of an answer, and errors of this package. Its
// context is that of the exchange, which end cancels.
type body struct {
	ctx  context.Context
	end  context.CancelFunc
	from io.ReadCloser // an http.MaxBytesReader
}

// Read implements io.Reader: ErrTooLarge once there is more than may be.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	switch {
	case err == nil, err == io.EOF && b.ctx.Err() == nil:
		return n, err
	case err == io.EOF:
		// A server may still end its answer properly after the context has ended: the
		// answer counts as cut short.
		return n, b.ctx.Err()
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		b.end() // nothing more of it is wanted
		return n, ErrTooLarge
	}
	return n, reasonWithin(b.ctx, err)
}

// Close implements io.Closer, and ends the exchange.
func (b *body) Close() error {
	defer b.end()
	if err := b.from.Close(); err != nil {
		return reasonWithin(b.ctx, err)
	}
	return nil
}
