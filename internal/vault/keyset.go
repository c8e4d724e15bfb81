package vault

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

// keyTypes are the AEADs that a keyset may hold. Tink's envelope type is none of
// them: it would ask a key service with every row.
var keyTypes = []string{
	"type.googleapis.com/google.crypto.tink.AesCtrHmacAeadKey",
	"type.googleapis.com/google.crypto.tink.AesGcmKey",
	"type.googleapis.com/google.crypto.tink.AesGcmSivKey",
	"type.googleapis.com/google.crypto.tink.ChaCha20Poly1305Key",
	"type.googleapis.com/google.crypto.tink.XAesGcmKey",
	"type.googleapis.com/google.crypto.tink.XChaCha20Poly1305Key",
}

// fromKeyset reads a keyset. Errors of Tink and of its JSON reader are dropped:
// they can repeat a piece of what they could not read.
func fromKeyset(text string) (*Vault, error) {
	if !json.Valid([]byte(text)) {
		return nil, KeyError("begins like a JSON keyset, but is not valid JSON")
	}
	read, err := keyset.NewJSONReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, KeyError("is JSON, but not a cleartext Tink keyset")
	}
	if problem := check(read); problem != "" {
		return nil, problem
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(strings.NewReader(text)))
	if err != nil {
		return nil, KeyError("is a keyset with a key that Tink can't use")
	}
	return fromHandle(handle)
}

// check holds a keyset against what is allowed here; "" when it is.
func check(ks *tinkpb.Keyset) KeyError {
	switch {
	case len(ks.GetKey()) == 0:
		return "is a keyset without a key"
	case len(ks.GetKey()) > MaxKeys:
		return "is a keyset of more than 20 keys"
	}
	seen, primary := map[uint32]bool{}, false
	for _, key := range ks.GetKey() {
		enabled := key.GetStatus() == tinkpb.KeyStatusType_ENABLED
		switch {
		case !slices.Contains(keyTypes, key.GetKeyData().GetTypeUrl()):
			return "is a keyset with a key of a type that is no AEAD known here"
		case key.GetKeyData().GetKeyMaterialType() != tinkpb.KeyData_SYMMETRIC:
			return "is a keyset with a key that is not symmetric"
		case key.GetOutputPrefixType() != tinkpb.OutputPrefixType_TINK:
			return "is a keyset with a key whose output prefix type is not TINK"
		case !enabled && key.GetStatus() != tinkpb.KeyStatusType_DISABLED:
			return "is a keyset with a key that is neither enabled nor disabled"
		case key.GetKeyId() == 0:
			return "is a keyset with a key without an id"
		case seen[key.GetKeyId()]:
			return "is a keyset with two keys of the same id"
		}
		seen[key.GetKeyId()] = true
		primary = primary || enabled && key.GetKeyId() == ks.GetPrimaryKeyId()
	}
	if !primary {
		return "is a keyset without an enabled primary key"
	}
	return ""
}

func fromHandle(handle *keyset.Handle) (*Vault, error) {
	const unusable = KeyError("holds a key that Tink can't use")
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, unusable
	}
	primary, err := handle.Primary()
	if err != nil {
		return nil, unusable
	}
	v := &Vault{&keys{handle: handle, aead: primitive, primary: prefixOf(primary.KeyID())}}
	// A key can be well formed and still fail to encrypt; better here than at a write.
	identity := []byte("probe")
	sealed, err := v.Seal(nil, identity)
	if err != nil || !v.Current(sealed) {
		return nil, unusable
	}
	if _, err := v.Open(sealed, identity); err != nil {
		return nil, unusable
	}
	return v, nil
}

// write gives a keyset as New takes it, on one line.
func write(handle *keyset.Handle) ([]byte, error) {
	var long, short bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&long)); err != nil {
		return nil, errRotation
	}
	// protojson varies its spaces from build to build on purpose.
	if err := json.Compact(&short, long.Bytes()); err != nil {
		return nil, errRotation
	}
	return short.Bytes(), nil
}
