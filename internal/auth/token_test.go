package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/auth"
)

func isRefusal(err error) bool { return errors.Is(err, auth.ErrUnknown) }

func TestTokenIsTaken(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		c := r.good(r.idp.token())
		if c.CustomerID != 77 || c.Write || !strings.HasPrefix(c.Name, "token-") || strings.Contains(c.Name, canary) {
			t.Errorf("got %+v", *c)
		}
		if other := r.good(r.idp.token(claim("sub", `"another"`))); other.Name == c.Name {
			t.Error("two subjects have one name")
		}
		if c := r.good(r.idp.token(claim("sub", ""))); c.Name != "token" {
			t.Errorf("without a subject: %q", c.Name)
		}
		for name, change := range map[string]func(*draft){
			"type jwt":            header("typ", `"JWT"`),
			"no type":             header("typ", ""),
			"full media type":     header("typ", `"application/AT+jwt"`),
			"unknown header":      header("x", `{"jwk": 1}`),
			"audience in a list":  claim("aud", `["other", "`+audience+`"]`),
			"fractions of time":   claim("exp", at(time.Now().Add(time.Minute))+".75"),
			"exponent":            claim("exp", "2.5e10"),
			"not before now":      claim("nbf", at(time.Now())),
			"no issued at":        claim("iat", ""),
			"expired within skew": claim("exp", at(time.Now().Add(-59*time.Second))),
			"ahead within skew":   claim("nbf", at(time.Now().Add(60*time.Second))),
			"no key id":           header("kid", ""),
			"null key id":         header("kid", "null"),
		} {
			if _, err := r.Authenticate(t.Context(), r.idp.token(change)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func TestTokenIsRefused(t *testing.T) {
	pemOf := func(key any) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key))})
	}
	cases := []struct {
		name   string
		reason auth.Reason
		change func(*draft)
	}{
		{"expired", auth.Expired, claim("exp", "946684740")}, // 60 s ago: a bubble begins with the year 2000
		{"expired long ago", auth.Expired, claim("exp", "1")},
		{"exp 0", auth.Expired, claim("exp", "0")},
		{"no exp", auth.BadClaims, claim("exp", "")},
		{"exp null", auth.BadClaims, claim("exp", "null")},
		{"exp a string", auth.BadClaims, claim("exp", `"99999999999"`)},
		{"exp negative", auth.BadClaims, claim("exp", "-1")},
		{"exp huge", auth.BadClaims, claim("exp", "1e19")},
		{"exp beyond float64", auth.BadClaims, claim("exp", "1e999")},
		{"exp past year 9999", auth.BadClaims, claim("exp", "253402300800")},
		{"exp an object", auth.BadClaims, claim("exp", `{}`)},
		{"exp in other case", auth.BadClaims, func(d *draft) { d.claims["EXP"] = d.claims["exp"]; delete(d.claims, "exp") }},
		{"nbf ahead", auth.NotYetValid, claim("nbf", "946684861")},
		{"nbf huge", auth.BadClaims, claim("nbf", "1e19")}, // the library alone takes it for past
		{"nbf a string", auth.BadClaims, claim("nbf", `"0"`)},
		{"iat ahead", auth.NotYetValid, claim("iat", "946684861")},
		{"iat NaN", auth.BadClaims, claim("iat", `"NaN"`)},
		{"another issuer", auth.WrongIssuer, claim("iss", `"https://login.example/realms/other"`)},
		{"issuer with a slash", auth.WrongIssuer, claim("iss", `"https://login.example/realms/harbour/"`)},
		{"no issuer", auth.BadClaims, claim("iss", "")},
		{"issuer in a list", auth.BadClaims, claim("iss", `["https://login.example/realms/harbour"]`)},
		{"another audience", auth.WrongAudience, claim("aud", `"https://gateway.example"`)},
		{"audience in other case", auth.WrongAudience, claim("aud", `"HTTPS://gateway.example/api"`)},
		{"another audience in a list", auth.WrongAudience, claim("aud", `["a", "b"]`)},
		{"a list with a number", auth.BadClaims, claim("aud", `["`+audience+`", 1]`)},
		{"a list in a list", auth.BadClaims, claim("aud", `[["`+audience+`"]]`)},
		{"no audience", auth.BadClaims, claim("aud", "")},
		{"empty audience", auth.BadClaims, claim("aud", `[]`)},
		{"audience null", auth.BadClaims, claim("aud", "null")},
		{"claim twice", auth.Malformed, func(d *draft) { d.twice = `"aud":"x"` }},
		{"crit", auth.Malformed, header("crit", `["exp"]`)},
		{"crit empty", auth.Malformed, header("crit", `[]`)},
		{"crit null", auth.Malformed, header("crit", `null`)},
		{"b64", auth.Malformed, header("b64", "true")},
		{"b64 false", auth.Malformed, header("b64", "false")},
		{"nested", auth.Malformed, header("cty", `"JWT"`)},
		{"enc", auth.Malformed, header("enc", `"A256GCM"`)},
		{"zip", auth.Malformed, header("zip", `"DEF"`)},
		{"a logout token", auth.Malformed, header("typ", `"logout+jwt"`)},
		{"kid a number", auth.Malformed, header("kid", "1")},
		{"header twice", auth.Malformed, func(d *draft) { d.headerTwice = `"alg":"ES256"`; d.header["alg"] = `"ES256"` }},
		{"alg a list", auth.Malformed, header("alg", `["ES256"]`)},
		{"alg of another case", auth.Malformed, header("alg", `"es256"`)},
		{"alg null", auth.Malformed, header("alg", `null`)},
		{"alg unknown", auth.Malformed, header("alg", `"ES256K"`)},
		{"none", auth.Malformed, signed("none", jwt.UnsafeAllowNoneSignatureType)},
		{"None", auth.Malformed, func(d *draft) {
			d.header["alg"] = `"None"`
			signed("none", jwt.UnsafeAllowNoneSignatureType)(d)
		}},
		{"HS256 with the RSA key's PEM", auth.Malformed, func(d *draft) {
			d.header["kid"] = `"rsa"`
			signed("HS256", pemOf(rsaKey().Public()))(d)
		}},
		{"HS512 with the EC key's PEM", auth.Malformed, signed("HS512", pemOf(p256().Public()))},
		{"RS256 named, HS256 signed", auth.BadSignature, func(d *draft) {
			d.header["kid"], d.header["alg"] = `"rsa"`, `"RS256"`
			signed("HS256", pemOf(rsaKey().Public()))(d)
		}},
		{"RS256 for an EC key", auth.Unknown, signed("RS256", rsaKey())},
		{"another key of the same name", auth.BadSignature, signed("ES256", p256Other())},
		{"an unknown key", auth.Unknown, header("kid", `"k2"`)},
		{"a key of its own", auth.BadSignature, func(d *draft) {
			d.header["jwk"] = string(must(public("k1", p256Other()).MarshalJSON()))
			d.key = p256Other()
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				r.store.count("KeyGeneration")
				r.bad(r.idp.token(c.change), c.reason)
				if n := r.store.count("KeyGeneration"); n != 0 {
					t.Error("a token is no reason to look at the store")
				}
			})
		})
	}
}

