package registry

import (
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Credential authenticates requests to an agent; one of its parts is set. A Store keeps
// it encrypted and bound to its row. Printed or logged, it is one word.
type Credential struct {
	hidden
	Token *TokenCredential `json:"token,omitempty"` // AuthAPIKey
	JWT   *JWTCredential   `json:"jwt,omitempty"`   // AuthJWT
	Basic *BasicCredential `json:"basic,omitempty"` // AuthBasic
	OAuth *OAuthCredential `json:"oauth,omitempty"` // AuthOAuth
}

// TokenCredential is a token and where it goes: bearer, apikey or api_key.
type TokenCredential struct {
	hidden
	Scheme string `json:"scheme"`
	Token  string `json:"token"`
}

// JWTCredential is a key to sign assertions with, and what to put into them.
type JWTCredential struct {
	hidden
	PrivateKey       string `json:"privateKey"`
	Issuer           string `json:"issuer"`
	Subject          string `json:"subject"`
	KeyID            string `json:"keyId"`
	Scope            string `json:"scope"`
	TokenEndpointURL string `json:"tokenEndpointUrl"`
	AudienceURL      string `json:"audienceUrl"`
	Algorithm        string `json:"algorithm,omitempty"`   // ES256 or RS256; empty: not said
	Environment      string `json:"environment,omitempty"` // empty: not said
}

// BasicCredential is a user name and a password, which may be empty.
type BasicCredential struct {
	hidden
	Username string `json:"username"`
	Password string `json:"password"`
}

// OAuthCredential is the outcome of a consent, with all that a refresh needs.
type OAuthCredential struct {
	hidden
	AccessToken  string      `json:"accessToken"`
	TokenType    string      `json:"tokenType"`
	RefreshToken string      `json:"refreshToken,omitempty"`
	ExpiresAt    time.Time   `json:"expiresAt,omitzero"` // zero: not said
	Client       OAuthClient `json:"client"`
}

// OAuthClient is the gateway as one authorization server knows it.
type OAuthClient struct {
	hidden
	Issuer        string    `json:"issuer"`
	TokenEndpoint string    `json:"tokenEndpoint"`
	RedirectURI   string    `json:"redirectUri"`
	ClientID      string    `json:"clientId"`
	ClientSecret  string    `json:"clientSecret,omitempty"`  // empty: a public client
	SecretExpires time.Time `json:"secretExpires,omitzero"`  // zero: never
	AuthMethod    string    `json:"authMethod,omitempty"`    // RFC 7591 token_endpoint_auth_method
	Resource      string    `json:"resource"`                // RFC 8707
	Audience      string    `json:"audience,omitempty"`      // where the caller named one
	Scope         string    `json:"scope,omitempty"`         // space-separated
	RequireIssuer bool      `json:"requireIssuer,omitempty"` // RFC 9207: answers carry iss
}

// Consent is an authorization that has been begun and not answered. A Store keeps
// it encrypted and finds it by the SHA-256 of its state alone.
type Consent struct {
	hidden
	SourceRow   int64       `json:"sourceRow"`   // Source.ID: a sourceId can belong to another source by then
	AuthVersion int64       `json:"authVersion"` // the agent's when it was begun
	Verifier    string      `json:"verifier"`    // PKCE (RFC 7636)
	Client      OAuthClient `json:"client"`
	ExpiresAt   time.Time   `json:"expiresAt"`
}

// TakenConsent is a consent with its customer and source.
type TakenConsent struct {
	hidden
	CustomerID int64
	SourceID   string
	Consent    Consent
}

// hidden makes the struct that embeds it one word to every printer and log.
type hidden struct{}

// Format implements fmt.Formatter: no verb shows a secret.
func (hidden) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[secret]") }

// LogValue implements slog.LogValuer.
func (hidden) LogValue() slog.Value { return slog.StringValue("[secret]") }
