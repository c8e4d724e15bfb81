package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/semaphore"

	"esagate/internal/background"
	"esagate/internal/fault"
)

const (
	skew        = 60 * time.Second // between the issuer's clock and ours
	tokenKept   = 60 * time.Second // how long a verified token is taken without looking again
	tokenCached = 10_000
)

// tokens judges access tokens (RFC 7519).
type tokens struct {
	cfg      OIDC
	rules    []byte // of cfg
	issuer   *issuer
	parser   *jwt.Parser
	verified *lru.Cache[[sha256.Size]byte, verifiedToken]

	exchanges *semaphore.Weighted // of codes for tokens
}

// verifiedToken is the owner of a token, and until when it is not verified again.
type verifiedToken struct {
	caller *Caller
	until  time.Time
}

// errOIDC: a setting is missing. Without an audience, for example, the library would
// not check it.
var errOIDC = errors.New("auth: issuer, audience, customer claim and access claim are all needed")

func newTokens(cfg OIDC, deps Deps, log *slog.Logger, work *background.Group) (*tokens, error) {
	if cfg.Issuer == "" || cfg.Audience == "" || cfg.CustomerClaim == "" || cfg.AccessClaim == "" {
		return nil, errOIDC
	}
	i, err := newIssuer(cfg, deps, log, work)
	if err != nil {
		return nil, err
	}
	verified, err := lru.New[[sha256.Size]byte, verifiedToken](tokenCached)
	if err != nil {
		return nil, err
	}
	return &tokens{cfg: cfg, rules: cfg.rules(), issuer: i, verified: verified, exchanges: semaphore.NewWeighted(exchangesAtOnce), parser: jwt.NewParser(
		jwt.WithValidMethods(algorithms), jwt.WithStrictDecoding(), jwt.WithLeeway(skew),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithIssuer(cfg.Issuer), jwt.WithAudience(cfg.Audience),
	)}, nil
}

// recognize gives the owner of a token that was verified lately; nil for any other. One for which
// it is time is verified anew, with the keys that there are: as its bytes are those of a good
// token, it is no stranger's.
func (t *tokens) recognize(credential string, sum *[sha256.Size]byte) *Caller {
	v, ok := t.verified.Get(*sum)
	switch {
	case !ok:
		return nil
	case time.Now().Before(v.until):
		return v.caller
	}
	h, _, _ := readHeader(credential)
	keys, _ := t.issuer.keys()
	if found := pick(keys, h); found != nil {
		if c, err := t.verify(credential, sum, found); err == nil {
			return c
		}
	}
	t.verified.Remove(*sum)
	return nil
}

// authenticate gives the owner of a token that is not known; tried is false when the
// credential is no token.
func (t *tokens) authenticate(ctx context.Context, credential string, sum *[sha256.Size]byte) (c *Caller, tried bool, err error) {
	if strings.Count(credential, ".") != 2 { // three parts make the compact serialization of a JWS
		return nil, false, nil
	}
	h, is, good := readHeader(credential)
	if !is {
		return nil, false, nil
	}
	if !good || !slices.Contains(algorithms, h.Alg) {
		return nil, true, Malformed
	}
	keys, err := t.keys(ctx, h)
	if err != nil {
		return nil, true, err
	}
	c, err = t.verify(credential, sum, keys)
	if h.KeyID == "" && ReasonOf(err) == BadSignature {
		t.issuer.refresh.want() // its only key may be another by now; no name tells
	}
	return c, true, err
}

// keys finds the keys that a token names, at least one. One that is unknown may be new, so the
// issuer is asked, though seldom.
func (t *tokens) keys(ctx context.Context, h header) ([]jwt.VerificationKey, error) {
	keys, _ := t.issuer.keys()
	if found := pick(keys, h); found != nil {
		return found, nil
	}
	t.issuer.refresh.ask(ctx, fetchPatience)
	keys, ok := t.issuer.keys()
	if !ok {
		e := fault.New(fault.Unavailable, "Access tokens can't be checked at the moment.")
		e.RetryAfter = t.issuer.retryAfter()
		return nil, e
	}
	if found := pick(keys, h); found != nil {
		return found, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(err)
	}
	return nil, Unknown
}

func (t *tokens) verify(credential string, sum *[sha256.Size]byte, keys []jwt.VerificationKey) (*Caller, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(credential, &c, func(*jwt.Token) (any, error) {
		return jwt.VerificationKeySet{Keys: keys}, nil
	})
	if err != nil {
		return nil, reasonFor(err)
	}
	customer, known := c.customer(t.cfg.CustomerClaim)
	write, allowed := c.access(t.cfg.AccessClaim)
	if !known || !allowed {
		return nil, BadClaims
	}
	caller := &Caller{Name: c.name(t.cfg.Issuer), CustomerID: customer, Write: write, Token: true}
	now := time.Now()
	until := now.Add(tokenKept)
	if exp, err := c.GetExpirationTime(); err == nil && exp.Before(until) {
		until = exp.Time
	}
	if now.Before(until) { // else it lives on clock skew alone
		t.verified.Add(*sum, verifiedToken{caller, until})
	}
	return caller, nil
}

// reasonFor sorts the library's errors, the first that applies: claims are only
// looked at once the signature is good.
func reasonFor(err error) Reason {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(jwt.ErrTokenMalformed), is(jwt.ErrTokenUnverifiable):
		return Malformed
	case is(jwt.ErrTokenSignatureInvalid):
		return BadSignature
	case is(jwt.ErrInvalidType), is(jwt.ErrTokenRequiredClaimMissing):
		return BadClaims
	case is(jwt.ErrTokenExpired):
		return Expired
	case is(jwt.ErrTokenNotValidYet), is(jwt.ErrTokenUsedBeforeIssued):
		return NotYetValid
	case is(jwt.ErrTokenInvalidIssuer):
		return WrongIssuer
	case is(jwt.ErrTokenInvalidAudience):
		return WrongAudience
	}
	return BadClaims
}
