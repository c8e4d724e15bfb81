package vault_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"esagate/internal/vault"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
)

func TestEverySpellingOfARawKeyIsTheSameKey(t *testing.T) {
	sealed := seal(t, open(t, rawKey), "a token", rowA)
	url := strings.NewReplacer("+", "-", "/", "_").Replace(rawKey)
	for _, key := range []string{rawKey, strings.TrimRight(rawKey, "="), url, strings.TrimRight(url, "="), " \t" + rawKey + "\r\n"} {
		expectOpens(t, open(t, key), sealed, true, true)
	}
}

func TestGenerateMakesKeys(t *testing.T) {
	a, b := vault.Generate(), vault.Generate()
	if raw, err := base64.StdEncoding.DecodeString(a); err != nil || len(raw) != 32 || a == b {
		t.Errorf("%d bytes, %v; twice the same: %t", len(raw), err, a == b)
	}
}

// TestARawKeyNeverChanges opens what was sealed by XChaCha20-Poly1305 without Tink, under
// the key's id: what rows hold must stay readable, and every one begins with the id.
func TestARawKeyNeverChanges(t *testing.T) {
	sealed, err := base64.StdEncoding.DecodeString("Af7tvIJ0d2VudHktZm91ciBub25jZSBieXRlcyEsJa2CFueoKMufS6RBL4K8IUVA1JKRnQ==")
	if err != nil {
		t.Fatal(err)
	}
	expectOpens(t, open(t, rawKey), sealed, true, true)
}

// keysetJSON makes a keyset of templates, the first one primary, changed by edit.
func keysetJSON(t *testing.T, edit func(*tinkpb.Keyset), templates ...*tinkpb.KeyTemplate) string {
	t.Helper()
	manager := keyset.NewManager()
	for i, template := range templates {
		id, err := manager.Add(template)
		if err == nil && i == 0 {
			err = manager.SetPrimary(id)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	handle, err := manager.Handle()
	if err != nil {
		t.Fatal(err)
	}
	ks := insecurecleartextkeyset.KeysetMaterial(handle)
	if edit != nil {
		edit(ks)
	}
	return written(t, ks)
}

func written(t *testing.T, ks *tinkpb.Keyset) string {
	t.Helper()
	var out strings.Builder
	if err := keyset.NewJSONWriter(&out).Write(ks); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestKeysetsOfEveryAEAD(t *testing.T) {
	for name, template := range map[string]*tinkpb.KeyTemplate{
		"AES128_GCM": aead.AES128GCMKeyTemplate(), "AES256_GCM": aead.AES256GCMKeyTemplate(),
		"AES256_GCM_SIV": aead.AES256GCMSIVKeyTemplate(), "AES256_CTR_HMAC": aead.AES256CTRHMACSHA256KeyTemplate(),
		"CHACHA20": aead.ChaCha20Poly1305KeyTemplate(), "XCHACHA20": aead.XChaCha20Poly1305KeyTemplate(),
		"XAES256_GCM": aead.XAES256GCM192BitNonceKeyTemplate(),
	} {
		t.Run(name, func(t *testing.T) {
			text := keysetJSON(t, nil, template)
			sealed := seal(t, open(t, "\n"+text+"\n"), "a token", rowA)
			expectOpens(t, open(t, text), sealed, true, true)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	gcm, x := aead.AES256GCMKeyTemplate(), aead.XChaCha20Poly1305KeyTemplate()
	many := make([]*tinkpb.KeyTemplate, vault.MaxKeys+1)
	for i := range many {
		many[i] = gcm
	}
	envelope := func(ks *tinkpb.Keyset) {
		ks.Key[0].KeyData.TypeUrl = "type.googleapis.com/google.crypto.tink.KmsEnvelopeAeadKey"
		ks.Key[0].KeyData.KeyMaterialType = tinkpb.KeyData_REMOTE
	}
	const shape, unusable = "must be 32 bytes in base64", "that Tink can't use"
	for name, c := range map[string]struct{ key, want string }{
		"empty":              {"", "is required"},
		"blank":              {" \n", "is required"},
		"31 bytes":           {base64.StdEncoding.EncodeToString(make([]byte, 31)), shape},
		"33 bytes":           {base64.StdEncoding.EncodeToString(make([]byte, 33)), shape},
		"hexadecimal":        {strings.Repeat("0f", 32), shape},
		"a passphrase":       {"CANARY horse battery staple and so on, 43 c", shape},
		"both alphabets":     {strings.Replace(rawKey, "+/", "-/", 1), shape},
		"twice padded":       {rawKey + "=", shape},
		"bits left over":     {strings.Replace(rawKey, "hc=", "hd=", 1), shape},
		"broken in two":      {rawKey[:20] + "\n" + rawKey[20:], shape},
		"broken, as long":    {rawKey[:20] + "\n" + rawKey[21:43], shape},
		"not JSON":           {`{"primaryKeyId": "CANARY`, "not valid JSON"},
		"JSON, no keyset":    {`{"CANARY": 1}`, "not a cleartext Tink keyset"},
		"a wrong type":       {`{"primaryKeyId": "CANARY"}`, "not a cleartext Tink keyset"},
		"encrypted":          {`{"encryptedKeyset": "Q0FOQVJZ"}`, "not a cleartext Tink keyset"},
		"no keys":            {`{}`, "without a key"},
		"null keys":          {`{"primaryKeyId":1,"key":[null]}`, "not a cleartext Tink keyset"},
		"a key of nothing":   {`{"primaryKeyId":1,"key":[{}]}`, "no AEAD"},
		"too many":           {keysetJSON(t, nil, many...), "more than 20 keys"},
		"too long":           {`{"primaryKeyId":1}` + strings.Repeat(" ", vault.MaxKeySize), "at most 64 KiB"},
		"a MAC":              {keysetJSON(t, nil, mac.HMACSHA256Tag256KeyTemplate()), "no AEAD"},
		"a MAC beside":       {keysetJSON(t, nil, gcm, mac.HMACSHA256Tag256KeyTemplate()), "no AEAD"},
		"a remote key":       {keysetJSON(t, envelope, gcm), "no AEAD"},
		"not symmetric":      {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].KeyData.KeyMaterialType = tinkpb.KeyData_REMOTE }, gcm), "not symmetric"},
		"no prefix":          {keysetJSON(t, nil, aead.AES256GCMNoPrefixKeyTemplate()), "prefix type is not TINK"},
		"no prefix beside":   {keysetJSON(t, nil, gcm, aead.AES256GCMNoPrefixKeyTemplate()), "prefix type is not TINK"},
		"primary disabled":   {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].Status = tinkpb.KeyStatusType_DISABLED }, gcm, x), "enabled primary"},
		"primary missing":    {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.PrimaryKeyId++ }, gcm), "enabled primary"},
		"destroyed":          {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[1].Status = tinkpb.KeyStatusType_DESTROYED }, gcm, x), "neither enabled nor disabled"},
		"id 0":               {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].KeyId, ks.PrimaryKeyId = 0, 0 }, gcm), "without an id"},
		"one id twice":       {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[1].KeyId = ks.Key[0].KeyId }, gcm, x), "the same id"},
		"key data cut short": {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].KeyData.Value = ks.Key[0].KeyData.Value[:9] }, gcm), unusable},
		"no key data":        {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].KeyData.Value = nil }, gcm), unusable},
		"another type's":     {keysetJSON(t, func(ks *tinkpb.Keyset) { ks.Key[0].KeyData.TypeUrl = ks.Key[1].KeyData.TypeUrl }, aead.AES256CTRHMACSHA256KeyTemplate(), x), unusable},
	} {
		v, err := vault.New(c.key)
		var problem vault.KeyError
		if !errors.As(err, &problem) || v != nil || !strings.Contains(string(problem), c.want) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: got %v, want %q and nothing of the key", name, err, c.want)
		}
	}
}

