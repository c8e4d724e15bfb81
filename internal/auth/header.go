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
	Alg   string  `json:"alg"`
	KeyID string  `json:"kid"` // empty: none
	Typ   *string `json:"typ"`
	Cty   *string `json:"cty"`
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
	if json.Unmarshal(raw, &h) != nil { // a wrong type, or a name that comes twice
		return header{}, true, false
	}
	typed := h.Typ == nil || tokenTypes[strings.ToLower(*h.Typ)]
	plain := h.Crit == nil && h.B64 == nil && h.Enc == nil && h.Zip == nil && h.Cty == nil
	// The decoder passes over line breaks, which would give one token many spellings.
	return h, true, typed && plain && strings.Trim(credential, tokenCharacters) == ""
}

// tokenCharacters are those of base64url, and the dot.
const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
