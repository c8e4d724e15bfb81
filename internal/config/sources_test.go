package config_test

import (
	"strings"
	"testing"
)

func TestSources(t *testing.T) {
	entry := func(rest string) string { return "{source_id: a, customer_id: 1, " + rest + "}" }
	adServer := func(inside string) string { return entry("ad_server: {" + inside + "}") }
	id := func(id string) string { return "{customer_id: 1, source_id: " + id + "}" }
	const segment = "sources[0].source_id (line 1): must not be . or .., hold any of"
	for _, c := range []struct{ sources, want string }{
		{id(`"..."`), ""},
		{id(strings.Repeat("é", 255)), ""},
		{id(strings.Repeat("é", 256)), "sources[0].source_id (line 1): must be at most 255"},
		{id(`""`), "sources[0].source_id (line 1): is required"},
		{id(`"."`), segment},
		{id(`a/b`), segment}, {id(`a\b`), segment}, {id(`"a?b"`), segment}, {id(`"a#b"`), segment}, {id(`a%2fb`), segment},
		{id(`" a"`), segment}, {id(`"a\u2003"`), segment},
		{id(`"a\u0085b"`), "sources[0].source_id (line 1): must not hold control"},
		{id(`12`), "sources[0].source_id (line 1): must be text"},
		{id("a") + ", {customer_id: 2, source_id: a}", ""},
		{id("a") + ", " + id("b") + ", " + id("a"), "sources[2].source_id (line 1): is the same source_id of the same customer_id as sources[0]"},
		{entry("customer_id2: 1"), "sources[0].customer_id2 (line 1): unknown key"},
		{entry("esa_id: 5") + ", {source_id: b, customer_id: 2, esa_id: '5'}", "sources[1].esa_id (line 1): is the same esa_id as sources[0]"},
		{entry("esa_id: 0"), "sources[0].esa_id (line 1): must be from 1"},
		{entry("esa_id: '-5'"), "sources[0].esa_id (line 1): must be from 1"},
		{entry("esa_id: 9007199254740992"), "sources[0].esa_id (line 1): must be from 1"},
		{entry("esa_id: '007'"), "sources[0].esa_id (line 1): must be a whole number"},
		{entry("esa_id: 1e3"), "sources[0].esa_id (line 1): must be a whole number"},
		{entry("name: ''"), "sources[0].name (line 1): must not be empty"},
		{entry("tenant_id: ''"), "sources[0].tenant_id (line 1): must not be empty"},
		{entry("tenant_id: a/b"), "sources[0].tenant_id (line 1): must not be . or .., hold any of"},
		{entry("tenant_id: t") + ", {source_id: b, customer_id: 2, tenant_id: t}", "sources[1].tenant_id (line 1): is the same tenant as sources[0]"},
		{entry("service_account_email: a@b.example"), ""},
		{entry("service_account_email: a@b"), "sources[0].service_account_email (line 1): must be an e-mail"},
		{entry("service_account_email: 'A <a@b.example>'"), "sources[0].service_account_email (line 1): must be an e-mail"},
		{entry("labels: {a: 1}"), "sources[0].labels.a (line 1): must be text"},
		{entry("labels: {a: \"x\\ny\"}"), "sources[0].labels.a (line 1): must not hold control"},
		{entry("labels: {a: " + strings.Repeat("x", 257) + "}"), "sources[0].labels.a (line 1): must be at most 256"},
		{entry("labels: {" + strings.Repeat("x", 129) + ": y}"), "sources[0].labels.? (line 1): the name of a label"},
		{entry("labels: [a]"), "sources[0].labels (line 1): must be a mapping"},
		{adServer("type: mock"), ""},
		{adServer("type: another_one"), ""},
		{adServer("type: another_one, network_code: '1'"), "sources[0].ad_server.network_code (line 1): is not a key of this type"},
		{adServer("type: Google"), "sources[0].ad_server.type (line 1): must be a word"},
		{adServer("network_code: '1'"), "sources[0].ad_server.type (line 1): is required"},
		{adServer("type: mock, network_code: '1'"), "sources[0].ad_server.network_code (line 1): is not a key of type mock"},
		{adServer("type: google_ad_manager, network_code: 1"), "sources[0].ad_server.network_code (line 1): must be text"},
		{adServer("type: google_ad_manager, network_code: 12a"), "sources[0].ad_server.network_code (line 1): must be 1 to 32 digits"},
		{adServer("type: freewheel, client_id: c, username: u, environment: sandbox, default_advertiser_id: '9', execution_currency: EUR"), ""},
		{adServer("type: freewheel, environment: test"), "sources[0].ad_server.environment (line 1): must be production, staging or sandbox"},
		{adServer("type: freewheel, execution_currency: eur"), "sources[0].ad_server.execution_currency (line 1): must be three capital letters"},
		{adServer("type: freewheel, api_token: x"), "sources[0].ad_server.api_token (line 1): unknown key"},
		{adServer("type: springserve, email: o@p.example, environment: production, default_demand_partner_id: 8, rate_currency: USD"), ""},
		{adServer("type: springserve, default_demand_partner_id: 0"), "sources[0].ad_server.default_demand_partner_id (line 1): must be from 1"},
		{adServer("type: adswizz, cpm_limit: 0"), "sources[0].ad_server.cpm_limit (line 1): must be above 0"},
		{adServer("type: adswizz, base_url: 'https://h?k=v'"), "sources[0].ad_server.base_url (line 1): must not hold a query"},
		{adServer("type: broadstreet, network_id: '77'"), ""},
	} {
		expectFault(t, "sources: ["+c.sources+"]", c.want)
	}
	// A wrong type hides no other fault.
	expectFaults(t, faultsOf(t, "sources: ["+adServer("type: Bad, email: x, base_url: 'https://h?k=v'")+"]"),
		"sources[0].ad_server.base_url (line 1): must not hold a query",
		"sources[0].ad_server.email (line 1): must be an e-mail address",
		"sources[0].ad_server.type (line 1): must be a word")
}

func TestLabelsAreBounded(t *testing.T) {
	labels := func(n int) string {
		text := "sources:\n- source_id: a\n  customer_id: 1\n  labels:\n"
		for i := range n {
			text += "    l" + strings.Repeat("x", i%60) + string(rune('a'+i/60)) + ": v\n"
		}
		return text
	}
	load(t, labels(64))
	expectFaults(t, faultsOf(t, labels(65)), "sources[0].labels (line 4): must have at most 64 entries")
}

func TestPlatformTasks(t *testing.T) {
	for _, c := range []struct{ task, want string }{
		{"{id: a, description: \"two\\nlines\"}", ""},
		{"{name: a}", "platform_tasks[0].id (line 1): is required"},
		{"{id: a, name: ''}", "platform_tasks[0].name (line 1): must not be empty"},
		{"{id: a, severity: critical}", "platform_tasks[0].severity (line 1): must be blocker, warning or info"},
		{"{id: a, enabled: 'no'}", "platform_tasks[0].enabled (line 1): must be true or false"},
		{"{id: a, complete_when: ''}", "platform_tasks[0].complete_when (line 1): must not be empty"},
		{"{id: a, complete_when: true}", "platform_tasks[0].complete_when (line 1): must be text"},
		{"{id: a, scope: platform}", "platform_tasks[0].scope (line 1): unknown key"},
	} {
		expectFault(t, "platform_tasks: ["+c.task+"]", c.want)
	}
}