// TestTokenText: changes to the text of a good token, one at a time.
func TestTokenText(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		good := r.idp.token()
		part := strings.Split(good, ".")
		r.good(good)
		join := func(p ...string) string { return strings.Join(p, ".") }
		for _, c := range []struct {
			name, text string
			reason     auth.Reason
		}{
			{"two parts", join(part[0], part[1]), auth.Unknown},
			{"four parts", good + "." + part[2], auth.Unknown},
			{"five parts", join(part[0], "", part[1], part[2], part[2]), auth.Unknown},
			{"dots", "..", auth.Unknown},
			{"no header", join("", part[1], part[2]), auth.Unknown},
			{"header a list", join(encode("[]"), part[1], part[2]), auth.Unknown},
			{"header cut", join(encode(`{"alg":"ES256"`), part[1], part[2]), auth.Unknown},
			{"header padded", join(part[0]+"=", part[1], part[2]), auth.Unknown},
			{"header with more", join(encode(`{"alg":"ES256","kid":"k1"}{}`), part[1], part[2]), auth.Unknown},
			{"empty header", join(encode(`{}`), part[1], part[2]), auth.Malformed},
			{"no claims", join(part[0], "", part[2]), auth.Malformed},
			{"claims a list", join(part[0], encode("[]"), part[2]), auth.Malformed},
			{"claims null", join(part[0], encode("null"), part[2]), auth.BadSignature},
			{"claims cut", join(part[0], part[1][:len(part[1])-4], part[2]), auth.Malformed},
			{"claims of another", join(part[0], strings.Split(r.idp.token(claim("scope", `"write"`)), ".")[1], part[2]), auth.BadSignature},
			{"no signature", join(part[0], part[1], ""), auth.BadSignature},
			{"signature cut", join(part[0], part[1], part[2][:40]), auth.BadSignature},
			{"signature padded", good + "==", auth.Malformed},
			{"signature of zeros", join(part[0], part[1], strings.Repeat("A", 86)), auth.BadSignature},
			{"line break", good + "\n", auth.Malformed},
			{"line break inside", join(part[0], part[1], part[2][:9]+"\r\n"+part[2][9:]), auth.Malformed},
			{"base64 of the other alphabet", join(part[0], part[1], strings.Repeat("+", 86)), auth.Malformed},
			{"bits after the end", good[:len(good)-1] + otherBits(good[len(good)-1]), auth.Malformed},
			{"space before", " " + good, auth.Unknown},
			{"scheme before", "Bearer " + good, auth.Unknown},
			{"too long", r.idp.token(claim("x", quoted(strings.Repeat("x", 8<<10)))), auth.Unknown},
		} {
			r.bad(c.text, c.reason, c.name)
		}
	})
}

