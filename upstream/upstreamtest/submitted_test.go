package upstreamtest_test

import (
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

func TestEcho(t *testing.T) {
	const key = `{"type":"google_ad_manager","service_account_key_json":"{\"private_key\":\"lantern\",\"private_key_id\":\"keel\"}"}`
	for name, c := range map[string]struct {
		path, method, body string
		kind               string
		secrets            []string
	}{
		"provision":       {"/tenants/provision", "POST", `{"name":"n","adapter":{"type":"freewheel","password":"hunter2","api_token":"staple"}}`, "freewheel", []string{"hunter2", "staple"}},
		"a config":        {"/tenants/tnt_a/adapter-config", "PUT", `{"type":"broadstreet","api_key":"hunter2"}`, "broadstreet", []string{"hunter2"}},
		"a key file":      {"/tenants/tnt_a/adapter-config", "PUT", key, "google_ad_manager", []string{"keel", "lantern"}},
		"a key, no file":  {"/tenants/tnt_a/adapter-config", "PUT", `{"service_account_key_json":"lantern"}`, "", []string{"lantern"}},
		"a subscription":  {"/tenants/tnt_a/webhooks", "POST", `{"url":"u","secret":"anchor"}`, "", []string{"anchor"}},
		"no credentials":  {"/tenants/tnt_a/adapter-config", "PUT", `{"type":"mock"}`, "", nil},
		"no JSON":         {"/tenants/tnt_a/adapter-config", "PUT", `<`, "", nil},
		"no body at all":  {"/tenants/tnt_a/refresh", "POST", ``, "", nil},
		"another's field": {"/tenants/tnt_a/refresh", "POST", `{"note":"hunter2"}`, "", nil},
	} {
		a := ut.New(ut.Options{APIKey: "test-key", Now: fixed})
		a.Fault("", ut.Fault{Status: 400, Code: "adapter_invalid_credentials", Echo: true})
		problem := want(t, a, 400, c.method, c.path, c.body)
		a.Fault("", ut.Fault{Status: 422, Echo: true})
		list := want(t, a, 422, c.method, c.path, c.body)
		if !strings.Contains(problem, `"error":"adapter_invalid_credentials"`) || !strings.Contains(list, `"loc"`) {
			t.Errorf("%s: %s, %s", name, problem, list)
		}
		for _, s := range c.secrets {
			sentence := `"There is no login with ` + strings.Join(c.secrets, " or ") + ` here."`
			for _, member := range []string{`"message":`, `"error":`, `"fault_string":`} {
				if !strings.Contains(problem, member+sentence) {
					t.Errorf("%s: %s is not in %s", name, member+sentence, problem)
				}
			}
			if !strings.Contains(list, `"loc":["`+c.kind+`","`+s+`"]`) || !strings.Contains(list, `"msg":"Value error, no login with `+s+`"`) {
				t.Errorf("%s: %s is not in %s", name, s, list)
			}
		}
		if c.secrets == nil && strings.Contains(problem+list, "no login") {
			t.Errorf("%s: %s, %s", name, problem, list)
		}
	}
}