// TestADisabledKeyDoesNotRead: it is kept.
func TestADisabledKeyDoesNotRead(t *testing.T) {
	var old string
	both := keysetJSON(t, func(ks *tinkpb.Keyset) {
		old = written(t, &tinkpb.Keyset{PrimaryKeyId: ks.Key[1].KeyId, Key: ks.Key[1:]})
		ks.Key[1].Status = tinkpb.KeyStatusType_DISABLED
	}, aead.AES256GCMKeyTemplate(), aead.AES256GCMKeyTemplate())
	expectOpens(t, open(t, both), seal(t, open(t, old), "a token", rowA), false, false)
}

// FuzzNew: no key makes New panic, or a vault that does not work, or an error that
// repeats a piece of the key.
func FuzzNew(f *testing.F) {
	v, err := vault.New(rawKey)
	if err != nil {
		f.Fatal(err)
	}
	rotated, err := v.Rotated(vault.Rotate)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", rawKey, string(rotated), "{}", `{"primaryKeyId":1,"key":[{"keyData":{}}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		v, err := vault.New(key)
		if err != nil {
			var problem vault.KeyError
			if !errors.As(err, &problem) || v != nil || len(problem) > 100 {
				t.Errorf("%q: %v", key, err)
			}
			return
		}
		expectOpens(t, v, seal(t, v, "a token", rowA), true, true)
		for _, step := range []vault.Step{vault.Rotate, vault.Prepare, vault.Promote, vault.Drop} {
			if next, err := v.Rotated(step); err == nil {
				open(t, string(next))
			}
		}
	})
}
