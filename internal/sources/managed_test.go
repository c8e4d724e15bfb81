package sources_test

import (
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/internal/sources"
	"esagate/registry"
)

var provisionings = map[registry.ProvisioningStatus]registry.SourceStatus{
	registry.StatusPending:      registry.SourcePending,
	registry.StatusProvisioning: registry.SourcePending,
	registry.StatusFailed:       registry.SourcePending,
	registry.StatusActive:       registry.SourceActive,
	registry.StatusDeactivated:  registry.SourceDisabled,
}

func managed(p registry.ProvisioningStatus) *registry.Source {
	return &registry.Source{
		ID: 8, CustomerID: 4, SourceID: "dunes", Name: "Dunes", ExecutionType: registry.ExecutionManaged,
		Connection: &registry.Connection{ID: 3, CustomerID: 4, Provisioning: p},
	}
}

func TestManagedStatus(t *testing.T) {
	const flow = "The status of a managed source follows its connection: it becomes ACTIVE once its ad server is set up " +
		"(PUT …/ad-server), POST …/deactivate disables it, and POST …/reactivate enables it again."
	for p, is := range provisionings {
		if got := sources.Status(managed(p)); got != is {
			t.Errorf("%s is %s, want %s", p, got, is)
		}
		for _, asked := range statuses {
			want := flow
			if asked == is {
				want = ""
			}
			change, err := decide(t, managed(p), members{"status": asked, "name": "New"}.json(t))
			wantConflict(t, string(p)+" to "+string(asked), change, err, want)
			if err == nil && (change.Name == nil || *change.Name != "New") {
				t.Errorf("%s to %s: the name did not change", p, asked)
			}
		}
	}
	if got := sources.Status(agent(registry.AuthNone, registry.SourceDisabled)); got != registry.SourceDisabled {
		t.Errorf("an AGENT source is %s", got)
	}
}

func TestManagedTakesOnlyTheName(t *testing.T) {
	rest := members{"executionType": "X", "description": nil, "endpointUrl": "javascript:x", "protocol": 1,
		"authenticationType": []any{}, "auth": 7, "oauthAudience": ""}
	u := sources.ParseUpdate(rest.but("name", "Dünen").json(t), check)
	cur := managed(registry.StatusActive)
	change, err := u.Decide(cur)
	if err != nil || change.Name == nil || *change.Name != "Dünen" {
		t.Fatalf("got %+v, %v", change, err)
	}
	if change.Name = nil; !changesNothing(change) || u.ConsentDue(cur, cur) {
		t.Errorf("and more: %+v", change)
	}
	if change, err := decide(t, cur, rest.but("name", "Dunes").json(t)); err != nil || !changesNothing(change) {
		t.Errorf("the same name: %+v, %v", change, err)
	}
	_, err = decide(t, cur, rest.but("name", "").but("status", "DELETED").json(t))
	const want = "name: name can't be empty.\nstatus: status must be PENDING, ACTIVE or DISABLED."
	if got := issuesOf(t, err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestAllowDelete(t *testing.T) {
	for _, at := range authenticationTypes {
		for _, s := range statuses {
			if err := sources.AllowDelete(agent(at, s)); err != nil {
				t.Errorf("AGENT %s %s: %v", at, s, err)
			}
		}
	}
	at := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	for p := range provisionings {
		for state := range 8 { // any of three things can have happened
			cur, want := managed(p), ""
			busy, unsettled, provisioned := state&1 > 0, state&2 > 0, state&4 > 0
			if busy {
				cur.Connection.Operation = &registry.Operation{Kind: registry.OperationReactivate, ID: "o"}
			}
			if unsettled {
				cur.Connection.UnsettledSince = at
			}
			if provisioned {
				cur.Connection.ProvisionedAt = at
			}
			switch {
			case busy:
				want = "This managed source is being changed at the sales agent; wait until that is done."
			case unsettled:
				want = "It is not known yet whether this managed source was set up at the sales agent; wait until that is settled."
			case p == registry.StatusActive, provisioned && p != registry.StatusDeactivated:
				want = "This managed source has been active: deactivate it first, with POST …/deactivate."
			}
			if err := sources.AllowDelete(cur); (err != nil || want != "") && (!fault.Is(err, fault.Conflict) || err.Error() != want) {
				t.Errorf("%s, %b: %v, want %q", p, state, err, want)
			}
		}
	}
}
