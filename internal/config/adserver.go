package config

import (
	"math"
	"reflect"
	"regexp"
	"slices"

	"esagate/registry"
)

// adServerEntry is the non-secret part of an ad-server config, for every type.
// There is no key for a credential: one here is an unknown key.
type adServerEntry struct {
	Type                   string   `config:"type"`
	NetworkCode            *string  `config:"network_code"`
	NetworkID              *string  `config:"network_id"`
	ClientID               *string  `config:"client_id"`
	Username               *string  `config:"username"`
	Email                  *string  `config:"email"`
	Environment            *string  `config:"environment"`
	DefaultAdvertiserID    *string  `config:"default_advertiser_id"`
	ExecutionCurrency      *string  `config:"execution_currency"`
	DefaultDemandPartnerID *bigID   `config:"default_demand_partner_id"`
	RateCurrency           *string  `config:"rate_currency"`
	AgencyID               *bigID   `config:"agency_id"`
	BaseURL                *string  `config:"base_url"`
	ForecastingBaseURL     *string  `config:"forecasting_base_url"`
	DefaultCurrency        *string  `config:"default_currency"`
	CPMLimit               *float64 `config:"cpm_limit"`
}

// adServerKeys is the allow-list of each type known here (contract, "Rules for
// the connection").
var adServerKeys = map[string][]string{
	"google_ad_manager": {"network_code"},
	"freewheel":         {"client_id", "username", "environment", "default_advertiser_id", "execution_currency"},
	"springserve":       {"email", "environment", "default_demand_partner_id", "rate_currency"},
	"adswizz": {"agency_id", "environment", "base_url", "forecasting_base_url", "default_currency",
		"cpm_limit", "default_advertiser_id"},
	"broadstreet": {"network_id"},
	"mock":        {},
}

// environments are the values that each type's environment has.
var environments = map[string][]string{
	"freewheel":   {"production", "staging", "sandbox"},
	"springserve": {"production"},
	"adswizz":     {"AUDIOSERVE", "production"},
}

var (
	typeWord    = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	networkCode = regexp.MustCompile(`^[0-9]{1,32}$`)
	currency    = regexp.MustCompile(`^[A-Z]{3}$`)
)

func (v *validator) adServer(e *adServerEntry, path string) *registry.AdServer {
	v.adServerType(e, path)
	at := func(key string) string { return child(path, key) }
	account, money := plainText(1, 255), matching(currency, "must be three capital letters, such as EUR")
	return &registry.AdServer{
		Type:                   e.Type,
		NetworkCode:            v.optional(at("network_code"), e.NetworkCode, matching(networkCode, "must be 1 to 32 digits")),
		NetworkID:              v.optional(at("network_id"), e.NetworkID, account),
		ClientID:               v.optional(at("client_id"), e.ClientID, account),
		Username:               v.optional(at("username"), e.Username, account),
		Email:                  v.optional(at("email"), e.Email, email),
		Environment:            v.optional(at("environment"), e.Environment, environmentOf(e.Type)),
		DefaultAdvertiserID:    v.optional(at("default_advertiser_id"), e.DefaultAdvertiserID, plainText(1, 64)),
		ExecutionCurrency:      v.optional(at("execution_currency"), e.ExecutionCurrency, money),
		DefaultDemandPartnerID: v.positive(at("default_demand_partner_id"), e.DefaultDemandPartnerID),
		RateCurrency:           v.optional(at("rate_currency"), e.RateCurrency, money),
		AgencyID:               v.positive(at("agency_id"), e.AgencyID),
		BaseURL:                v.optional(at("base_url"), e.BaseURL, urlWithPath),
		ForecastingBaseURL:     v.optional(at("forecasting_base_url"), e.ForecastingBaseURL, urlWithPath),
		DefaultCurrency:        v.optional(at("default_currency"), e.DefaultCurrency, money),
		CPMLimit:               v.limit(at("cpm_limit"), e.CPMLimit),
	}
}

// adServerType checks the type, and that no key stands beside it that belongs to
// another type. A type unknown here is allowed, since upstream can be newer, but
// nothing beside it: its view is the type alone.
func (v *validator) adServerType(e *adServerEntry, path string) {
	typePath := child(path, "type")
	if !v.required(typePath, e.Type != "") ||
		!v.text(typePath, e.Type, matching(typeWord, "must be a word such as google_ad_manager")) {
		return
	}
	allowed, known := adServerKeys[e.Type]
	if !known {
		v.warn(typePath, "is not a type that this version knows; nothing but the type will be shown")
	}
	entry := reflect.ValueOf(e).Elem()
	for _, f := range fields(entry.Type()) {
		if f.key == "type" || entry.FieldByIndex(f.index).IsNil() || slices.Contains(allowed, f.key) {
			continue
		}
		if known {
			v.add(child(path, f.key), "is not a key of type %s", e.Type)
		} else {
			v.add(child(path, f.key), "is not a key of this type, which is unknown here")
		}
	}
}

// environmentOf is the rule for a type's environment; of a type that has none it
// allows anything, since the key itself is reported.
func environmentOf(adServerType string) rule {
	words, known := environments[adServerType]
	if !known {
		return plainText(0, math.MaxInt)
	}
	return oneOf(words...)
}

func (v *validator) positive(path string, n *bigID) *int64 {
	if n == nil {
		return nil
	}
	within(v, path, *n, 1, maxCustomerID)
	value := int64(*n)
	return &value
}

func (v *validator) limit(path string, f *float64) *float64 {
	if f != nil && v.good(path) && *f <= 0 {
		v.add(path, "must be above 0")
	}
	return f
}
