package upstreamtest

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// AdapterConfig is an ad-server config as the agent was given it, credentials
// included, with the agent's defaults for what was left out.
type AdapterConfig struct {
	Type string `json:"type"`

	NetworkCode           string `json:"network_code"` // google_ad_manager
	ServiceAccountEmail   string `json:"service_account_email"`
	ServiceAccountKeyJSON string `json:"service_account_key_json"`
	RefreshToken          string `json:"refresh_token"`

	Username    string `json:"username"`    // freewheel
	Email       string `json:"email"`       // springserve
	Password    string `json:"password"`    // both
	APIToken    string `json:"api_token"`   // both
	Environment string `json:"environment"` // both

	NetworkID string `json:"network_id"` // broadstreet
	APIKey    string `json:"api_key"`

	DryRun bool `json:"dry_run"` // mock

	Settings
}

// Settings are the runtime settings of all types of ad server; each type has some
// of them. Those that a config does not name are reset when it is written.
type Settings struct {
	OrderNameTemplate      string `json:"order_name_template"` // google_ad_manager, as the next three; "": null
	LineItemNameTemplate   string `json:"line_item_name_template"`
	AutoNamingEnabled      bool   `json:"auto_naming_enabled"`
	ManualApprovalRequired bool   `json:"manual_approval_required"`

	DefaultAdvertiserID  string `json:"default_advertiser_id"`  // freewheel, broadstreet; "": null
	CampaignNameTemplate string `json:"campaign_name_template"` // broadstreet

	DefaultDemandPartnerID  *int64 `json:"default_demand_partner_id"` // springserve, as the next three
	DemandClass             string `json:"demand_class"`
	EnableKeyValueTargeting bool   `json:"enable_key_value_targeting"`
	RateCurrency            string `json:"rate_currency"`
}

// DefaultSettings are the settings of a config just written that names none.
func DefaultSettings() Settings {
	return Settings{
		AutoNamingEnabled: true, CampaignNameTemplate: "AdCP-{po_number}-{product_name}",
		DemandClass: "line_item", RateCurrency: "USD",
	}
}

// Account is what an ad server knows the config's owner by: a network code or id,
// a user name or an e-mail address; the type where there is none of these.
func (c AdapterConfig) Account() string {
	for _, s := range []string{c.NetworkCode, c.NetworkID, c.Username, c.Email} {
		if s != "" {
			return s
		}
	}
	return c.Type
}

// currency is the pattern of ISO 4217 codes.
var currency = regexp.MustCompile(`^[A-Z]{3}$`)

func secretField(name string, required bool) field {
	return field{name: name, required: required, nullable: !required}
}

// adapterSchemas are the types of ad server that the agent takes (published
// schema, AdapterConfigEnvelope).
var adapterSchemas = map[string][]field{
	"google_ad_manager": {
		{name: "type"},
		{name: "network_code", required: true, min: 1, max: 32},
		{name: "service_account_email", required: true, min: 3, max: 255},
		secretField("service_account_key_json", true),
		secretField("refresh_token", false),
	},
	"freewheel": {
		{name: "type"},
		{name: "username", nullable: true, max: 255},
		secretField("password", false),
		secretField("api_token", false),
		{name: "environment", oneOf: []string{"production", "staging"}},
		{name: "default_advertiser_id", nullable: true, max: 64},
	},
	"springserve": append([]field{
		{name: "type"},
		{name: "email", nullable: true, max: 255},
		secretField("password", false),
		secretField("api_token", false),
		{name: "environment", oneOf: []string{"production"}},
	}, settingsSchemas["springserve"][1:]...),
	"broadstreet": append([]field{
		{name: "type"},
		{name: "network_id", required: true, min: 1, max: 64},
		secretField("api_key", true),
	}, settingsSchemas["broadstreet"][1:]...),
	"mock": {{name: "type"}, {name: "dry_run", kind: flag}},
}

// adapterTags are the types in the order of the schema, for the words of a 422.
var adapterTags = []string{"google_ad_manager", "mock", "freewheel", "broadstreet", "springserve"}

// readAdapter checks an ad-server config and reads it. loc is where in the body it
// stands; the tag is put behind it.
func readAdapter(loc []string, raw json.RawMessage, production bool) (AdapterConfig, []validationError) {
	expected := "'" + strings.Join(adapterTags, "', '") + "'"
	var head struct {
		Type *string `json:"type"`
	}
	if json.Unmarshal(raw, &head) != nil || head.Type == nil {
		return AdapterConfig{}, []validationError{{
			Type: "union_tag_not_found", Loc: at(loc), Msg: "Unable to extract tag using discriminator 'type'", Input: echo(raw),
		}}
	}
	tag := *head.Type
	if !slices.Contains(adapterTags, tag) {
		return AdapterConfig{}, []validationError{{
			Type: "union_tag_invalid", Loc: at(loc), Input: echo(raw),
			Msg: "Input tag '" + tag + "' found using 'type' does not match any of the expected tags: " + expected,
			Ctx: map[string]string{"discriminator": "'type'", "tag": tag, "expected_tags": expected},
		}}
	}
	loc = at(loc, tag)
	known, found := check(loc, raw, adapterSchemas[tag], production)
	if found != nil {
		return AdapterConfig{}, found
	}
	c := AdapterConfig{Settings: DefaultSettings()}
	if tag == "freewheel" || tag == "springserve" {
		c.Environment = "production"
	}
	fill(&c, known)
	if user := c.Username + c.Email; (tag == "freewheel" || tag == "springserve") && (user == "" || c.Password == "") && c.APIToken == "" {
		return AdapterConfig{}, valueError(loc, "a "+tag+" config needs a user with a password, or an api_token", raw)
	}
	return c, nil
}
