package wire

// AdapterRequest is an ad-server config in the shape that upstream takes: one of the
// types below. What is empty or nil is left out, and has upstream's default.
type AdapterRequest interface {
	adapterRequest()
	// Secrets gives every credential in it, none of them empty.
	Secrets() []Secret
}

// GAMRequest is a config of type google_ad_manager.
type GAMRequest struct {
	Type                  string `json:"type"`
	NetworkCode           string `json:"network_code"`
	ServiceAccountEmail   string `json:"service_account_email"`
	ServiceAccountKeyJSON Secret `json:"service_account_key_json"`
}

// FreeWheelRequest is a config of type freewheel.
type FreeWheelRequest struct {
	Type                string `json:"type"`
	Username            string `json:"username,omitempty"`
	Password            Secret `json:"password,omitempty"`
	APIToken            Secret `json:"api_token,omitempty"`
	Environment         string `json:"environment,omitempty"` // production or staging
	DefaultAdvertiserID string `json:"default_advertiser_id,omitempty"`
}

// SpringServeRequest is a config of type springserve.
type SpringServeRequest struct {
	Type                    string `json:"type"`
	Email                   string `json:"email,omitempty"`
	Password                Secret `json:"password,omitempty"`
	APIToken                Secret `json:"api_token,omitempty"`
	Environment             string `json:"environment,omitempty"` // production
	DefaultDemandPartnerID  *int64 `json:"default_demand_partner_id,omitempty"`
	DemandClass             string `json:"demand_class,omitempty"`
	EnableKeyValueTargeting *bool  `json:"enable_key_value_targeting,omitempty"`
	RateCurrency            string `json:"rate_currency,omitempty"`
}

// BroadstreetRequest is a config of type broadstreet.
type BroadstreetRequest struct {
	Type                 string `json:"type"`
	NetworkID            string `json:"network_id"`
	APIKey               Secret `json:"api_key"`
	DefaultAdvertiserID  string `json:"default_advertiser_id,omitempty"`
	CampaignNameTemplate string `json:"campaign_name_template,omitempty"`
}

// MockRequest is a config of type mock.
type MockRequest struct {
	Type string `json:"type"`
}

func (GAMRequest) adapterRequest()         {}
func (FreeWheelRequest) adapterRequest()   {}
func (SpringServeRequest) adapterRequest() {}
func (BroadstreetRequest) adapterRequest() {}
func (MockRequest) adapterRequest()        {}

// ProvisionRequest is the body of `POST /tenants/provision`.
type ProvisionRequest struct {
	Name           string         `json:"name"`
	ExternalOrgID  string         `json:"external_org_id"`
	ExternalSource string         `json:"external_source"`
	ContactEmail   string         `json:"contact_email"`
	PublicAgentURL string         `json:"public_agent_url,omitempty"`
	Adapter        AdapterRequest `json:"adapter"`
}

// WebhookRequest is the body of `POST T/webhooks`.
type WebhookRequest struct {
	URL         string   `json:"url"`
	EventTypes  []string `json:"event_types"`
	Description string   `json:"description,omitempty"`
	Secret      Secret   `json:"secret"` // at least 32 characters
}
