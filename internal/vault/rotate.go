package vault

import (
	"errors"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Step is one step of changing the encryption key.
type Step uint8

// The steps. One process rotates, rewrites all rows, and drops. Where several share
// a store, each must be able to read what another already writes: they prepare, all
// take the new keyset, and then promote, rewrite and drop.
const (
	// Rotate adds a new primary key; the others stay for reading.
	Rotate Step = iota
	// Prepare adds a new key that only reads until it is promoted.
	Prepare
	// Promote makes the prepared key the primary one.
	Promote
	// Drop removes every key but the primary one. Values that were not sealed anew
	// with it are lost. It is not taken while a prepared key waits: another process could
	// have it promoted already, and write with it.
	Drop
)

// Errors of Rotated.
var (
	// ErrPrepared: a prepared key waits for its promotion.
	ErrPrepared = errors.New("vault: the keyset has a prepared key that waits; promote it first")
	// ErrNotPrepared: there is no key to promote.
	ErrNotPrepared = errors.New("vault: the keyset has no prepared key to promote")
	// ErrFull: the keyset has MaxKeys keys.
	ErrFull = errors.New("vault: the keyset has 20 keys; drop the old ones first")

	errRotation = errors.New("vault: the new keyset can't be made")
)

// Rotated gives the keyset that a step leads to, in JSON on one line as New takes
// it: it holds the keys in the clear. The vault itself stays as it is. Errors are
// ErrPrepared, ErrNotPrepared, ErrFull, or hold nothing of a key.
func (v *Vault) Rotated(step Step) ([]byte, error) {
	id, waiting := v.prepared()
	switch {
	case waiting && (step == Prepare || step == Drop):
		return nil, ErrPrepared
	case !waiting && step == Promote:
		return nil, ErrNotPrepared
	case (step == Rotate || step == Prepare) && v.keys.handle.Len() >= MaxKeys:
		return nil, ErrFull
	}
	manager := keyset.NewManagerFromHandle(v.keys.handle)
	var err error
	switch step {
	case Rotate, Prepare:
		id, err = manager.AddNewKeyFromParameters(newKeys)
		if err == nil && step == Rotate {
			err = manager.SetPrimary(id)
		}
	case Promote:
		err = manager.SetPrimary(id)
	case Drop:
		err = v.drop(manager)
	default:
		err = errRotation
	}
	if err != nil || step != Drop && id == 0 { // Tink draws 0 once in 2^32 times; New does not take it
		return nil, errRotation
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, errRotation
	}
	return write(handle)
}

// prepared gives the id of the last enabled key behind the primary one. Keys are
// added at the end, so one behind the primary has never encrypted anything, and one
// before it has had its time.
func (v *Vault) prepared() (id uint32, ok bool) {
	for i := v.keys.handle.Len() - 1; i >= 0; i-- {
		entry, err := v.keys.handle.Entry(i)
		switch {
		case err != nil || entry.IsPrimary():
			return 0, false
		case entry.KeyStatus() == keyset.Enabled:
			return entry.KeyID(), true
		}
	}
	return 0, false
}

func (v *Vault) drop(manager *keyset.Manager) error {
	for i := range v.keys.handle.Len() {
		entry, err := v.keys.handle.Entry(i)
		if err != nil {
			return errRotation
		}
		if entry.IsPrimary() {
			continue
		}
		if err := manager.Delete(entry.KeyID()); err != nil {
			return errRotation
		}
	}
	return nil
}
