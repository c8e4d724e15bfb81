package transform

import (
	"esagate/api"
	"esagate/internal/redact"
	"esagate/registry"
)

// adServerType gives the type of a saved config, a plain word.
func adServerType(s *registry.AdServer) string {
	if !redact.Word(s.Type) {
		return unknownWord
	}
	return s.Type
}

// adServer builds the view of a saved config field by field, by the allow-list
// of its type (contract, "Rules for the connection"); nil when none is saved.
func adServer(s *registry.AdServer) api.AdServer {
	if s == nil {
		return nil
	}
	switch kind := adServerType(s); kind {
	case "google_ad_manager":
		return api.GoogleAdManager{Type: kind, NetworkCode: optional(s.NetworkCode)}
	case "freewheel":
		return api.FreeWheel{
			Type:                kind,
			ClientID:            optional(s.ClientID),
			Username:            optional(s.Username),
			Environment:         environment(s),
			DefaultAdvertiserID: optional(s.DefaultAdvertiserID),
			ExecutionCurrency:   optional(s.ExecutionCurrency),
		}
	case "springserve":
		return api.SpringServe{
			Type:                   kind,
			Email:                  optional(s.Email),
			Environment:            environment(s),
			DefaultDemandPartnerID: s.DefaultDemandPartnerID,
			RateCurrency:           optional(s.RateCurrency),
		}
	case "adswizz":
		return api.AdsWizz{
			Type:                kind,
			AgencyID:            s.AgencyID,
			Environment:         environment(s),
			BaseURL:             optional(s.BaseURL),
			ForecastingBaseURL:  optional(s.ForecastingBaseURL),
			DefaultCurrency:     optional(s.DefaultCurrency),
			CPMLimit:            s.CPMLimit,
			DefaultAdvertiserID: optional(s.DefaultAdvertiserID),
		}
	case "broadstreet":
		return api.Broadstreet{Type: kind, NetworkID: optional(s.NetworkID)}
	default: // mock, and what is unknown here
		return api.OtherAdServer{Type: kind}
	}
}

// environment is production where none is known.
func environment(s *registry.AdServer) string {
	if s.Environment == "" {
		return "production"
	}
	return s.Environment
}
