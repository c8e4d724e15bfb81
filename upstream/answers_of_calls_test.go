package upstream_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
	"esagate/upstream/wire"
)

// TestTwoHundreds lists which 2xx of which call is a success, and with which body.
func TestTwoHundreds(t *testing.T) {
	const page = "<html>CANARY</html>"
	more := map[string]int{"refresh": 200, "create_webhook": 200} // further statuses of success
	each(t, every, func(t *testing.T, m madeCall) {
		anyBody := m.op == "delete_webhook" // what was done has been done
		for _, status := range []int{200, 201, 202, 204} {
			for name, body := range map[string]string{"good": m.toTenant(), "page": page, "none": "", "object": "{}", "cut": `{"tenant_id":"t"`, "breaks": ""} {
				alone(t, upstream.Config{Attempts: 1}, func(*http.Request) (*http.Response, error) {
					if body == page {
						return respond(status, body, "Content-Type", "text/html"), nil
					}
					resp := respond(status, body)
					if name == "breaks" {
						resp.Body, resp.ContentLength = broken{}, -1
					}
					return resp, nil
				}, func(t *testing.T, r *rig) {
					got, err := m.call(t.Context(), r.client, tenant)
					e := r.fault(err)
					want := anyBody || name == "good" && (status == m.status || status == more[m.op])
					if m.op == "removeThing" {
						want = status == 204 || status == 200 && name != "page"
					}
					if name == "object" && strings.HasSuffix(m.op, "adapter_settings") && status == 200 {
						want = true
					}
					switch {
					case want != (err == nil):
						t.Errorf("%d, %s: %v", status, name, err)
					case err == nil:
						if n, ok := got.(*wire.Tenant); ok && n == nil {
							t.Errorf("%d, %s: neither a tenant nor an error", status, name)
						}
					case e.Reason != fault.UpstreamInvalidResponse, upstream.NotSent(err), refusal(err) != nil:
						t.Errorf("%d, %s: %v: the error does not leave open whether it was done", status, name, err)
					}
				})
			}
		}
	})
}

func refusal(err error) *upstream.Refusal {
	var no *upstream.Refusal
	errors.As(err, &no)
	return no
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("CANARY") }
func (broken) Close() error             { return nil }

// TestSpecialAnswers lists the answers that have a meaning of their own for one call.
func TestSpecialAnswers(t *testing.T) {
	const (
		running  = `{"error":"sync_already_running","message":"m","sync_run_ids":{"inventory":"run_3"},"running_sync_types":["inventory"]}`
		noTenant = `{"error":"tenant_not_found","message":"m"}`
		noHook   = `{"error":"webhook_not_found","message":"m"}`
		noConfig = `{"error":"adapter_config_not_found","message":"m"}`
		page     = "<h1>Not Found</h1>"
	)
	for _, c := range []struct {
		name, op string
		status   int
		body     string
		kind     fault.Kind
		reason   fault.Reason
		ok       bool
	}{
		{"runs already", "refresh", 409, running, 0, "", true},
		{"another conflict with runs", "refresh", 409, `{"error":"tenant_inactive","message":"m","sync_run_ids":{"inventory":"run_3"}}`, fault.Conflict, "", false},
		{"a conflict without runs", "refresh", 409, `{"error":"sync_already_running","message":"m"}`, fault.Conflict, "", false},
		{"runs of another call", "deactivate", 409, running, fault.Conflict, "", false},
		{"a webhook that is gone", "delete_webhook", 404, noHook, 0, "", true},
		{"a webhook's tenant that is gone", "delete_webhook", 404, noTenant, fault.NotFound, fault.TenantNotFound, false},
		{"a page instead of a webhook", "delete_webhook", 404, page, fault.Unavailable, fault.UpstreamInvalidResponse, false},
		{"no settings", "adapter_settings", 404, noConfig, fault.NotFound, "", false},
		{"no such route", "adapter_settings", 404, page, fault.NotFound, "", false},
		{"settings' tenant that is gone", "adapter_settings", 404, noTenant, fault.NotFound, fault.TenantNotFound, false},
		{"no settings to write", "put_adapter_settings", 404, noConfig, fault.Unavailable, fault.UpstreamInvalidResponse, false},
		{"a tenant that is gone", "deactivate", 404, noTenant, fault.NotFound, fault.TenantNotFound, false},
		{"a tenant not found to be made", "provision", 404, noTenant, fault.Unavailable, fault.UpstreamInvalidResponse, false},
	} {
		each(t, func(m madeCall) bool { return m.op == c.op }, func(t *testing.T, m madeCall) {
			alone(t, upstream.Config{}, gives(c.status, c.body),
				func(t *testing.T, r *rig) {
					got, err := m.call(t.Context(), r.client, tenant)
					e := r.fault(err)
					if (err == nil) != c.ok || err != nil && (e.Kind != c.kind || e.Reason != c.reason) {
						t.Fatalf("%s: %v", c.name, err)
					}
					if no := refusal(err); err != nil && (no == nil || no.Status != c.status) {
						t.Errorf("%s: the refusal is %v", c.name, no)
					}
					if again, is := got.(*wire.Refresh); is && c.ok && (!again.AlreadyRunning || again.RunningSyncTypes[0] != "inventory") {
						t.Errorf("%s: %+v", c.name, again)
					}
				})
		})
	}
}

// TestTenantOfAnotherOrganisation: a tenant made for another organisation than was asked for
// is not given out, and leaves open whether ours was made.
func TestTenantOfAnotherOrganisation(t *testing.T) {
	for members, ours := range map[string]bool{
		`"external_org_id":"31-8","external_source":"shopfront"`:  true,
		`"external_org_id":null,"name":"Kiosk"`:                   true,
		`"external_org_id":"31-80"`:                               false,
		`"external_org_id":""`:                                    false,
		`"external_org_id":"31-8","external_source":"storefront"`: false,
	} {
		alone(t, upstream.Config{}, gives(201, `{"tenant_id":"tnt_9",`+members+`}`), func(t *testing.T, r *rig) {
			_, err := r.client.Provision(t.Context(), provisioning())
			switch e := r.fault(err); {
			case ours != (err == nil):
				t.Errorf("%s: %v", members, err)
			case !ours && (e.Reason != fault.UpstreamInvalidResponse || refusal(err) != nil || upstream.NotSent(err)):
				t.Errorf("%s: %v does not leave open whether it was done", members, err)
			}
		})
	}
}
