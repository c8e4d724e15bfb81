package api

// Connection is the gateway's record of a managed source's tenant (contract 5). ID is a BIGINT written as a string.
type Connection struct {
	ID                  string         `json:"id"`
	CustomerID          int64          `json:"customerId"`
	ProvisioningStatus  string         `json:"provisioningStatus"`
	TenantID            *string        `json:"tenantId"`
	MCPURL              *string        `json:"mcpUrl"`
	A2AURL              *string        `json:"a2aUrl"`
	AdServer            AdServer       `json:"adServer"` // nil: none saved
	ServiceAccountEmail *string        `json:"serviceAccountEmail"`
	LastError           *string        `json:"lastError"`
	LastErrorCode       *string        `json:"lastErrorCode"`
	LastTestedAt        Timestamp      `json:"lastTestedAt"`
	ProvisionedAt       Timestamp      `json:"provisionedAt"`
	DeactivatedAt       Timestamp      `json:"deactivatedAt"`
	CreatedAt           Timestamp      `json:"createdAt"`
	UpdatedAt           Timestamp      `json:"updatedAt"`
	InventorySync       *InventorySync `json:"inventorySync"` // nil until the first signal
}

// InventorySync is the last known state of a source's inventory sync.
type InventorySync struct {
	Status      string    `json:"status"` // unknown, never_run, running, success or failed
	LastRunAt   Timestamp `json:"lastRunAt"`
	CompletedAt Timestamp `json:"completedAt"`
	ItemCount   *int64    `json:"itemCount"`
	Error       *string   `json:"error"`
	UpdatedAt   Timestamp `json:"updatedAt"`
}

// AdServer is the non-secret view of an ad-server config: one of the types
// below, chosen by `type`. None of them has a field for a credential.
type AdServer interface{ adServer() }

// GoogleAdManager is the view of type google_ad_manager.
type GoogleAdManager struct {
	Type        string  `json:"type"`
	NetworkCode *string `json:"networkCode"`
}

// FreeWheel is the view of type freewheel.
type FreeWheel struct {
	Type                string  `json:"type"`
	ClientID            *string `json:"clientId"`
	Username            *string `json:"username"`
	Environment         string  `json:"environment"`
	DefaultAdvertiserID *string `json:"defaultAdvertiserId"`
	ExecutionCurrency   *string `json:"executionCurrency"`
}

// SpringServe is the view of type springserve.
type SpringServe struct {
	Type                   string  `json:"type"`
	Email                  *string `json:"email"`
	Environment            string  `json:"environment"`
	DefaultDemandPartnerID *int64  `json:"defaultDemandPartnerId"`
	RateCurrency           *string `json:"rateCurrency"`
}

// AdsWizz is the view of type adswizz.
type AdsWizz struct {
	Type                string   `json:"type"`
	AgencyID            *int64   `json:"agencyId"`
	Environment         string   `json:"environment"`
	BaseURL             *string  `json:"baseUrl"`
	ForecastingBaseURL  *string  `json:"forecastingBaseUrl"`
	DefaultCurrency     *string  `json:"defaultCurrency"`
	CPMLimit            *float64 `json:"cpmLimit"`
	DefaultAdvertiserID *string  `json:"defaultAdvertiserId"`
}

// Broadstreet is the view of type broadstreet.
type Broadstreet struct {
	Type      string  `json:"type"`
	NetworkID *string `json:"networkId"`
}

// OtherAdServer is the view of mock and of every type unknown here.
type OtherAdServer struct {
	Type string `json:"type"`
}

func (GoogleAdManager) adServer() {}
func (FreeWheel) adServer()       {}
func (SpringServe) adServer()     {}
func (AdsWizz) adServer()         {}
func (Broadstreet) adServer()     {}
func (OtherAdServer) adServer()   {}
