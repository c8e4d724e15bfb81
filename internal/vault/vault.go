// Package vault encrypts what a store keeps secret, under `store.encryption_key`:
// one key, or a Tink keyset of several, of which the primary one encrypts and all
// enabled ones decrypt. docs/configuration.md is the reference for operators.
package vault

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrOpen means that something can't be decrypted: another identity, a key that is
// not at hand, or bytes that were changed. Which of them it was can't be told.
var ErrOpen = errors.New("vault: this can't be opened with the keys at hand")

// errIdentity keeps a caller from sealing what could be moved to any other row.
var errIdentity = errors.New("vault: nothing is sealed without an identity")

// prefixSize is the length of what Tink puts before a ciphertext: a byte that is 1,
// and the key's id, big endian.
const prefixSize = 5

// Vault seals and opens secrets with AEAD keys; it is safe for concurrent use.
type Vault struct {
	// A pointer, so that a reflecting printer that passes by Format, as fmt does with
	// unexported fields, finds an address here and no key.
	keys *keys
}

type keys struct {
	handle  *keyset.Handle
	aead    tink.AEAD
	primary [prefixSize]byte // of what the primary key sealed
}

// Seal encrypts plain and binds it to an identity, which Open must be given again:
// whatever says where the result belongs, and never empty. The result begins with
// the key's id and is some 45 bytes longer than plain.
func (v *Vault) Seal(plain, identity []byte) ([]byte, error) {
	if len(identity) == 0 {
		return nil, errIdentity
	}
	sealed, err := v.keys.aead.Encrypt(plain, identity)
	if err != nil {
		return nil, errors.New("vault: this can't be sealed") // Tink's text is not ours to vouch for
	}
	return sealed, nil
}

// Open decrypts what Seal gave. The only error is ErrOpen.
func (v *Vault) Open(sealed, identity []byte) ([]byte, error) {
	plain, err := v.keys.aead.Decrypt(sealed, identity)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Current reports whether something was sealed with the primary key, by the key's
// id that it begins with; it says nothing of whether it can be opened.
func (v *Vault) Current(sealed []byte) bool {
	return len(sealed) >= prefixSize && [prefixSize]byte(sealed) == v.keys.primary
}

// prefixOf gives how everything begins that a key with this id sealed.
func prefixOf(keyID uint32) (p [prefixSize]byte) {
	p[0] = 1
	binary.BigEndian.PutUint32(p[1:], keyID)
	return p
}

const hidden = "[secret]"

// Format implements fmt.Formatter: no verb shows a key.
func (Vault) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Vault) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (Vault) MarshalText() ([]byte, error) { return []byte(hidden), nil }
