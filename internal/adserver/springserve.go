package adserver

import (
	"regexp"
	"strings"

	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/upstream/wire"
)

// springServe is SpringServe.
type springServe struct {
	login
	environment   string
	demandPartner *int64 // nil: not named
	rateCurrency  string // empty: not named
}

var springServeShape = shape{
	name:    typeSpringServe,
	members: []string{"email", "password", "apiToken", "environment", "defaultDemandPartnerId", "rateCurrency"},
	read: func(r *reader) kind {
		return &springServe{
			login:         r.login("email", []jsonbody.Rule{jsonbody.Length(1, maxLogin), email}),
			environment:   r.environment(jsonbody.OneOf(production)),
			demandPartner: r.Positive(&r.Issues, "defaultDemandPartnerId"),
			rateCurrency:  r.Take(r.Text("rateCurrency", currency)),
		}
	},
}

var emailForm = regexp.MustCompile(`^[A-Za-z0-9_'+\-.]*[A-Za-z0-9_+-]@(?:[A-Za-z0-9][A-Za-z0-9-]*\.)+[A-Za-z]{2,}$`)

// email wants an address of the plain form that the contract takes.
func email(path, value string) string {
	if !emailForm.MatchString(value) || value[0] == '.' || strings.Contains(value, "..") {
		return path + " must be an e-mail address."
	}
	return ""
}

func (*springServe) name() string    { return typeSpringServe }
func (s *springServe) label() string { return labelled("SpringServe", s.login.name) }

func (s *springServe) view(_ *registry.AdServer, kept *wire.Settings) registry.AdServer {
	v := registry.AdServer{
		Email:                  s.login.name,
		Environment:            s.environment,
		DefaultDemandPartnerID: s.partner(kept),
		RateCurrency:           s.rateCurrency,
	}
	if v.RateCurrency == "" && isCurrency(kept.RateCurrency.Value) {
		v.RateCurrency = kept.RateCurrency.Value
	}
	return v
}

func (s *springServe) request(_ *Account, kept *wire.Settings) wire.AdapterRequest {
	q := wire.SpringServeRequest{
		Type: typeSpringServe, Email: s.login.name, Password: s.password, APIToken: s.token,
		Environment:            s.environment,
		DefaultDemandPartnerID: s.partner(kept),
		DemandClass:            kept.DemandClass.Value,
		RateCurrency:           s.rateCurrency,
	}
	if kept.EnableKeyValueTargeting.Set {
		enable := kept.EnableKeyValueTargeting.Value
		q.EnableKeyValueTargeting = &enable
	}
	if q.RateCurrency == "" {
		q.RateCurrency = kept.RateCurrency.Value
	}
	return q
}

// partner gives the default demand partner: the one named, else the one kept.
func (s *springServe) partner(kept *wire.Settings) *int64 {
	id := kept.DefaultDemandPartnerID.Value
	switch {
	case s.demandPartner != nil:
		id = *s.demandPartner
	case !kept.DefaultDemandPartnerID.Set:
		return nil
	}
	return &id
}

func (s *springServe) settings() []setting {
	var named []setting
	if s.demandPartner != nil {
		named = append(named, integerSetting("default_demand_partner_id", *s.demandPartner))
	}
	if s.rateCurrency != "" {
		named = append(named, textSetting("rate_currency", s.rateCurrency))
	}
	return named
}
