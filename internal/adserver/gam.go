package adserver

import (
	"strings"

	"esagate/internal/jsonbody"
	"esagate/registry"
	"esagate/upstream/wire"
)

const maxNetworkCode = 32

// gam is Google Ad Manager. Its credentials are the operator's.
type gam struct{ networkCode string }

// operators says why a credential of Google Ad Manager is not taken from a caller.
const operators = " can't be given: the service account is the operator's, who configures it for this gateway."

var gamShape = shape{
	name:    typeGAM,
	members: []string{"networkCode"},
	refused: []refusal{
		{"serviceAccountEmail", operators},
		{"serviceAccountKey", operators},
		{"serviceAccountKeyJson", operators},
		{"serviceAccountJson", operators},
		{"refreshToken", operators},
		{"service_account_email", operators},
		{"service_account_key_json", operators},
		{"refresh_token", operators},
	},
	read: func(r *reader) kind {
		return &gam{networkCode: r.Need(r.Text("networkCode", jsonbody.Length(1, maxNetworkCode), digits))}
	},
}

// digits wants the digits 0 to 9 alone.
func digits(path, value string) string {
	if strings.Trim(value, "0123456789") != "" {
		return path + " must be digits."
	}
	return ""
}

func (*gam) name() string    { return typeGAM }
func (g *gam) label() string { return "Google Ad Manager " + g.networkCode }

func (g *gam) view(*registry.AdServer, *wire.Settings) registry.AdServer {
	return registry.AdServer{NetworkCode: g.networkCode}
}

func (g *gam) request(account *Account, _ *wire.Settings) wire.AdapterRequest {
	return wire.GAMRequest{
		Type: typeGAM, NetworkCode: g.networkCode,
		ServiceAccountEmail: account.Email, ServiceAccountKeyJSON: account.Key,
	}
}

func (*gam) settings() []setting { return nil }
