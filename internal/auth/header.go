package auth

import (
	"encoding/base64"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// header is what counts of a token's header (RFC 7515, section 4). Keys that a
// token brings along or points to (jwk, jku, x5c, x5u) are not even read.
type header struct {
	Alg   string
	KeyID string // empty: none
}

// headerFields is the header as it is written.
type headerFields struct {
	Alg string  `json:"alg"`
	Kid *string `json:"kid"`
	Typ *string `json:"typ"`
	Cty *string `json:"cty"`
	// Each of these changes what the rest means, so that a token that has it is not
	// taken, whatever its value: RFC 7515 section 4.1.11, RFC 7797, RFC 7516.
	Crit jsontext.Value `json:"crit"`
	B64  jsontext.Value `json:"b64"`
	Enc  jsontext.Value `json:"enc"`
	Zip  jsontext.Value `json:"zip"`
}

// tokenTypes are the values of `typ` that an access token can have (RFC 7519,
// RFC 9068), in lower case. Others, such as a logout token's, say that it is
// something else (RFC 8725, section 3.11).
var tokenTypes = map[string]bool{"jwt": true, "at+jwt": true, "application/jwt": true, "application/at+jwt": true}

// looksLikeToken reports whether a credential can be a JWS in the compact
// serialization: three parts with two dots between them.
func looksLikeToken(credential string) bool {
	return strings.Count(credential, ".") == 2
}

// readHeader reads the header. is is false when it is no JSON object at all, so
// that the credential is no token; good is false when it is one that is not taken.
func readHeader(credential string) (h header, is, good bool) {
	first, _, _ := strings.Cut(credential, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(first)
	if err != nil {
		return header{}, false, false
	}
	if v := jsontext.Value(raw); v.Kind() != '{' || !v.IsValid(jsontext.AllowDuplicateNames(true)) {
		return header{}, false, false
	}
	var f headerFields
	if json.Unmarshal(raw, &f) != nil { // a wrong type, or a name that comes twice
		return header{}, true, false
	}
	h.Alg = f.Alg
	if f.Kid != nil {
		h.KeyID = *f.Kid
	}
	typed := f.Typ == nil || tokenTypes[strings.ToLower(*f.Typ)]
	plain := f.Crit == nil && f.B64 == nil && f.Enc == nil && f.Zip == nil && f.Cty == nil
	return h, true, typed && plain && base64URL(credential)
}

// base64URL reports whether nothing but the alphabet of base64url and dots stands
// in a token: the decoder passes over line breaks, which would give one token many
// spellings.
func base64URL(token string) bool {
	for i := range len(token) {
		switch c := token[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}
