package agentauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/registry"
)

const (
	assertionLife = 3 * time.Minute                               // of which a server uses seconds; some take none that is longer
	unsaidLife    = 5 * time.Minute                               // how long an access token is kept whose end the server does not say
	maxKeyText    = 8 << 10                                       // bytes of a private key's PEM: one of 8,192 bits has 6,400
	maxKeyBits    = 8192                                          // of an RSA key: a signature takes the processor longer the longer the key is
	grantJWT      = "urn:ietf:params:oauth:grant-type:jwt-bearer" // RFC 7523 §2.1
)

// claims are those of an assertion (RFC 7523 §3). Its audience is one text: many servers read no list of them.
type claims struct {
	jwt.RegisteredClaims
	Audience string `json:"aud"`
	Scope    string `json:"scope"` // where some servers look for it, and not in the form
}

// byAssertion gives the access token that a JWT credential is exchanged for.
func (a *Agents) byAssertion(ctx context.Context, key flightKey, c *registry.JWTCredential) (Authorization, error) {
	token, err := a.shared(ctx, key, func(ctx context.Context) (accessToken, error) {
		if f, left := a.fields.kept.get(key); left > 0 { // of an exchange that has just ended
			return accessToken{field: f}, nil
		}
		got, err := a.assert(ctx, c)
		a.logOutcome(ctx, "an access token was asked for with an assertion", "jwt_exchange", key.customer, key.source, err)
		if err != nil {
			e := asError(err)
			e.RetryAfter = leaseSlack
			return accessToken{}, e
		}
		token, life := tokenOf(got, key.credential), unsaidLife
		if !token.expiresAt.IsZero() {
			whole := time.Until(token.expiresAt)
			life = max(whole-freshFor, whole/2)
		}
		a.fields.keep(key, token.field, life)
		return token, nil
	})
	if err != nil {
		return Authorization{}, err
	}
	return token.authorization(), nil
}

// assert exchanges an assertion for an access token.
func (a *Agents) assert(ctx context.Context, c *registry.JWTCredential) (registry.OAuthCredential, error) {
	ctx, cancel := context.WithTimeout(ctx, workLimit)
	defer cancel()
	assertion, err := sign(c)
	if err != nil {
		return registry.OAuthCredential{}, err
	}
	return a.askTokens(ctx, c.TokenEndpointURL, url.Values{
		"grant_type": {grantJWT}, "assertion": {assertion}, "scope": {c.Scope},
	}, nil)
}

// sign makes an assertion. The error is a ReasonCredential.
func sign(c *registry.JWTCredential) (string, error) {
	method, key := signer(c.PrivateKey)
	if key == nil || c.Algorithm != "" && c.Algorithm != method.Alg() {
		return "", fail(ReasonCredential)
	}
	now := time.Now()
	token := jwt.NewWithClaims(method, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: c.Issuer, Subject: c.Subject, ID: newSecret(),
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(assertionLife)),
		},
		Audience: c.AudienceURL, Scope: c.Scope,
	})
	token.Header["kid"] = c.KeyID
	text, err := token.SignedString(key)
	if err != nil {
		return "", fail(ReasonCredential) // what the library says may name parts of the key
	}
	return text, nil
}

// signer reads a private key in PEM (PKCS #8, PKCS #1 or SEC 1), and says with what it signs; nil: it can't be used.
func signer(text string) (jwt.SigningMethod, any) {
	if len(text) > maxKeyText {
		return nil, nil
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, nil
	}
	var key any
	for _, parse := range []func([]byte) (any, error){
		x509.ParsePKCS8PrivateKey,
		func(der []byte) (any, error) { return x509.ParsePKCS1PrivateKey(der) },
		func(der []byte) (any, error) { return x509.ParseECPrivateKey(der) },
	} {
		if found, err := parse(block.Bytes); err == nil {
			key = found
			break
		}
	}
	switch k := key.(type) {
	case *ecdsa.PrivateKey:
		if k.Curve == elliptic.P256() {
			return jwt.SigningMethodES256, k
		}
	case *rsa.PrivateKey:
		if k.N.BitLen() <= maxKeyBits {
			return jwt.SigningMethodRS256, k
		}
	}
	return nil, nil
}
