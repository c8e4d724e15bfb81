package auth

import "errors"

// ErrUnknown is what every refusal of a credential is: it is not valid (401).
var ErrUnknown = errors.New("auth: the credential is not valid")

// Reason says why a credential was refused. It is for metrics and logs: callers
// are told no more than that it is not valid.
type Reason uint8

// The reasons.
const (
	Unknown       Reason = iota // a key of nobody, or a token signed with a key that the issuer does not name
	Malformed                   // a token that is none, or of a kind that is not taken
	BadSignature                // not signed with the key that it names
	Expired                     // its `exp` has passed
	NotYetValid                 // its `nbf` or `iat` is still to come
	WrongIssuer                 // the `iss` of another issuer
	WrongAudience               // made for somebody else
	BadClaims                   // a claim that is needed is missing or says nothing that counts
)

var reasons = [...]string{"unknown", "malformed", "bad_signature", "expired", "not_yet_valid", "wrong_issuer", "wrong_audience", "bad_claims"}

// String is the reason in one word.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return reasons[Unknown]
}

// refusal is an error that holds a reason and nothing else.
type refusal struct{ reason Reason }

func (r *refusal) Error() string { return ErrUnknown.Error() + ": " + r.reason.String() }
func (r *refusal) Unwrap() error { return ErrUnknown }

// refusals are made once: a flood of guesses allocates no errors.
var refusals = func() (made [len(reasons)]refusal) {
	for i := range made {
		made[i].reason = Reason(i)
	}
	return made
}()

func refused(r Reason) error { return &refusals[r] }

// ReasonOf gives the reason of a refusal; Unknown for any other error.
func ReasonOf(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return Unknown
}
