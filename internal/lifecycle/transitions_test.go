package lifecycle

import (
	"errors"
	"testing"
	"time"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
	"esagate/upstream/wire"
)

var (
	noon = time.Date(2031, 3, 4, 12, 0, 0, 0, time.UTC)
	view = registry.AdServer{Type: "mock", NetworkID: "new"}
	t1   = tenant{id: "t1", orgID: "o1", mcpURL: "/mcp/", a2aURL: "/a2a"}
)

// at gives a connection in a status, as a life leaves it.
func at(status registry.ProvisioningStatus) registry.Connection {
	c := registry.Connection{ID: 7, CustomerID: 1, Provisioning: status, Epoch: 3}
	switch status {
	case registry.StatusActive, registry.StatusDeactivated:
		c.TenantID, c.AdServer, c.ProvisionedAt = "t1", &registry.AdServer{Type: "mock"}, noon.Add(-time.Hour)
	case registry.StatusFailed, registry.StatusProvisioning:
		c.AdServer = &registry.AdServer{Type: "mock"}
	}
	if status == registry.StatusFailed {
		c.LastError, c.LastErrorCode = "No.", "ADAPTER_INVALID_CONFIG"
	}
	if status == registry.StatusDeactivated {
		c.DeactivatedAt = noon.Add(-time.Minute)
	}
	return c
}

// answerOf is what upstream says of a tenant.
func answerOf(id string, active bool) *wire.Tenant {
	return &wire.Tenant{TenantID: id, IsActive: wire.Opt[bool]{Value: active, Set: true}}
}

