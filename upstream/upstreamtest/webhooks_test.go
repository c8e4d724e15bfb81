package upstreamtest_test

import (
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

const secret = "quay-secret-0123456789-0123456789-ab"

type hook struct {
	ID          string            `json:"webhook_id"`
	URL         string            `json:"url"`
	Events      []string          `json:"event_types"`
	Description *string           `json:"description"`
	Headers     map[string]string `json:"extra_headers"`
	Active      bool              `json:"is_active"`
	Created     string            `json:"created_at"`
	LastAt      *string           `json:"last_delivery_at"`
	LastStatus  *int              `json:"last_delivery_status"`
	Failures    int               `json:"consecutive_failures"`
	Secret      *string           `json:"secret"`
}

type hooks struct {
	Webhooks []hook `json:"webhooks"`
	Count    int    `json:"count"`
}

func TestSubscribing(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key, Now: fixed})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	const path = "/tenants/tnt_a/webhooks"
	made := strict[hook](t, want(t, a, 201, "POST", path,
		`{"url":"https://hook.example/a","event_types":["sync_run.failed"],"description":"desk","extra_headers":{"X-Desk":"4"},"secret":"`+secret+`"}`))
	if made.ID == "" || made.URL != "https://hook.example/a" || *made.Secret != secret || !made.Active || *made.Description != "desk" ||
		made.Headers["X-Desk"] != "4" || made.Created != "2026-07-04T10:00:00.250000Z" || made.LastAt != nil || len(made.Events) != 1 {
		t.Errorf("made %+v", made)
	}
	second := strict[hook](t, want(t, a, 201, "POST", path, `{"url":"https://hook.example/b"}`))
	if len(*second.Secret) < 32 || second.Events == nil {
		t.Errorf("without a secret: %+v", second)
	}
	l := strict[hooks](t, want(t, a, 200, "GET", path, ""))
	if l.Count != 2 || l.Webhooks[0].Secret != nil || l.Webhooks[0].ID != made.ID {
		t.Errorf("list %+v", l)
	}
	if got := want(t, a, 204, "DELETE", path+"/"+made.ID, ""); got != "" {
		t.Errorf("deleted: %q", got)
	}
	if got := want(t, a, 404, "DELETE", path+"/"+made.ID, ""); !strings.Contains(got, "webhook_not_found") {
		t.Errorf("deleted twice: %s", got)
	}
	if l := strict[hooks](t, want(t, a, 200, "GET", path, "")); l.Count != 1 {
		t.Errorf("list %+v", l)
	}
	if all := a.Subscriptions("tnt_a"); len(all) != 2 || all[0].Active || all[0].Secret != "" || all[1].Secret != *second.Secret {
		t.Errorf("subscriptions %+v", all)
	}
	if got := want(t, a, 404, "GET", "/tenants/tnt_gone/webhooks", ""); !strings.Contains(got, "tenant_not_found") {
		t.Error(got)
	}
	want(t, a, 404, "POST", "/tenants/tnt_gone/webhooks", `{"url":"https://hook.example/"}`)
}

func TestRefusedSubscriptions(t *testing.T) {
	a := ut.New(ut.Options{APIKey: key})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	const path = "/tenants/tnt_a/webhooks"
	for text, code := range map[string]string{
		`{"url":"http://hook.example/"}`:                                "webhook_url_not_https",
		`{"url":"hook"}`:                                                "webhook_url_invalid",
		`{"url":"https://localhost/"}`:                                  "webhook_url_blocked",
		`{"url":"https://10.1.2.3/"}`:                                   "webhook_url_blocked",
		`{"url":"https://[::1]/"}`:                                      "webhook_url_blocked",
		`{"url":"https://hook.example/","event_types":["tide.turned"]}`: "webhook_event_types_unknown",
	} {
		if got := want(t, a, 400, "POST", path, text); !strings.Contains(got, `"error":"`+code+`"`) {
			t.Errorf("%s: %s", text, got)
		}
	}
	for text, loc := range map[string]string{
		`{}`: "url", `{"url":""}`: "url", `{"url":"https://hook.example/","secret":"CANARY-short"}`: "secret",
		`{"url":"https://hook.example/","event_types":"all"}`: "event_types", `{"url":"https://hook.example/","colour":1}`: "colour",
		`{"url":"https://hook.example/","extra_headers":{"a":1}}`: "extra_headers",
	} {
		if found := decode[[]finding](t, want(t, a, 422, "POST", path, text)); len(found) != 1 || found[0].Loc[0] != loc {
			t.Errorf("%s: %+v", text, found)
		}
	}
	if all := a.Subscriptions("tnt_a"); len(all) != 0 {
		t.Errorf("subscriptions %+v", all)
	}
	a = ut.New(ut.Options{APIKey: key, AnyWebhook: true})
	a.SetTenant(gam("tnt_a", ut.Healthy()))
	want(t, a, 201, "POST", path, `{"url":"http://127.0.0.1:8080/hook"}`)
	want(t, a, 400, "POST", path, `{"url":"ftp://hook.example/"}`)
}
