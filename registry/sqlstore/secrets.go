package sqlstore

import (
	"encoding/json"
	"errors"

	"esagate/registry"
)

// encodeCredential returns the form that is sealed; ErrInvalid for what would not be
// read back as it was, JSON having no word for it, and for credentials that are not
// of one kind.
func encodeCredential(c registry.Credential) ([]byte, error) {
	kinds, ok := 0, true
	if t := c.Token; t != nil {
		kinds++
		ok = ok && storable(t.Scheme, t.Token)
	}
	if j := c.JWT; j != nil {
		kinds++
		ok = ok && storable(j.PrivateKey, j.Issuer, j.Subject, j.KeyID, j.Scope, j.TokenEndpointURL, j.AudienceURL, j.Algorithm, j.Environment)
	}
	if b := c.Basic; b != nil {
		kinds++
		ok = ok && storable(b.Username, b.Password)
	}
	if o := c.OAuth; o != nil {
		kinds++
		kept := *o
		kept.ExpiresAt = registry.Instant(o.ExpiresAt)
		kept.Client = keptClient(o.Client)
		ok = ok && storable(o.AccessToken, o.TokenType, o.RefreshToken) && storableClient(o.Client)
		c.OAuth = &kept
	}
	if !ok || kinds != 1 {
		return nil, registry.ErrInvalid
	}
	return json.Marshal(c)
}

func encodeConsent(c registry.Consent) ([]byte, error) {
	c.ExpiresAt = registry.Instant(c.ExpiresAt)
	c.Client = keptClient(c.Client)
	if !storable(c.Verifier) || !storableClient(c.Client) || c.ExpiresAt.IsZero() {
		return nil, registry.ErrInvalid
	}
	return json.Marshal(c)
}

func encodeLaunch(l registry.Launch) ([]byte, error) {
	l.ExpiresAt = registry.Instant(l.ExpiresAt)
	if !storable(l.Session, l.Path) || len(l.Path) > registry.MaxLaunchPath || l.ExpiresAt.IsZero() {
		return nil, registry.ErrInvalid
	}
	return json.Marshal(l)
}

func keptClient(c registry.OAuthClient) registry.OAuthClient {
	c.SecretExpires = registry.Instant(c.SecretExpires)
	return c
}

func storableClient(c registry.OAuthClient) bool {
	return storable(c.Issuer, c.TokenEndpoint, c.RedirectURI, c.ClientID, c.ClientSecret, c.AuthMethod, c.Resource, c.Audience, c.Scope)
}

// unsealInto opens and decodes what was sealed. The decoder's own error could quote it.
func (s *Store) unsealInto(v any, sealed, identity []byte) error {
	plain, err := s.unseal(sealed, identity)
	if err == nil && json.Unmarshal(plain, v) != nil {
		err = errors.New("a sealed value is not of the form that it should have")
	}
	return err
}

// storable reports whether a store can keep all of some texts.
func storable(texts ...string) bool {
	for _, text := range texts {
		if !registry.Storable(text) {
			return false
		}
	}
	return true
}