// TestTransitions goes through every status and every event. A cell is the status that
// follows, or what stands against it: moved, already, conflict; empty: it can't come.
func TestTransitions(t *testing.T) {
	statuses := []registry.ProvisioningStatus{registry.StatusPending, registry.StatusProvisioning, registry.StatusFailed, registry.StatusActive, registry.StatusDeactivated}
	other := t1
	other.id = "t2"
	off := t1
	off.off = true
	was := at(registry.StatusPending)
	for name, x := range map[string]struct {
		event transition
		want  [5]string
	}{
		"provisioning":      {beginProvisioning(noon, "o1", view, ""), [5]string{"provisioning", "provisioning", "provisioning", "moved", "moved"}},
		"made":              {made(t1, noon), [5]string{"active", "active", "active", "active", "deactivated"}},
		"made, and is off":  {made(off, noon), [5]string{"deactivated", "deactivated", "deactivated", "active", "deactivated"}},
		"made, another":     {made(other, noon), [5]string{"active", "active", "active", "other", "other"}},
		"taken over":        {adopted(t1, noon), [5]string{"active", "active", "active", "active", "deactivated"}},
		"failed":            {failed("INTERNAL_ERROR", "e", time.Time{}), [5]string{"failed", "failed", "failed", "active", "deactivated"}},
		"unknown":           {failed("INTERNAL_ERROR", "e", noon), [5]string{"failed", "failed", "failed", "active", "deactivated"}},
		"restored":          {restored(was), [5]string{"pending", "pending", "failed", "active", "deactivated"}},
		"configuring":       {beginConfiguring(noon, "mock"), [5]string{"moved", "moved", "moved", "active", "deactivated"}},
		"another type":      {beginConfiguring(noon, "freewheel"), [5]string{"moved", "moved", "moved", "conflict", "conflict"}},
		"configured":        {configured(view, "", noon), [5]string{"", "", "", "active", "deactivated"}},
		"noted":             {withError("INTERNAL_ERROR", "e"), [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"switching off":     {beginSwitching(noon, registry.StatusDeactivated, false), [5]string{"conflict", "conflict", "conflict", "active", "already"}},
		"switching on":      {beginSwitching(noon, registry.StatusActive, false), [5]string{"conflict", "conflict", "conflict", "already", "deactivated"}},
		"switched off":      {switched(registry.StatusDeactivated, noon), [5]string{"pending", "provisioning", "failed", "deactivated", "deactivated"}},
		"switched on":       {switched(registry.StatusActive, noon), [5]string{"pending", "provisioning", "failed", "active", "active"}},
		"checked, off":      {checked(at(registry.StatusActive), answerOf("t1", false), noon), [5]string{"pending", "provisioning", "failed", "deactivated", "deactivated"}},
		"checked, on":       {checked(at(registry.StatusActive), answerOf("t1", true), noon), [5]string{"pending", "provisioning", "failed", "active", "active"}},
		"checked, another":  {checked(at(registry.StatusActive), answerOf("t2", false), noon), [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"touched":           {newEpoch, [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"unchanged":         {unchanged, [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"may be configured": {mayBeConfigured(noon), [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"settings wait":     {settingsWait, [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"settings given up": {settingsGivenUp, [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"settings refused":  {settingsRestored(restoreRefused), [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
		"settings restored": {settingsRestored(restoreDone), [5]string{"pending", "provisioning", "failed", "active", "deactivated"}},
	} {
		for i, status := range statuses {
			if x.want[i] == "" {
				continue
			}
			c, err := x.event(at(status))
			got := string(c.Provisioning)
			switch {
			case errors.Is(err, errMoved):
				got = "moved"
			case errors.Is(err, errAlready):
				got = "already"
			case errors.Is(err, errOtherTenant):
				got = "other"
			case fault.Is(err, fault.Conflict):
				got = "conflict"
			case err != nil:
				t.Errorf("%s, %s: %v", status, name, err)
			}
			if got != x.want[i] {
				t.Errorf("%s, %s: %s, want %s", status, name, got, x.want[i])
			}
			if err == nil {
				sound(t, status, name, &c)
			}
		}
	}
}

// sound says what is true of every connection, whatever became of it.
func sound(t *testing.T, from registry.ProvisioningStatus, event string, c *registry.Connection) {
	t.Helper()
	on := c.Provisioning == registry.StatusActive || c.Provisioning == registry.StatusDeactivated
	switch {
	case on != (c.TenantID != ""):
		t.Errorf("%s, %s: %s with the tenant %q", from, event, c.Provisioning, c.TenantID)
	case (c.LastError == "") != (c.LastErrorCode == ""):
		t.Errorf("%s, %s: the error %q has the code %q", from, event, c.LastError, c.LastErrorCode)
	case (c.Provisioning == registry.StatusDeactivated) != !c.DeactivatedAt.IsZero():
		t.Errorf("%s, %s: %s, deactivated at %s", from, event, c.Provisioning, c.DeactivatedAt)
	case c.Provisioning == registry.StatusFailed && c.LastError == "":
		t.Errorf("%s, %s: failed without an error", from, event)
	case c.TenantID != "" && !c.UnsettledSince.IsZero():
		t.Errorf("%s, %s: there is a tenant, and it is not known whether", from, event)
	case on && c.ProvisionedAt.IsZero():
		t.Errorf("%s, %s: there was a tenant always", from, event)
	}
}

// TestBeginBesideOperation: nothing begins beside an operation that is under way. What is
// left of one is settled first, except settings that wait to be restored.
func TestBeginBesideOperation(t *testing.T) {
	for _, kind := range []registry.OperationKind{registry.OperationProvision, registry.OperationConfigure, registry.OperationDeactivate, registry.OperationReactivate} {
		for _, stands := range []string{"under way", "over", "left over"} {
			for name, x := range map[string]struct {
				event transition
				from  registry.ProvisioningStatus
			}{
				"provisioning":  {beginProvisioning(noon, "o", view, ""), registry.StatusFailed},
				"configuring":   {beginConfiguring(noon, "mock"), registry.StatusActive},
				"switching off": {beginSwitching(noon, registry.StatusDeactivated, true), registry.StatusActive},
				"switching on":  {beginSwitching(noon, registry.StatusActive, true), registry.StatusDeactivated},
			} {
				c := at(x.from)
				c.Operation = &registry.Operation{Kind: kind, ID: "a", Begun: noon.Add(-time.Hour), Until: noon.Add(time.Minute)}
				takes := false
				switch stands {
				case "over":
					c.Operation.Until = noon
				case "left over":
					c.Operation.Until = c.Operation.Begun
					takes = kind == registry.OperationConfigure && name != "provisioning"
				}
				_, err := x.event(c)
				switch {
				case stands == "under way" && (!fault.Is(err, fault.Conflict) || fault.As(err).RetryAfter <= 0):
					t.Errorf("%s beside %s: %v", name, kind, err)
				case stands != "under way" && takes && err != nil, stands != "under way" && !takes && !errors.Is(err, errMoved):
					t.Errorf("%s after %s, %s: %v", name, kind, stands, err)
				}
			}
		}
	}
	c := at(registry.StatusActive)
	c.Operation = &registry.Operation{Kind: registry.OperationConfigure, ID: "a", Begun: noon, Until: noon}
	if _, err := beginSwitching(noon, registry.StatusDeactivated, false)(c); !errors.Is(err, errMoved) {
		t.Errorf("settings that wait are not restored first: %v", err)
	}
}

// TestTakeOver: only what is over, and is what was looked at, is settled.
func TestTakeOver(t *testing.T) {
	for name, x := range map[string]struct {
		op    *registry.Operation
		moved bool
	}{
		"over":            {&registry.Operation{ID: "a", Kind: registry.OperationConfigure, Begun: noon.Add(-time.Minute), Until: noon}, false},
		"has more time":   {&registry.Operation{ID: "a", Kind: registry.OperationConfigure, Begun: noon.Add(-time.Minute), Until: noon.Add(1)}, true},
		"another":         {&registry.Operation{ID: "b", Kind: registry.OperationConfigure, Begun: noon.Add(-time.Minute), Until: noon}, true},
		"none":            {nil, true},
		"a newer restore": {&registry.Operation{ID: "a", Kind: registry.OperationConfigure, Begun: noon.Add(time.Minute), Until: noon.Add(time.Minute)}, false},
	} {
		c := at(registry.StatusActive)
		c.Operation = x.op
		if _, err := takeOver("a", noon)(c); errors.Is(err, errMoved) != x.moved || err != nil && !x.moved {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestObservedConfig of a config that may have been changed.
func TestObservedConfig(t *testing.T) {
	set := func(s string) wire.Opt[string] { return wire.Opt[string]{Value: s, Set: true} }
	for name, x := range map[string]struct {
		known *registry.AdServer
		shown *wire.AdapterConfig
		want  *registry.AdServer
	}{
		"it was not asked":   {&registry.AdServer{Type: "mock"}, nil, &registry.AdServer{Type: "mock"}},
		"another network":    {&registry.AdServer{Type: "google_ad_manager", NetworkCode: "1"}, &wire.AdapterConfig{Type: "google_ad_manager", Configured: true, NetworkCode: set("2")}, &registry.AdServer{Type: "google_ad_manager", NetworkCode: "2"}},
		"another type":       {&registry.AdServer{Type: "freewheel", Username: "u"}, &wire.AdapterConfig{Type: "springserve", Configured: true}, &registry.AdServer{Type: "springserve"}},
		"nothing against it": {&registry.AdServer{Type: "freewheel", Username: "u"}, &wire.AdapterConfig{Type: "freewheel", Configured: true}, &registry.AdServer{Type: "freewheel", Username: "u"}},
		"no network said":    {&registry.AdServer{Type: "google_ad_manager", NetworkCode: "1"}, &wire.AdapterConfig{Type: "google_ad_manager", Configured: true}, &registry.AdServer{Type: "google_ad_manager", NetworkCode: "1"}},
		"not rebuilt":        {&registry.AdServer{Type: "freewheel", Username: "u"}, &wire.AdapterConfig{}, &registry.AdServer{Type: "freewheel"}},
		"not known before":   {nil, &wire.AdapterConfig{Type: "mock", Configured: true}, &registry.AdServer{Type: "mock"}},
	} {
		c := at(registry.StatusActive)
		c.AdServer = x.known
		if c, err := observedConfig(x.shown)(c); err != nil || *c.AdServer != *x.want {
			t.Errorf("%s: %+v (%v)", name, c.AdServer, err)
		}
	}
}

func TestUnsettledBlocksProvisioning(t *testing.T) {
	c := at(registry.StatusFailed)
	c.UnsettledSince = noon
	if _, err := beginProvisioning(noon.Add(time.Hour), "o", view, "")(c); !errors.Is(err, errMoved) {
		t.Errorf("%v", err)
	}
}

// TestStillOpen: what ended meanwhile, or is another attempt, is not ended once more.
func TestStillOpen(t *testing.T) {
	before := at(registry.StatusFailed)
	before.UnsettledSince = noon
	for name, x := range map[string]struct {
		change func(c *registry.Connection)
		want   bool
	}{
		"as it was":       {func(*registry.Connection) {}, true},
		"ended":           {func(c *registry.Connection) { c.UnsettledSince = time.Time{} }, false},
		"another attempt": {func(c *registry.Connection) { c.UnsettledSince = noon.Add(time.Second) }, false},
		"an operation":    {func(c *registry.Connection) { c.Operation = &registry.Operation{ID: "a", Begun: noon.Add(time.Hour)} }, false},
		"a tenant":        {func(c *registry.Connection) { c.TenantID = "t1" }, false},
	} {
		c := before
		x.change(&c)
		if got := stillOpen(&c, &before); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestTested: a result is recorded if its test is newer than the last one. A test from
// before the config was saved leaves alone what is said of that config.
func TestTested(t *testing.T) {
	answered := wire.Time{Time: noon.Add(-time.Hour), Digits: 6} // by upstream's clock
	passed := &wire.TestResult{Success: true, TestedAt: answered}
	failed := &wire.TestResult{ErrorCode: wire.Opt[string]{Value: "permission_denied", Set: true}, TestedAt: answered}
	for name, x := range map[string]struct {
		result       *wire.TestResult
		began, saved time.Duration // after the last test
		newer        bool
		code         string
	}{
		"failed":                   {failed, 2, 0, true, "ADAPTER_PERMISSION_DENIED"},
		"passed":                   {passed, 2, 2, true, ""},
		"failed, of what was":      {failed, 2, 3, true, codeInternal},
		"passed, of what was":      {passed, 2, 3, true, codeInternal},
		"passed at the same time":  {passed, 0, 0, false, codeInternal},
		"failed, and is older":     {failed, -1, -2, false, codeInternal},
		"passed, and is older too": {passed, -1, -2, false, codeInternal},
	} {
		c := at(registry.StatusActive)
		c.LastTestedAt, c.AdServerSavedAt = noon, noon.Add(x.saved)
		c.LastError, c.LastErrorCode = adserver.ErrorText(codeInternal, adserver.SavedConfig), codeInternal
		want := c
		if x.newer {
			want.LastTestedAt, want.LastTestPassed = noon.Add(x.began), x.result.Success
			want.LastTestTime = noon.Add(-time.Hour).Format("2006-01-02T15:04:05") + ".000000Z"
		}
		want.LastError, want.LastErrorCode = "", x.code
		if x.code != "" {
			want.LastError = adserver.ErrorText(x.code, adserver.SavedConfig)
		}
		if got, err := tested(x.result, noon.Add(x.began))(c); err != nil || got != want {
			t.Errorf("%s: %+v (%v), want %+v", name, got, err, want)
		}
	}
}

// TestProvisioningAndBack of a record by what it becomes.
func TestProvisioningAndBack(t *testing.T) {
	c := at(registry.StatusFailed)
	c.ServiceAccountEmail = "a@b.example"
	begun, err := beginProvisioning(noon, "o2", view, "")(c)
	if err != nil || begun.AdServer.NetworkID != "new" || begun.LastError != "" || begun.ServiceAccountEmail != "a@b.example" || begun.ExternalOrgID != "o2" {
		t.Errorf("%+v (%v)", begun, err)
	}
	back, _ := restored(c)(begun)
	if changed, _ := c.Changed(&back); changed {
		t.Errorf("%+v, was %+v", back, c)
	}
	done, _ := made(t1, noon)(begun)
	if done.MCPURL != "/mcp/" || done.ExternalOrgID != "o1" || !done.AdServerSavedAt.Equal(noon) || done.Epoch != c.Epoch+1 || done.AdServer.NetworkID != "new" {
		t.Errorf("%+v", done)
	}
	again, _ := made(tenant{id: "t1", mcpURL: "/other"}, noon.Add(time.Hour))(done)
	if again.MCPURL != "/mcp/" || !again.ProvisionedAt.Equal(noon) {
		t.Errorf("%+v", again)
	}
	over, _ := adopted(t1, noon)(begun)
	if over.AdServer != nil || !over.AdServerSavedAt.IsZero() {
		t.Errorf("%+v", over)
	}
}
