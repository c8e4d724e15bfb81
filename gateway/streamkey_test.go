package gateway_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"esagate/internal/auth"
	"esagate/registry"
)

// TestStreamsEndWithTheirKey, and no others, within ten seconds: with one that is revoked, one that
// is taken from the config, or has become another's or of another identity there, and with a token that expires.
func TestStreamsEndWithTheirKey(t *testing.T) {
	i := newIssuer(t)
	s := setup{outside: i, oidc: i.config(nil)}
	servedAs(t, s, func(w *world, l *pipes, _ func(), _ <-chan error) {
		made := func(name string) (clear string, id int64) {
			clear = auth.KeyPrefix + "key-of-" + name
			key, err := w.store.APIKeys().CreateKey(w.Context(), registry.APIKey{
				Name: name, CustomerID: customer, SHA256: sha256.Sum256([]byte(clear)),
			})
			w.must(err)
			return clear, key.ID
		}
		revoked, id := made("revoked")
		good, _ := made("good")
		expiry := time.Now().Add(4 * time.Hour)
		token := i.token(jwt.MapClaims{"exp": expiry.Unix()})
		w.pass(time.Minute)

		streams := map[string]*follower{}
		for _, key := range []string{revoked, good, readKey, writeKey, otherKey, token} {
			streams[key] = w.follow(l, key, "?sourceId=a")
			w.pass(1300 * time.Millisecond)
		}
		ends := func(why string, ended ...string) {
			w.Helper()
			since := time.Now()
			w.pass(10 * time.Second)
			for _, key := range ended {
				if at, over := streams[key].over(); !over || at.Before(since) {
					w.Errorf("%s: the stream of %.12s ended at %v", why, key, at)
				}
				streams[key].leave()
				delete(streams, key)
			}
			for key, f := range streams {
				if at, over := f.over(); over {
					w.Errorf("%s: the stream of %.12s ended at %v", why, key, at)
				}
			}
		}
		w.pass(3 * time.Hour)
		ends("nothing")
		keys, err := w.store.APIKeys().Keys(w.Context())
		w.must(err)
		for _, k := range keys { // to the hour
			if since := time.Since(k.LastUsedAt); since > 2*time.Hour {
				w.Errorf("the key %s, whose stream is open, was last used %s ago", k.Name, since)
			}
		}
		_, err = w.store.APIKeys().RevokeKey(w.Context(), id)
		w.must(err)
		ends("revoked", revoked)
		w.callers.SetKeys([]auth.Key{
			{Name: "writer", CustomerID: customer, Write: true, Identity: registry.Identity{PrincipalID: "buyer_7"}, SHA256: sha256.Sum256([]byte(writeKey))},
			{Name: "reader", CustomerID: customer, Identity: registry.Identity{PrincipalID: "prin_pelican"}, SHA256: sha256.Sum256([]byte(readKey))},
			{Name: "other", CustomerID: stranger, Write: true, SHA256: sha256.Sum256([]byte(otherKey))},
		})
		ends("another identity", writeKey)
		streams[writeKey] = w.follow(l, writeKey, "?sourceId=a")
		w.callers.SetKeys([]auth.Key{
			{Name: "writer", CustomerID: stranger, Write: true, SHA256: sha256.Sum256([]byte(writeKey))},
			{Name: "other", CustomerID: stranger, Write: true, SHA256: sha256.Sum256([]byte(otherKey))},
		})
		ends("the config", readKey, writeKey)
		w.pass(time.Until(expiry) - 10*time.Minute)
		name, text := w.signedIn(token).session()
		page := w.followAt(l, "/ops/events?sourceId=a", "Cookie: "+name+"="+text+"\r\n")
		w.pass(time.Until(expiry) - time.Second)
		if _, over := page.over(); over {
			w.Error("the stream of a token's session ends before the token")
		}
		w.pass(11 * time.Second)
		if _, over := page.over(); !over {
			w.Error("the stream of a token's session outlives the token")
		}
		page.leave()
		w.pass(time.Until(expiry) + 59*time.Second) // and a minute's leeway for the issuer's clock
		ends("expired", token)
		w.publish(customer, "a")
		streams[good].got(completed + "a")
		streams[otherKey].got()
		for _, f := range streams {
			f.leave()
		}
	})
}
