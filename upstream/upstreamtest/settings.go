package upstreamtest

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"esagate/internal/adserver"
)

// document writes the settings of a type of ad server, in the order of its fields.
func (v Values) document(t *adserver.Type) []byte {
	out := fmt.Appendf(nil, `{"type":%q`, t.Name)
	for _, f := range t.Fields {
		if !f.In(adserver.Setting) {
			continue
		}
		value := v[f.Key()]
		if value == nil {
			value = []byte("null")
		}
		out = fmt.Appendf(out, ",%q:%s", f.Key(), bytes.TrimSpace(value))
	}
	return append(out, "}\n"...)
}

// hasSettings finds the type that a path names, and what is said where the tenant
// has no config of it.
func (t *tenantState) hasSettings(part string) (*adserver.Type, *answer) {
	kind := adserver.Find(part)
	if all := adserver.Types(); part == "gam" { // the agent's short name of the one with a service account
		kind = all[slices.IndexFunc(all, (*adserver.Type).NeedsAccount)]
	}
	var no answer
	switch {
	case kind == nil || len(schemaOf(kind, adserver.Setting)) == 1:
		no = htmlPage(http.StatusNotFound)
	case !t.AdServer.Configured || t.config.Type != kind.Name:
		no = problem(http.StatusNotFound, "adapter_config_not_found",
			fmt.Sprintf("Tenant '%s' has no config of the type '%s'.", t.ID, part), nil)
	default:
		return kind, nil
	}
	return nil, &no
}

func (t *tenantState) settings(part string) answer {
	kind, no := t.hasSettings(part)
	if no != nil {
		return *no
	}
	return settingsAnswer(t.config.Values.document(kind))
}

func settingsAnswer(document []byte) answer {
	return answer{status: http.StatusOK, contentType: contentJSON, body: document}
}

// putSettings replaces the settings: what is left out has its default again.
func (t *tenantState) putSettings(opts Options, c call) answer {
	kind, no := t.hasSettings(c.part)
	if no != nil {
		return *no
	}
	schema := schemaOf(kind, adserver.Setting)
	schema[0].oneOf = []string{kind.Name}
	known, found := opts.check(nil, c.body, schema)
	if found != nil {
		return invalid(found)
	}
	s := defaultsOf(kind, adserver.Setting)
	s.set(known)
	values := maps.Clone(t.config.Values) // Config may have given the old ones
	for _, f := range kind.Fields {
		if f.In(adserver.Setting) {
			delete(values, f.Key())
		}
	}
	maps.Copy(values, s)
	t.config.Values = values
	return settingsAnswer(s.document(kind))
}

// SetSettings changes settings in a tenant's config, as someone does in the agent's own pages. There
// can be some that no endpoint shows (trafficker_id): a new config resets those too, and Config alone
// tells of them. A tenant that is not known has none to change.
func (a *Agent) SetSettings(tenantID string, s Values) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tenants[tenantID]; t != nil {
		values := maps.Clone(t.config.Values)
		maps.Copy(values, s)
		t.config.Values = values
	}
}
