package adserver

import (
	"esagate/api"
	"esagate/internal/word"
	"esagate/registry"
	"esagate/upstream/wire"
)

// TypeName gives the type of a saved config, "unknown" where that is no plain word.
func TypeName(s *registry.AdServer) string {
	if !word.Name.Is(s.Type) {
		return "unknown"
	}
	return s.Type
}

// View gives the document of a saved config, by the allow-list of its type (contract 5.4); nil when
// none is saved. Of a type that is not known here it is the type alone.
func View(s *registry.AdServer) api.AdServer {
	if s == nil {
		return nil
	}
	view := api.AdServer{{Name: "type", Value: TypeName(s)}}
	if t := Find(s.Type); t != nil {
		for _, f := range t.with(Kept) {
			value := column(s, f.Name).Interface()
			if value == "" {
				value = nil
			}
			if value == nil && f.Form == Word { // an environment
				value = production
			}
			view = append(view, api.Member[any]{Name: f.Name, Value: value})
		}
	}
	return view
}

// Observed gives the registry's view of upstream's adapter config, with the service account's
// e-mail ("" when there is none); nil when upstream has no config. Upstream shows no more of a
// config than its type and, of one that is reached through a service account, these two.
func Observed(c *wire.AdapterConfig) (view *registry.AdServer, accountEmail string) {
	if !c.Configured {
		return nil, ""
	}
	view = &registry.AdServer{Type: c.Type}
	view.Type = TypeName(view)
	if t := Find(view.Type); t != nil && t.NeedsAccount() {
		if code := c.NetworkCode.Value; code != "" && len(code) <= t.Account().Max && digits("", code) == "" {
			view.NetworkCode = code
		}
		accountEmail = c.ServiceAccountEmail.Value
	}
	return view, accountEmail
}
