package vault

import (
	"errors"

	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
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
	// Drop removes every key but the primary one. What was not sealed anew with that
	// is lost then. It is not taken while a prepared key waits: another process could
	// have it promoted already, and write with it.
	Drop
)

// What keeps a step from being taken.
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
	manager := keyset.NewManagerFromHandle(v.keys.handle)
	var err error
	switch step {
	case Rotate:
		err = v.add(manager, true)
	case Prepare:
		if _, waiting := v.prepared(); waiting {
			return nil, ErrPrepared
		}
		err = v.add(manager, false)
	case Promote:
		id, waiting := v.prepared()
		if !waiting {
			return nil, ErrNotPrepared
		}
		err = failed(manager.SetPrimary(id))
	case Drop:
		if _, waiting := v.prepared(); waiting {
			return nil, ErrPrepared
		}
		err = v.drop(manager)
	default:
		err = errRotation
	}
	if err != nil {
		return nil, err
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

func (v *Vault) add(manager *keyset.Manager, primary bool) error {
	if v.keys.handle.Len() >= MaxKeys {
		return ErrFull
	}
	parameters, err := xchacha20poly1305.NewParameters(xchacha20poly1305.VariantTink)
	if err != nil {
		return errRotation
	}
	id, err := manager.AddNewKeyFromParameters(parameters)
	if err != nil || id == 0 { // Tink draws 0 once in 2^32 times; New does not take it
		return errRotation
	}
	if primary {
		return failed(manager.SetPrimary(id))
	}
	return nil
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

// failed puts our words in the place of Tink's.
func failed(err error) error {
	if err != nil {
		return errRotation
	}
	return nil
}
