package config

import "reflect"

// Changed gives the paths of the keys, in the order of [Config], in which c differs from another
// configuration. A list counts as one key, as does auth.oidc.
func (c *Config) Changed(from *Config) []string {
	paths := changed(nil, reflect.ValueOf(c).Elem(), reflect.ValueOf(from).Elem(), "")
	for _, part := range []struct {
		path    string
		is, was any
	}{
		{"auth.keys", c.Auth.Keys, from.Auth.Keys},
		{"auth.oidc", c.Auth.OIDC, from.Auth.OIDC},
		{"outbound.allow", c.Outbound.Allow, from.Outbound.Allow},
		{"service_accounts", c.ServiceAccounts, from.ServiceAccounts},
		{"sources", c.Sources, from.Sources},
	} {
		paths = changed(paths, reflect.ValueOf(part.is), reflect.ValueOf(part.was), part.path)
	}
	return paths
}

func changed(paths []string, is, was reflect.Value, path string) []string {
	switch t := is.Type(); {
	case isSection(t):
		for _, f := range fields(t) {
			paths = changed(paths, is.FieldByIndex(f.index), was.FieldByIndex(f.index), child(path, f.key))
		}
		return paths
	case t.Kind() == reflect.Slice && is.Len() == 0 && was.Len() == 0: // one may be nil
	case !reflect.DeepEqual(is.Interface(), was.Interface()):
		return append(paths, path)
	}
	return paths
}
