package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"maps"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

// algorithms are the ones that a token may be signed with. None of them verifies
// with a secret that two sides share, and none is "none".
var algorithms = []string{
	jwt.SigningMethodRS256.Alg(), jwt.SigningMethodRS384.Alg(), jwt.SigningMethodRS512.Alg(),
	jwt.SigningMethodPS256.Alg(), jwt.SigningMethodPS384.Alg(), jwt.SigningMethodPS512.Alg(),
	jwt.SigningMethodES256.Alg(), jwt.SigningMethodES384.Alg(), jwt.SigningMethodES512.Alg(),
	jwt.SigningMethodEdDSA.Alg(),
}

// verifies reports whether a key is of the kind that an algorithm needs. The
// library checks the type, but not the curve.
func verifies(key any, alg string) bool {
	if !slices.Contains(algorithms, alg) {
		return false
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		return alg[:2] == "RS" || alg[:2] == "PS"
	case *ecdsa.PublicKey:
		return alg == "ES256" && k.Curve == elliptic.P256() ||
			alg == "ES384" && k.Curve == elliptic.P384() ||
			alg == "ES512" && k.Curve == elliptic.P521()
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}

// Bounds of an RSA modulus in bits: below it is weak (RFC 7518, section 3.3), above
// it each token would cost too much.
const (
	minRSA = 2048
	maxRSA = 8192
)

// webKey is a public key of the issuer.
type webKey struct {
	id  string // empty: none
	alg string // empty: any that fits the key
	key any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// fits reports whether the key is the one to verify with: for this algorithm, and
// of this name, where one is given.
func (k webKey) fits(h header) bool {
	return (h.KeyID == "" || k.id == h.KeyID) && (k.alg == "" || k.alg == h.Alg) && verifies(k.key, h.Alg)
}

// is reports whether k holds this key, whatever name and algorithm it is listed with.
func (k webKey) is(key any) bool {
	same, ok := k.key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && same.Equal(key)
}

// pick gives the keys to verify with: those that fit, each once. An issuer may have listed several under one
// name. For a token that names none there must be only one.
func pick(keys []webKey, h header) (found []jwt.VerificationKey) {
	for _, k := range keys {
		if k.fits(h) && !slices.ContainsFunc(found, func(key jwt.VerificationKey) bool { return k.is(key) }) {
			found = append(found, k.key)
		}
	}
	if h.KeyID == "" && len(found) > 1 {
		return nil
	}
	return found
}

// Members of a JWK (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2): those
// that count of a public key, and those that no public key has.
var (
	publicMembers = []string{"kty", "kid", "use", "alg", "crv", "n", "e", "x", "y"}
	secretMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)

// errNoKeySet: an answer is no JWK Set.
var errNoKeySet = errors.New("auth: no JWK Set")

// readKeySet gives the keys of a JWK Set (RFC 7517, section 5) that can verify
// tokens. Others are passed over, whatever is wrong with them: an issuer can publish keys of
// kinds that are yet to come. None may be left.
func readKeySet(raw []byte) ([]webKey, error) {
	var set struct {
		Keys *[]jsontext.Value `json:"keys"`
	}
	// A repeated name or invalid UTF-8 in one key must not cost the others.
	if json.Unmarshal(raw, &set, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil || set.Keys == nil {
		return nil, errNoKeySet
	}
	var keys []webKey
	for _, item := range *set.Keys {
		if k, ok := readKey(item); ok {
			keys = append(keys, k)
		}
		if len(keys) == maxKeys {
			break
		}
	}
	return keys, nil
}

// maxKeys is how many keys of an issuer count.
const maxKeys = 100

func readKey(raw jsontext.Value) (webKey, bool) {
	var members map[string]jsontext.Value
	if raw.Kind() != '{' || json.Unmarshal(raw, &members) != nil {
		return webKey{}, false
	}
	if slices.ContainsFunc(secretMembers, func(name string) bool { return members[name] != nil }) {
		return webKey{}, false
	}
	var operations []string // null: not said
	if said := members["key_ops"]; said != nil && json.Unmarshal(said, &operations) != nil {
		return webKey{}, false
	}
	// Only the public members go on, so that a certificate that can't be read, say, takes
	// nothing away from a good key.
	maps.DeleteFunc(members, func(name string, _ jsontext.Value) bool { return !slices.Contains(publicMembers, name) })
	public, err := json.Marshal(members)
	var parsed jose.JSONWebKey
	if err != nil || parsed.UnmarshalJSON(public) != nil || !parsed.Valid() || !parsed.IsPublic() {
		return webKey{}, false
	}
	if parsed.Use != "" && parsed.Use != "sig" || operations != nil && !slices.Contains(operations, "verify") {
		return webKey{}, false
	}
	if k, ok := parsed.Key.(*rsa.PublicKey); ok && (k.N.BitLen() < minRSA || k.N.BitLen() > maxRSA) {
		return webKey{}, false
	}
	k := webKey{id: parsed.KeyID, alg: parsed.Algorithm, key: parsed.Key}
	return k, slices.ContainsFunc(algorithms, func(alg string) bool { return k.fits(header{Alg: alg}) })
}
