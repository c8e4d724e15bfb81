package lifecycle

import (
	"context"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

// owed are the settings that a change of config is going to reset.
type owed struct {
	settings *wire.Settings // nil: none
	owed     []byte         // the same, if an earlier change has reset them already
}

// readSettings gives the settings that are to be carried over: those that an earlier
// change still owes, or else upstream's own.
func (l *Lifecycle) readSettings(ctx context.Context, r rewrite) (owed, error) {
	raw, err := l.registry.Settings(ctx, r.customer, r.esaID)
	switch {
	case err == nil:
		if settings, err := wire.DecodeSettings(raw); err == nil {
			return owed{settings: settings, owed: raw}, nil
		} // else it was never read from upstream
	case !fault.Is(err, fault.NotFound):
		return owed{}, err
	}
	call, cancel := within(ctx, r.op, lookTimeout)
	defer cancel()
	settings, err := l.upstream.AdapterSettings(call, r.tenantID, r.config.Type())
	if f := fault.As(err); f != nil {
		if f.Kind == fault.NotFound && f.Reason != fault.TenantNotFound {
			return owed{}, nil
		}
		return owed{}, gatewaysOwn(err)
	}
	return owed{settings: settings}, nil
}

// keeping is which settings are kept while a config is changed.
type keeping struct {
	wanted  []byte // what is to be put back after the change; nil: nothing
	back    []byte // what stays kept when it is over: first, what was owed before; nil: nothing
	touched bool   // something else is kept, or may be
}

// forgotten: nothing is owed any more.
func (k keeping) forgotten() keeping {
	k.touched = k.touched || k.back != nil
	k.back = nil
	return k
}

// putting is what became of settings that were to be put back.
type putting uint8

const (
	putDone    putting = iota
	putRefused         // upstream does not take them: it never will
	putLater           // it can't be asked
)

// How often it is tried to put settings back, and the longest pause in between.
const (
	putTries = 3
	putFirst = 500 * time.Millisecond
	putPause = 2 * time.Second
)

// putBack writes settings back, in so many tries; the error is upstream's.
func (l *Lifecycle) putBack(ctx context.Context, op registry.Operation, tenantID, kind string, raw []byte, tries int) (putting, error) {
	for try, pause := 1, putFirst; ; try, pause = try+1, min(4*pause, putPause) {
		call, cancel := within(ctx, op, putTimeout)
		err := l.upstream.PutAdapterSettings(call, tenantID, kind, raw)
		cancel()
		switch judge(err) {
		case verdictDone:
			return putDone, nil
		case verdictNotDone, verdictUnknown:
			if fault.Is(err, fault.Internal) { // it can't be sent at all
				return putRefused, err
			}
			if try == tries || !background.Sleep(ctx, pause) {
				return putLater, err
			}
		default:
			return putRefused, err
		}
	}
}