// otherBits gives another last letter that a lenient decoder reads as the same bytes:
// of the last letter of 64 bytes, four bits are beyond the end.
func otherBits(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, last)|1])
}

// TestAlgorithms: every algorithm of the list, and what its key may be.
func TestAlgorithms(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		named := public("named", rsaKey())
		named.Algorithm = "PS384"
		r.idp.publish(public("rsa", rsaKey()), public("256", p256()), public("384", p384()), public("521", p521()), public("ed", edwardsKey()), named)
		time.Sleep(time.Hour)
		keys := map[string]any{"rsa": rsaKey(), "256": p256(), "384": p384(), "521": p521(), "ed": edwardsKey()}
		of := map[string]string{"RS256": "rsa", "RS384": "rsa", "RS512": "rsa", "PS256": "rsa", "PS384": "rsa", "PS512": "rsa",
			"ES256": "256", "ES384": "384", "ES512": "521", "EdDSA": "ed"}
		for alg, key := range of {
			text := r.idp.token(signed(alg, keys[key]), header("kid", quoted(key)))
			r.good(text)
			for other := range keys {
				if other != key {
					r.bad(r.idp.token(signed(alg, keys[key]), header("kid", quoted(other))), auth.Unknown, alg, other)
				}
			}
		}
		r.good(r.idp.token(signed("PS384", rsaKey()), header("kid", `"named"`)))
		r.bad(r.idp.token(signed("PS256", rsaKey()), header("kid", `"named"`)), auth.Unknown)
		// ES256 over another curve: the library checks the length alone.
		digest := r.idp.token(signed("ES384", p384()), header("kid", `"384"`), header("alg", `"ES256"`))
		r.bad(digest, auth.Unknown)
		raw := must(rsa.SignPKCS1v15(rand.Reader, rsaKey(), 0, []byte("x")))
		part := strings.Split(r.idp.token(signed("RS256", rsaKey()), header("kid", `"rsa"`)), ".")
		r.bad(part[0]+"."+part[1]+"."+base64.RawURLEncoding.EncodeToString(raw), auth.BadSignature)
	})
}
