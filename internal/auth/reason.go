package auth

import "errors"

// ErrUnknown matches every refusal of a credential: it is not valid (401).
var ErrUnknown = errors.New("auth: the credential is not valid")

// Reason says why a credential was refused. It is for metrics and logs: callers
// are told no more than that it is not valid. As an error it wraps ErrUnknown.
type Reason string

// The reasons.
const (
	Unknown       Reason = "unknown"        // no such key, or a token signed with a key that the issuer does not have
	Malformed     Reason = "malformed"      // not a token, or of a kind that is not accepted
	BadSignature  Reason = "bad_signature"  // not signed with the key that it names
	Expired       Reason = "expired"        // its `exp` has passed
	NotYetValid   Reason = "not_yet_valid"  // its `nbf` or `iat` is still to come
	WrongIssuer   Reason = "wrong_issuer"   // the `iss` of another issuer
	WrongAudience Reason = "wrong_audience" // made for another audience
	BadClaims     Reason = "bad_claims"     // a needed claim is missing or has no usable value
)

func (r Reason) Error() string { return ErrUnknown.Error() + ": " + string(r) }

// Unwrap gives ErrUnknown.
func (r Reason) Unwrap() error { return ErrUnknown }

// ReasonOf gives the reason of a refusal; Unknown for any other error.
func ReasonOf(err error) Reason {
	if r, ok := errors.AsType[Reason](err); ok {
		return r
	}
	return Unknown
}
