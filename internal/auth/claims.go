package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

// claims are a token's claims as they are written, for the library to validate. Its
// own types are too lenient: a `nbf` of 1e19 wraps into the past there, names fold
// case, and the last of two equal names wins.
type claims struct {
	values map[string]jsontext.Value
}

// UnmarshalJSON takes one JSON object in which no name comes twice.
func (c *claims) UnmarshalJSON(raw []byte) error {
	if jsontext.Value(raw).Kind() != '{' || json.Unmarshal(raw, &c.values) != nil {
		return jwt.ErrTokenMalformed
	}
	return nil
}

// GetExpirationTime implements jwt.Claims, like those that follow.
func (c *claims) GetExpirationTime() (*jwt.NumericDate, error) { return c.date("exp") }
func (c *claims) GetNotBefore() (*jwt.NumericDate, error)      { return c.date("nbf") }
func (c *claims) GetIssuedAt() (*jwt.NumericDate, error)       { return c.date("iat") }
func (c *claims) GetIssuer() (string, error)                   { return c.text("iss") }
func (c *claims) GetSubject() (string, error)                  { return c.text("sub") }

// GetAudience gives `aud`, a string or a list of strings.
func (c *claims) GetAudience() (jwt.ClaimStrings, error) {
	raw, there := c.values["aud"]
	if !there {
		return nil, nil
	}
	words, ok := oneOrMany(raw)
	if !ok {
		return nil, jwt.ErrInvalidType
	}
	return words, nil
}

// lastDate is the end of the year 9999: a date past it is a mistake,
// and does not fit the arithmetic on times.
const lastDate = 253402300799

// date gives a NumericDate (RFC 7519, section 2), nil if there is none.
func (c *claims) date(name string) (*jwt.NumericDate, error) {
	raw, there := c.values[name]
	if !there {
		return nil, nil
	}
	seconds, err := strconv.ParseFloat(string(raw), 64) // of JSON values it takes numbers alone
	if err != nil || seconds < 0 || seconds > lastDate {
		return nil, jwt.ErrInvalidType
	}
	whole, part := math.Modf(seconds)
	return &jwt.NumericDate{Time: time.Unix(int64(whole), int64(part*1e9))}, nil
}

func (c *claims) text(name string) (string, error) {
	raw, there := c.values[name]
	if !there {
		return "", nil
	}
	s, ok := text(raw)
	if !ok {
		return "", jwt.ErrInvalidType
	}
	return s, nil
}

func text(raw jsontext.Value) (s string, ok bool) {
	return s, raw.Kind() == '"' && json.Unmarshal(raw, &s) == nil
}

// oneOrMany reads a string, or a list that holds nothing but strings.
func oneOrMany(raw jsontext.Value) ([]string, bool) {
	if s, ok := text(raw); ok {
		return []string{s}, true
	}
	var items []jsontext.Value
	if raw.Kind() != '[' || json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	words := make([]string, len(items))
	for i, item := range items {
		var ok bool
		if words[i], ok = text(item); !ok {
			return nil, false
		}
	}
	return words, true
}

// customer gives the customer's id: a JSON number or a string, in either case as [ParseCustomer]
// takes it. 42.0 and 4.2e1 are not: an issuer that writes ids so may have rounded them.
func (c *claims) customer(claim string) (int64, bool) {
	raw := c.values[claim]
	digits, ok := text(raw)
	if !ok && raw.Kind() == '0' {
		digits = string(raw)
	}
	return ParseCustomer(digits)
}

// ParseCustomer reads a customer's id in its one spelling: the decimal digits of a positive integer that
// a JSON number holds exactly.
func ParseCustomer(digits string) (int64, bool) {
	if digits == "" || len(digits) > 16 || digits[0] == '0' || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil && id <= 1<<53-1
}

// access tells what the caller may do. The claim is a list of words, or a string of
// words with spaces between them (as `scope` is, RFC 8693, section 4.2). Write
// implies read; neither word is no access.
func (c *claims) access(claim string) (write, ok bool) {
	words, ok := oneOrMany(c.values[claim])
	if !ok {
		return false, false
	}
	if len(words) == 1 && c.values[claim].Kind() == '"' {
		words = strings.Split(words[0], " ")
	}
	write = slices.Contains(words, "write")
	return write, write || slices.Contains(words, "read")
}

// name is what logs call the caller: a word, and where the token has a subject a
// short hash, by which two callers can be told apart.
func (c *claims) name(issuer string) string {
	subject, err := c.text("sub")
	if err != nil || subject == "" {
		return "token"
	}
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return "token-" + hex.EncodeToString(sum[:4])
}
