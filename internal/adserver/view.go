package adserver

import (
	"strings"
	"unicode"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/registry"
	"esagate/upstream/wire"
)

// TypeName gives the type of a saved config, "unknown" where that is no plain word.
func TypeName(s *registry.AdServer) string {
	if !redact.Word(s.Type) {
		return "unknown"
	}
	return s.Type
}

// View gives the document of a saved config, by the allow-list of its type; nil when none is
// saved. Of a type that is not known here it is the type alone.
func View(s *registry.AdServer) api.AdServer {
	if s == nil {
		return nil
	}
	if t := Find(s.Type); t != nil {
		return t.View(s)
	}
	return api.OtherAdServer{Type: TypeName(s)}
}

func typeAlone(s *registry.AdServer) api.AdServer { return api.OtherAdServer{Type: s.Type} }

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
		if e := c.ServiceAccountEmail.Value; looksLikeEmail(e) {
			accountEmail = e
		}
	}
	return view, accountEmail
}

// looksLikeEmail keeps prose and keys out of a field that is shown. It accepts more than
// callers may send: upstream's addresses are shown as they are.
func looksLikeEmail(s string) bool {
	name, host, found := strings.Cut(s, "@")
	return found && name != "" && strings.Contains(host, ".") && !strings.Contains(host, "@") && len(s) <= 320 &&
		!strings.ContainsFunc(s, func(r rune) bool {
			return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune(`:/<>"`, r)
		})
}
