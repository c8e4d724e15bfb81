package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
)

// No variable sets the contact here, so that the file's is looked at.
func TestProvisioning(t *testing.T) {
	const url = "must be an http:// or https:// URL"
	for _, c := range []struct{ path, value, want string }{
		{"external_source", "a", ""},
		{"external_source", strings.Repeat("a", 64), ""},
		{"external_source", strings.Repeat("a", 65), "must be at most 64"},
		{"external_source", "''", "must not be empty"},
		{"external_source", "two words", "must be visible ASCII"},
		{"external_source", "küste", "must be visible ASCII"},
		{"external_org_id", "'{esa_id}'", ""},
		{"external_org_id", "org-{customer_id}-{source_id}", ""},
		{"external_org_id", "fixed", ""}, // for one connection
		{"external_org_id", "'{customer_id}{source_id}'", "must have a character between"},
		{"external_org_id", "''", "must not be empty"},
		{"external_org_id", "{esa_id}", "must be a single value"}, // YAML's own braces
		{"external_org_id", "'{esa_id'", "and no other braces"},
		{"external_org_id", "'{esa_id}}'", "and no other braces"},
		{"external_org_id", "'{ESA_ID}'", "and no other braces"},
		{"external_org_id", "'{tenant_id}-{esa_id}'", "and no other braces"},
		{"external_org_id", "'{esa{esa_id}_id}'", "and no other braces"},
		{"external_org_id", "'{}'", "and no other braces"},
		{"external_org_id", "'a {esa_id}'", "must be visible ASCII"},
		{"external_org_id", "'ü{esa_id}'", "must be visible ASCII"},
		{"external_org_id", `"{esa_id}\r\n"`, "must not hold control"},
		{"external_org_id", "'" + strings.Repeat("x", 239) + "{esa_id}'", ""},
		{"external_org_id", "'" + strings.Repeat("x", 240) + "{esa_id}'", "must be at most 255 characters with the ids in it"},
		{"external_org_id", "'" + strings.TrimSuffix(strings.Repeat("{esa_id}-", 16), "-") + "'", "must be at most 255 characters with the ids in it"},
		{"external_org_id", "'" + strings.Repeat("x", 256) + "'", "must be at most 255 characters"},
		{"contact_email", "desk@gate.example", ""},
		{"contact_email", "desk", "must be an e-mail address"},
		{"contact_email", "'Desk <desk@gate.example>'", "must be an e-mail address"},
		{"contact_email", "[desk@gate.example]", "must be a single value"},
		{"public_agent_url", "http://agents.gate.example:8443/x/", ""},
		{"public_agent_url", "''", ""},
		{"public_agent_url", "agents.gate.example", url},
		{"public_agent_url", "ftp://agents.gate.example", url},
		{"public_agent_url", "https://u:p@agents.gate.example", "must not hold a user"},
		{"public_agent_url", "https://agents.gate.example/?a=b", "must not hold a query"},
		{"public_agent_url", "https://h.example/" + strings.Repeat("x", 482), ""},
		{"public_agent_url", "https://h.example/" + strings.Repeat("x", 483), "must be at most 500"},
	} {
		_, faults := config.Load(write(t, place("provisioning."+c.path, c.value)), least[:2])
		if c.want == "" && len(faults) > 0 || c.want != "" && (len(faults) != 1 ||
			!strings.HasPrefix(faults[0].String(), "provisioning."+c.path+" (line 2): ") || !strings.Contains(faults[0].Message, c.want)) {
			t.Errorf("%s: %s: got %v, want %q", c.path, c.value, faults, c.want)
		}
	}
}

func TestProvisioningWarnings(t *testing.T) {
	const (
		contact = "provisioning.contact_email: is empty: new ad servers can't be connected"
		one     = "provisioning.external_org_id: holds neither {esa_id} nor {source_id}"
		shared  = "provisioning.external_org_id: holds {source_id} without {customer_id}"
	)
	for text, want := range map[string]string{
		"contact_email: desk@gate.example":                                         "",
		"external_source: x":                                                       contact,
		"contact_email: ''":                                                        contact,
		"contact_email: a@b.example, external_org_id: fixed":                       one,
		"contact_email: a@b.example, external_org_id: 'c{customer_id}'":            one,
		"contact_email: a@b.example, external_org_id: 's{source_id}'":              shared,
		"contact_email: a@b.example, external_org_id: '{source_id}-{customer_id}'": "",
		"contact_email: a@b.example, external_org_id: '{source_id}-{esa_id}'":      "",
	} {
		c, faults := config.Load(write(t, "auth: {keys: [{name: a, customer_id: 1, key: a-key-of-some-length}]}\nprovisioning: {"+text+"}"), least[:2])
		switch {
		case len(faults) > 0:
			t.Errorf("%s: %v", text, faults)
		case want == "" && len(c.Warnings) > 0, want != "" && (len(c.Warnings) != 1 || !strings.HasPrefix(c.Warnings[0], want)):
			t.Errorf("%s: got %q, want %q", text, c.Warnings, want)
		}
	}
}
