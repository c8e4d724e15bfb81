package lifecycle

import (
	"context"
	"time"

	"esagate/internal/background"
	"esagate/internal/fault"
	"esagate/upstream/wire"
)

// readSettings gives the settings that a change of config is going to reset; nil: none.
// stored are the same if an earlier change has reset them already: upstream does not have
// them any more.
func (r rewrite) readSettings(ctx context.Context) (settings *wire.Settings, stored []byte, err error) {
	raw, err := r.registry.Settings(ctx, r.customer, r.esaID)
	switch {
	case err == nil:
		if settings, err := wire.DecodeSettings(raw); err == nil {
			return settings, raw, nil
		} // else they were never read from upstream
	case !fault.Is(err, fault.NotFound):
		return nil, nil, err
	}
	call, cancel := r.within(ctx, readTimeout)
	defer cancel()
	settings, err = r.upstream.AdapterSettings(call, r.tenantID, r.config.Type())
	if f := fault.As(err); f != nil {
		if f.Kind == fault.NotFound && f.Reason != fault.TenantNotFound {
			return nil, nil, nil
		}
		return nil, nil, asUpstreamFault(err)
	}
	return settings, nil, nil
}

// restoreStatus is what became of settings that were to be restored.
type restoreStatus uint8

const (
	restoreDone    restoreStatus = iota
	restoreRefused               // upstream does not accept them: it never will
	restoreLater                 // upstream can't be reached
)

// How often it is tried to restore settings, and the pauses in between.
const (
	restoreTries = 3
	restoreFirst = 500 * time.Millisecond
	restoreLast  = 2 * time.Second
)

// putSettings writes settings upstream, in so many tries; the error is upstream's.
func (r rewrite) putSettings(ctx context.Context, kind string, raw []byte, tries int) (restoreStatus, error) {
	for try, pause := 1, restoreFirst; ; try, pause = try+1, min(4*pause, restoreLast) {
		call, cancel := r.within(ctx, writeTimeout)
		err := r.upstream.PutAdapterSettings(call, r.tenantID, kind, raw)
		cancel()
		switch verdictOf(err) {
		case verdictDone:
			return restoreDone, nil
		case verdictNotDone, verdictUnknown:
			if fault.Is(err, fault.Internal) { // it can't be sent at all
				return restoreRefused, err
			}
			if try == tries || !background.Sleep(ctx, pause) {
				return restoreLater, err
			}
		default:
			return restoreRefused, err
		}
	}
}
