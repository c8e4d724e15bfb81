package adserver

import (
	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/upstream/wire"
)

// freeWheel is FreeWheel. The sales agent knows no client credentials, sandbox or
// currency; the currency is kept in the registry alone.
type freeWheel struct {
	login
	environment       string
	defaultAdvertiser *string // nil: not named; empty: none is wanted
	executionCurrency string
}

var freeWheelShape = shape{
	name:    typeFreeWheel,
	members: []string{"username", "password", "apiToken", "environment", "defaultAdvertiserId", "executionCurrency"},
	refused: []refusal{{"clientId", untakeable}, {"clientSecret", untakeable}},
	read: func(r *reader) kind {
		f := &freeWheel{login: r.login("username", []jsonbody.Rule{jsonbody.Length(1, maxLogin)}, "clientId", "clientSecret")}
		f.environment = r.environment(freeWheelEnvironment)
		if m := r.Text("defaultAdvertiserId", jsonbody.Length(0, maxID)); m.Given {
			id := r.Take(m)
			f.defaultAdvertiser = &id
		}
		f.executionCurrency = r.Take(r.Text("executionCurrency", currency))
		return f
	},
}

func freeWheelEnvironment(path, value string) string {
	if value == "sandbox" {
		return "The " + path + " sandbox" + untakeable
	}
	return jsonbody.OneOf(production, "staging")(path, value)
}

const production = "production"

// environment reads the environment, production where none is named.
func (r *reader) environment(rule jsonbody.Rule) string {
	m := r.Text("environment", rule)
	if !m.Given {
		return production
	}
	return r.Take(m)
}

// currency wants three capital letters (ISO 4217).
func currency(path, value string) string {
	if !isCurrency(value) {
		return path + " must be three capital letters."
	}
	return ""
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

func (*freeWheel) name() string    { return typeFreeWheel }
func (f *freeWheel) label() string { return labelled("FreeWheel", f.login.name) }

// labelled gives a type's usual name with an account, if one is known.
func labelled(usual, account string) string {
	if account == "" {
		return usual
	}
	return usual + " " + account
}

func (f *freeWheel) view(current *registry.AdServer, kept *wire.Settings) registry.AdServer {
	v := registry.AdServer{
		Username:            f.login.name,
		Environment:         f.environment,
		DefaultAdvertiserID: shownID(kept.DefaultAdvertiserID.Value),
		ExecutionCurrency:   f.executionCurrency,
	}
	if f.defaultAdvertiser != nil {
		v.DefaultAdvertiserID = *f.defaultAdvertiser
	}
	if v.ExecutionCurrency == "" {
		v.ExecutionCurrency = current.ExecutionCurrency
	}
	return v
}

func (f *freeWheel) request(_ *Account, kept *wire.Settings) wire.AdapterRequest {
	q := wire.FreeWheelRequest{
		Type: typeFreeWheel, Username: f.login.name, Password: f.password, APIToken: f.token,
		Environment:         f.environment,
		DefaultAdvertiserID: kept.DefaultAdvertiserID.Value,
	}
	if f.defaultAdvertiser != nil {
		q.DefaultAdvertiserID = *f.defaultAdvertiser
	}
	return q
}

func (f *freeWheel) settings() []setting {
	if f.defaultAdvertiser == nil {
		return nil
	}
	return []setting{textSetting("default_advertiser_id", *f.defaultAdvertiser)}
}
