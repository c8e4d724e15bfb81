package transform_test

import (
	"testing"
	"time"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
)

func TestInventorySourceOfEitherKind(t *testing.T) {
	made := time.Date(2026, 4, 3, 2, 1, 0, 120_000_000, time.UTC)
	source := registry.Source{ID: 1<<62 + 1, CustomerID: 9, SourceID: "s", Name: "A <b>", CreatedAt: made, UpdatedAt: made.Add(time.Second)}
	const head = `{"id":"4611686018427387905","sourceId":"s","name":"A <b>","executionType":`
	const times = `"createdAt":"2026-04-03T02:01:00.12Z","updatedAt":"2026-04-03T02:01:01.12Z",`
	const tail = `"linkedStorefront":null,"reportingType":null,"reportingPollingCadence":null,"isAdapterSource":false}`
	agent := source
	agent.ExecutionType = registry.ExecutionAgent
	agent.Agent = &registry.Agent{
		Status: registry.SourceDisabled, AgentID: "s_abc123", Type: "SIGNAL", EndpointURL: "https://a.example/?x=1&y=2", Protocol: "A2A",
		Authentication: registry.AuthOAuth, OAuthAudience: "https://not.shown.example", CredentialID: "not-shown",
	}
	const agentBody = `"AGENT","status":"DISABLED","agentId":"s_abc123",` + times +
		`"type":"SIGNAL","endpointUrl":"https://a.example/?x=1&y=2","protocol":"A2A","description":null,"authenticationType":"OAUTH","authConfigured":true,`
	managed := source
	managed.ExecutionType = registry.ExecutionManaged
	managed.Connection = &registry.Connection{ID: 77, Provisioning: registry.StatusFailed, LastErrorCode: "ADAPTER_INVALID_CONFIG",
		LastError: "password=hunter2 was refused", AdServer: &registry.AdServer{Type: "springserve", Email: "a@b.example"}}
	const managedHead = `"MANAGED_SALES_AGENT","status":`
	const none = `"agentId":null,` + times + `"type":null,"endpointUrl":null,"protocol":null,"description":null,"authenticationType":null,"authConfigured":false,`

	for name, c := range map[string]struct {
		source  registry.Source
		consent string
		want    string
	}{
		"an agent": {agent, "", head + agentBody + `"managedSa":null,` + tail},
		"with a consent": {agent, "https://login.example/?a=1&b=2",
			head + agentBody + `"oauth":{"authorizationUrl":"https://login.example/?a=1&b=2","agentId":"s_abc123","agentName":"A <b>"},"managedSa":null,` + tail},
		"managed": {managed, "", head + managedHead + `"PENDING",` + none +
			`"managedSa":{"connectionId":"77","tenantId":null,"adServer":{"type":"springserve","email":"a@b.example","environment":"production","defaultDemandPartnerId":null,"rateCurrency":null},` +
			`"lastError":"The ad server configuration is not complete or not valid.","lastErrorCode":"ADAPTER_INVALID_CONFIG","lastTestedAt":null,"provisionedAt":null,"deactivatedAt":null},` + tail},
	} {
		if got := string(api.Encode(transform.InventorySource(&c.source, c.consent))); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
}

func TestTheStatusOfAManagedSourceFollowsItsConnection(t *testing.T) {
	for provisioning, want := range map[registry.ProvisioningStatus]string{
		registry.StatusPending: "PENDING", registry.StatusProvisioning: "PENDING", registry.StatusFailed: "PENDING",
		registry.StatusActive: "ACTIVE", registry.StatusDeactivated: "DISABLED",
	} {
		s := registry.Source{Connection: &registry.Connection{Provisioning: provisioning}}
		if got := transform.InventorySource(&s, "").Status; got != want {
			t.Errorf("%s: %s, want %s", provisioning, got, want)
		}
	}
}
