package adserver

import (
	"strings"

	"esagate/internal/jsonbody"
)

// maxContractID bounds connectionContract.id, in bytes: it is ASCII.
const maxContractID = 128

var contractMembers = []string{"id", "version", "authenticationMethod"}

// connectionContract checks the pin of a built-in connection contract, which a caller
// may send along with any type. It has no effect: there is one way to connect a type.
func (r *reader) connectionContract() {
	const path = "connectionContract"
	if !r.Has(path) {
		return
	}
	o, problem := r.Nested(path, contractMembers)
	if problem != "" {
		r.Add(path, problem)
		return
	}
	r.Need(o.Text(path+".id", jsonbody.Length(1, maxContractID), contractID))
	if !o.Has("version") {
		r.Add(path+".version", path+".version is required.")
	}
	o.Positive(&r.Issues, path+".version")
	r.Need(o.Text(path+".authenticationMethod", jsonbody.OneOf("none", "bearer_token", "api_key",
		"credential_exchange", "basic_auth", "oauth2", "jwt", "platform_service_account")))
	r.others(path+".", o.Others, "This is not a field of "+path+".")
}

// contractID wants a lower-case letter, then those, digits, dashes and underscores.
func contractID(path, value string) string {
	if value[0] < 'a' || value[0] > 'z' || strings.Trim(value, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return path + " must be lower-case letters, digits, - and _, a letter first."
	}
	return ""
}
