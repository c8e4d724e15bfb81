package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/fault"
)

const (
	// SessionIdle is how long a session is good after it was sealed: begun or renewed.
	SessionIdle = time.Hour
	// renewAfter is how old a session is that is renewed when it is used.
	renewAfter = 5 * time.Minute
	// maxTokenSession bounds sessions of tokens that are good for longer. The token is not looked at again, so its
	// session would outlive the issuer's key that has signed it.
	maxTokenSession = 12 * time.Hour
	// maxSession bounds the text of a session that is looked at, in bytes: browsers keep no longer cookies.
	maxSession = 4 << 10
)

// Sealer encrypts what leaves the gateway and comes back, and sees to it that nobody has changed it
// or made it up. All replicas must be able to open what one has sealed. *vault.Vault is one.
type Sealer interface {
	Seal(plain, identity []byte) ([]byte, error)
	Open(sealed, identity []byte) ([]byte, error)
}

// sessionIdentity is what sessions are sealed for, with the version of what is in them. That of a session for one
// purpose goes on with a zero byte and the purpose, so that no text is good for another.
const sessionIdentity = "esagate session 1"

func identityFor(purpose string) []byte {
	if purpose == "" {
		return []byte(sessionIdentity)
	}
	return []byte(sessionIdentity + "\x00" + purpose)
}

// Session stands for a credential that was good when it began, and is good for as long as the
// credential is, if it is renewed in time. Nothing of it is kept but in its text, which its owner
// has: it is sealed, and holds no credential.
type Session struct {
	// Of an API key its hash: who has it is looked up each time.
	Key    []byte `json:"key,omitempty"`
	Stored bool   `json:"stored,omitzero"` // it was made at run time
	// Of an access token what it said.
	Token *tokenSession `json:"token,omitzero"`

	Sealed int64 `json:"sealed"` // when, in seconds since 1970
}

type tokenSession struct {
	Rules      []byte `json:"rules"` // by which it was judged
	Name       string `json:"name"`
	CustomerID int64  `json:"customer"`
	Write      bool   `json:"write"`
	End        int64  `json:"end"` // in seconds since 1970
}

// NewSession begins a session of a caller, who has just been authenticated by a credential, and
// gives its text.
func (a *Authenticator) NewSession(caller *Caller, credential string) (string, error) {
	s, err := a.Delegate(caller, credential, nil)
	if err != nil {
		return "", err
	}
	return a.SealFor(s, "")
}

// Delegate gives a session of a caller, who has just been authenticated by a credential, or by a session
// of their own: then that is given, and the new one ends with the same credential. [Authenticator.SealFor]
// gives its text.
func (a *Authenticator) Delegate(caller *Caller, credential string, session *Session) (*Session, error) {
	switch {
	case session != nil:
		return &Session{Key: session.Key, Stored: session.Stored, Token: session.Token}, nil
	case !caller.Token:
		sum := hashOf(credential)
		return &Session{Key: sum[:], Stored: strings.HasPrefix(credential, KeyPrefix)}, nil
	}
	end, err := endOf(credential)
	if err != nil {
		return nil, err
	}
	if most := time.Now().Add(maxTokenSession); end.After(most) {
		end = most
	}
	return &Session{Token: &tokenSession{a.tokens.rules, caller.Name, caller.CustomerID, caller.Write, end.Unix()}}, nil
}

// endOf gives when an access token that was verified ends.
func endOf(token string) (time.Time, error) {
	var c claims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &c); err != nil {
		return time.Time{}, Malformed
	}
	end, err := c.GetExpirationTime()
	if err != nil || end == nil {
		return time.Time{}, BadClaims
	}
	return end.Time, nil
}

// rules gives a hash of what tokens are judged by.
func (o *OIDC) rules() []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{o.Issuer, o.Audience, o.CustomerClaim, o.AccessClaim}))
	return sum[:]
}

// SealFor gives the text of a session that goes on from now and is good for one purpose, which
// [Authenticator.OpenFor] is asked for; empty: that of OpenSession.
func (a *Authenticator) SealFor(s *Session, purpose string) (string, error) {
	s.Sealed = time.Now().Unix()
	return a.seal(s, identityFor(purpose))
}

// seal gives a value as a text for a browser to keep, which open reads with the same identity.
func (a *Authenticator) seal(v any, identity []byte) (string, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return "", fault.Wrap(fault.Internal, "The session can't be written.", err)
	}
	sealed, err := a.sealer.Seal(plain, identity)
	if err != nil {
		return "", fault.Wrap(fault.Internal, "The session can't be sealed.", err)
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenSession reads the text of a session. The error is a [Reason]: Malformed or Expired. Whether the
// credential is still good it does not say.
func (a *Authenticator) OpenSession(text string) (*Session, error) { return a.OpenFor(text, "") }

// OpenFor is OpenSession for the text of a session that was sealed for a purpose.
func (a *Authenticator) OpenFor(text, purpose string) (*Session, error) {
	s := &Session{}
	if a.open(text, identityFor(purpose), s) != nil || (len(s.Key) == sha256.Size) == (s.Token != nil) {
		return nil, Malformed
	}
	// The clock of the replica that has sealed it may be ahead.
	if age := s.age(); age >= SessionIdle || age < -skew {
		return nil, Expired
	}
	return s, nil
}

// open reads what seal gave.
func (a *Authenticator) open(text string, identity []byte, v any) error {
	if text == "" || len(text) > maxSession {
		return Malformed
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return Malformed
	}
	plain, err := a.sealer.Open(sealed, identity)
	if err != nil || json.Unmarshal(plain, v) != nil {
		return Malformed
	}
	return nil
}

func (s *Session) age() time.Duration { return time.Since(time.Unix(s.Sealed, 0)) }

// RenewSession gives the text of a session that goes on from now; empty where that is not due yet.
// The session must have been judged.
func (a *Authenticator) RenewSession(s *Session) (string, error) { return a.RenewFor(s, "") }

// RenewFor is RenewSession for a session that was opened for a purpose.
func (a *Authenticator) RenewFor(s *Session, purpose string) (string, error) {
	if s.age() < renewAfter {
		return "", nil
	}
	return a.SealFor(s, purpose)
}

// RecognizeSession gives the owner of a session as far as that is known in memory, as [Authenticator.Recognize]
// does. nil: AuthenticateSession finds out.
func (a *Authenticator) RecognizeSession(s *Session) *Caller {
	if t := s.Token; t != nil {
		if a.tokens == nil || !bytes.Equal(a.tokens.rules, t.Rules) || time.Now().Unix() >= t.End {
			return nil
		}
		return &Caller{Name: t.Name, CustomerID: t.CustomerID, Write: t.Write, Token: true}
	}
	return a.find((*[sha256.Size]byte)(s.Key))
}

// AuthenticateSession gives the owner of a session as they are now, or why there is none any more. Its
// errors are those of [Authenticator.Authenticate].
func (a *Authenticator) AuthenticateSession(ctx context.Context, s *Session) (*Caller, error) {
	if c := a.RecognizeSession(s); c != nil {
		return c, nil
	}
	if s.Token != nil {
		return nil, Expired
	}
	return a.lookUp(ctx, (*[sha256.Size]byte)(s.Key), s.Stored)
}

// noSealer is for an Authenticator without sessions.
type noSealer struct{}

var errNoSealer = errors.New("auth: there are no sessions")

func (noSealer) Seal([]byte, []byte) ([]byte, error) { return nil, errNoSealer }
func (noSealer) Open([]byte, []byte) ([]byte, error) { return nil, errNoSealer }
