package vault

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/secretdata"
)

// Limits of an encryption key.
const (
	// MaxKeySize bounds the text of a key or keyset, in bytes.
	MaxKeySize = 64 << 10
	// MaxKeys bounds the keys of a keyset, disabled ones included.
	MaxKeys = 20
)

const rawKeySize = 32

// KeyError says what is wrong with an encryption key, as a sentence without a
// subject ("must be …"). Nothing of the key is in it.
type KeyError string

// Error implements error.
func (e KeyError) Error() string { return "encryption key " + string(e) }

const notAKey = KeyError("must be 32 bytes in base64 (openssl rand -base64 32), or a Tink keyset in JSON")

// New makes a vault of `store.encryption_key`: 32 bytes in base64, with either
// alphabet, padded or not, or a cleartext Tink AEAD keyset in JSON. Space around it
// is ignored. The error is a KeyError.
func New(key string) (*Vault, error) {
	if len(key) > MaxKeySize {
		return nil, KeyError("must be at most 64 KiB")
	}
	key = strings.TrimSpace(key)
	switch {
	case key == "":
		return nil, KeyError("is required; make one with: openssl rand -base64 32")
	case strings.HasPrefix(key, "{"):
		return fromKeyset(key)
	}
	raw, ok := decode(key)
	if !ok {
		return nil, notAKey
	}
	return fromRaw(raw)
}

// Generate makes a new raw key, in padded base64.
func Generate() string {
	var raw [rawKeySize]byte
	_, _ = rand.Read(raw[:]) // never fails: it ends the program instead
	return base64.StdEncoding.EncodeToString(raw[:])
}

// decode takes base64 strictly: one alphabet, no line breaks, and no bits beyond the
// 32 bytes, so that a mistyped last character is seen.
func decode(key string) ([]byte, bool) {
	const unpadded, padded = 43, 44
	if len(key) == padded {
		key = strings.TrimSuffix(key, "=")
	}
	if len(key) != unpadded {
		return nil, false
	}
	for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if raw, err := alphabet.Strict().DecodeString(key); err == nil && len(raw) == rawKeySize { // less with a line break, which it passes over
			return raw, true
		}
	}
	return nil, false
}

// fromRaw makes the keyset of one raw key. The cipher is XChaCha20-Poly1305: its
// random nonces have 192 bits, so no count of messages wears the key out, and it
// runs in constant time on every processor. It must never be changed: every row that
// was sealed under a raw key would be lost.
func fromRaw(raw []byte) (*Vault, error) {
	secret := secretdata.NewBytesFromData(raw, insecuresecretdataaccess.Token{})
	key, err := xchacha20poly1305.NewKey(secret, rawKeyID(raw), newKeys)
	if err != nil {
		return nil, notAKey
	}
	manager := keyset.NewManager()
	id, err := manager.AddKey(key)
	if err == nil {
		err = manager.SetPrimary(id)
	}
	if err != nil {
		return nil, notAKey
	}
	handle, err := manager.Handle()
	if err != nil {
		return nil, notAKey
	}
	return fromHandle(handle)
}

// newKeys are the parameters of every key that is made here.
var newKeys, _ = xchacha20poly1305.NewParameters(xchacha20poly1305.VariantTink) // it fails for other variants alone

// rawKeyID gives a raw key's id. It stands before every ciphertext, so it must be
// the same at every start, and the same when the key has become part of a keyset;
// it is public, so it is drawn from the key by a function that can't be turned back.
func rawKeyID(raw []byte) uint32 {
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte("esagate store.encryption_key id"))
	return max(1, binary.BigEndian.Uint32(mac.Sum(nil))) // Tink takes 0 for none
}
