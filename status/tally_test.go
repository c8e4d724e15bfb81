package status

import (
	"testing"

	"esagate/api"
	"esagate/registry"
	"esagate/transform"
	"esagate/upstream"
)

// counted is so many sources in a state, for a reason.
type counted struct {
	n            int
	state        string
	code         string
	blockers     int64
	provisioning registry.ProvisioningStatus
}

// TestHeadline says in one sentence what a person wants to know first.
func TestHeadline(t *testing.T) {
	well := upstream.Health{Breaker: "closed", Reached: true}
	setup := func(n int) counted {
		return counted{n, transform.StateBlocked, "SETUP_BLOCKED", 1, registry.StatusActive}
	}
	of := func(n int, state, code string) counted { return counted{n, state, code, 0, registry.StatusActive} }
	for _, c := range []struct {
		want    string
		agent   upstream.Health
		sources []counted
	}{
		{"There are no sources yet.", upstream.Health{}, nil},
		{"The one source can't sell: it has lost its ad server.", well, []counted{of(1, transform.StateDown, "ADAPTER_DISCONNECTED")}},
		{"The one source can't sell: it has no active product.", well, []counted{of(1, transform.StateBlocked, "SYNC_INVENTORY_FAILED")}},
		{"It is not known whether the one source can sell.", well, []counted{of(1, transform.StateUnknown, "")}},
		{"The one source is deactivated.", well, []counted{of(1, transform.StateDeactivated, "")}},
		{"The one source sells.", well, []counted{of(1, transform.StateLive, "")}},
		{"The one source sells, but with problems.", well, []counted{of(1, transform.StateDegraded, "")}},
		{"All 12 sources sell.", well, []counted{of(12, transform.StateLive, "")}},
		{"7 of 2,000 sources can't sell: 7 wait for setup tasks.", well, []counted{of(1993, transform.StateLive, ""), setup(7)}},
		{"All 3 sources sell, but with problems.", well, []counted{of(3, transform.StateDegraded, "")}},
		{"All 12 sources sell, 2 of them with problems.", well, []counted{of(10, transform.StateLive, ""), of(2, transform.StateDegraded, "")}},
		{"1 of 3 sources sells; 1 is being connected, 1 is deactivated.", well,
			[]counted{of(1, transform.StateLive, ""), of(1, transform.StatePending, ""), of(1, transform.StateDeactivated, "")}},
		{"3 of 7 sources sell, 1 of them with problems; 4 are being connected.", well,
			[]counted{of(2, transform.StateLive, ""), of(1, transform.StateDegraded, ""), of(4, transform.StatePending, "")}},
		{"None of 2 sources sells: 2 are deactivated.", well, []counted{of(2, transform.StateDeactivated, "")}},
		{"It is not known whether 1 of 4 sources can sell.", well, []counted{of(3, transform.StateLive, ""), of(1, transform.StateUnknown, "NO_NEWS")}},
		{"4 of 12 sources can't sell: 3 wait for setup tasks, 1 has lost its ad server.", well,
			[]counted{setup(3), of(1, transform.StateDown, "ADAPTER_DISCONNECTED"), of(8, transform.StateLive, "")}},
		{"The one source can't sell: it waits for a setup task.", well, []counted{setup(1)}},
		{"6 of 8 sources can't sell: 2 could not be connected, 1 is not known to the sales agent, 1 waits for a setup task, " +
			"1 has no active product, 1 has another problem; of 2 it is not known.", well,
			[]counted{of(1, transform.StateDown, "TENANT_NOT_FOUND"), {2, transform.StateBlocked, "ADAPTER_INVALID_CREDENTIALS", 3, registry.StatusFailed},
				of(1, transform.StateBlocked, "NO_ACTIVE_PRODUCTS"), of(1, transform.StateBlocked, "NEW"), setup(1), of(2, transform.StateUnknown, "")}},
		{"The sales agent can't be reached; as last known, all 2 sources sell.", upstream.Health{Breaker: "open", Reached: true},
			[]counted{of(2, transform.StateLive, "")}},
		{"The sales agent refuses the gateway's key; as last known, the one source can't sell: it waits for a setup task.",
			upstream.Health{Breaker: "open", KeyRefused: true}, []counted{setup(1)}},
		{"The sales agent has not answered since the gateway was started; as last known, it is not known whether 2 of 2 sources can sell.",
			upstream.Health{Breaker: "closed"}, []counted{of(2, transform.StateUnknown, "")}},
		{"The sales agent gives no status of any source; as last known, 2 of 3 sources sell; 1 is deactivated.", well,
			[]counted{of(2, transform.StateLive, "NO_ANSWER"), of(1, transform.StateDeactivated, "")}},
		{"All 12 sources sell; 2 of them are as last known, because the sales agent gives no status.", well,
			[]counted{of(2, transform.StateLive, "NO_ANSWER"), of(10, transform.StateLive, "")}},
		{"The one source is being connected.", upstream.Health{Breaker: "closed"}, []counted{{1, transform.StatePending, "", 2, registry.StatusPending}}},
	} {
		var all tally
		for _, s := range c.sources {
			src := &registry.Source{Connection: &registry.Connection{Provisioning: s.provisioning}}
			if s.provisioning == registry.StatusActive {
				src.Connection.TenantID = "tnt"
			}
			facts := api.OverviewFacts{BlockerCount: s.blockers}
			if s.code != "" {
				facts.Issue = &api.OverviewIssue{Code: s.code}
			}
			for range s.n {
				all.add(src, s.state, &facts, s.code == "NO_ANSWER")
			}
		}
		if got := all.headline(c.agent).String(); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}
