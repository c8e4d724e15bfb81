package config_test

import (
	"strings"
	"testing"

	"esagate/internal/config"
)

// TestAddresses: of a file of many sources, wherever these stand; of any other, and of one with a fault there, Load alone tells.
func TestAddresses(t *testing.T) {
	const server = "server: {address: '127.0.0.1:4711', admin_address: '127.0.0.1:4712'}\n"
	many := "sources: # all\n" + strings.Repeat("- {customer_id: 1, source_id: a}\n  # more\n\n", 40_000)
	for name, c := range map[string]struct {
		text, env, want string
	}{
		"before":                    {server + many, "", "127.0.0.1:4711 127.0.0.1:4712"},
		"after":                     {many + server, "", "127.0.0.1:4711 127.0.0.1:4712"},
		"the environment's":         {many + server, "ESAGATE_SERVER_ADDRESS=127.0.0.1:5000", "127.0.0.1:5000 127.0.0.1:4712"},
		"not a block":               {strings.Replace(server+many, "sources:", "'sources':", 1), "", " "},
		"few":                       {server, "", " "},
		"an address that is none":   {"server: {address: 'x'}\n" + many, "", " "},
		"a section that can't be":   {"server: [\n" + many, "", " "},
		"sources that can't be":     {server + many + "- [\n", "", "127.0.0.1:4711 127.0.0.1:4712"},
		"the default's, as no file": {many, "", "127.0.0.1:8080 "},
	} {
		address, admin := config.Addresses(write(t, c.text), []string{c.env})
		if got := address + " " + admin; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if address, admin := config.Addresses("no-such-file", nil); address+admin != "" {
		t.Error("of no file: ", address, admin)
	}
}
