package registry

// feed follows the writes to managed sources that others make.
type feed struct {
	look chan struct{} // a look at the store is wanted at once
}

func newFeed() *feed { return &feed{look: make(chan struct{}, 1)} }

// LookNow has the Directory look at once, and not only at its next turn, at what others have written: a hint has come
// that a source was. It waits for nothing; several at once are one look.
func (f *feed) LookNow() {
	select {
	case f.look <- struct{}{}:
	default:
	}
}
