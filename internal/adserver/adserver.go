// Package adserver reads ad-server configs as callers send them, and puts them into
// the shapes that the sales agent takes (contract, "Rules for the connection"). It is
// pure: it asks nobody and keeps nothing. Credentials live in a [Config] alone, which
// goes away with the request.
package adserver

import (
	"fmt"
	"io"
	"log/slog"

	"esagate/registry"
	"esagate/upstream/wire"
)

// Account is the operator's service account, through which ad servers of type
// google_ad_manager are reached.
type Account struct {
	Email string
	Key   wire.Secret // the JSON key file
}

// Config is an ad-server config that a caller wants to be used, valid and with its
// credentials. Printed or logged, it is one word.
type Config struct {
	// A function, because fmt can look into everything else: where a Config stands in
	// somebody's unexported field, its methods are not asked, and with the wrong verb
	// pointers are followed.
	open func() kind
}

// kind is the config of one type of ad server.
type kind interface {
	name() string
	// label is the type's usual name, with the network or account where it is known.
	label() string
	view(current *registry.AdServer, kept *wire.Settings) registry.AdServer
	request(account *Account, kept *wire.Settings) wire.AdapterRequest
	// settings are those of upstream's settings that the caller has named.
	settings() []setting
}

const hidden = "[ad-server config]"

// Format implements fmt.Formatter: no verb shows a secret.
func (Config) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// LogValue implements slog.LogValuer.
func (Config) LogValue() slog.Value { return slog.StringValue(hidden) }

// Type gives the type, a word of the contract: google_ad_manager, freewheel,
// springserve, broadstreet or mock.
func (c *Config) Type() string { return c.open().name() }

// NeedsAccount reports whether [Config.Request] needs the operator's account.
func (c *Config) NeedsAccount() bool { return c.Type() == typeGAM }

// View gives the non-secret view that the registry keeps. What the request leaves out
// is carried over from kept, upstream's settings, and executionCurrency, which
// upstream has none of, from current, the view that is replaced. Both may be nil.
func (c *Config) View(current *registry.AdServer, kept *wire.Settings) registry.AdServer {
	if current == nil || current.Type != c.Type() {
		current = &registry.AdServer{}
	}
	if kept == nil {
		kept = &wire.Settings{}
	}
	v := c.open().view(current, kept)
	v.Type = c.Type()
	return v
}

// Request gives the config in upstream's shape, with credentials. Settings that the
// caller left out are filled in from kept, because upstream resets what a write does
// not name (contract, "Change"). account must be given where NeedsAccount; both are of
// no account otherwise and may be nil.
func (c *Config) Request(account *Account, kept *wire.Settings) wire.AdapterRequest {
	if account == nil {
		account = &Account{}
	}
	if kept == nil {
		kept = &wire.Settings{}
	}
	return c.open().request(account, kept)
}

// Connect is the body of a request that connects a new ad server. Printed or logged,
// it is one word.
type Connect struct {
	*Config
	SourceID string // empty: none was asked for, and Slug is to be used
	Slug     string // made of Name
	Name     string
}
