package operations_test

import (
	"strings"
	"testing"

	"esagate/internal/operations"
)

func TestAdvertisersOfASource(t *testing.T) {
	const (
		row    = `{"id":"31","name":"Seal Bank","currency_code":"EUR","status":"inactive"}`
		shown  = `{"id":"31","name":"Seal Bank","status":"inactive"}`
		asked  = "GET /gam/advertisers?limit=50"
		cursor = "eyJvZmZzZXQiOjUwfQ"
	)
	page := func(next, synced string) string {
		return `{"advertisers":[` + row + `],"next_cursor":` + next + `,"synced_at":` + synced + `}`
	}
	answer := func(next, synced, authoritative, truncated string) string {
		return `{"advertisers":[` + shown + `],"nextCursor":` + next + `,"syncedAt":` + synced + `,"adapterType":"google_ad_manager","authoritative":` +
			authoritative + `,"truncated":` + truncated + `,"errors":[]}`
	}
	inWorld(t, func(w *world) {
		whole := scene{name: "nothing is known of the sync", operation: "listEsaAdapterAdvertisers",
			steps: []step{{asked, 200, page("null", `"2026-09-01T04:00:00Z"`)}}, code: 200, answer: answer("null", `"2026-09-01T04:00:00Z"`, "false", "false")}
		w.play(whole)
		for _, s := range []scene{
			{name: "the list is nowhere", source: "dune", answer: "400 AD_SERVER_NOT_SUPPORTED esaId: The ad server of this source has no list of advertisers."},
			{name: "the list is at the vendor", source: "cliff", answer: "409 NOT_SUPPORTED"},
			{name: "on what ad server can't be learned", source: "fog", steps: []step{{"GET /adapter-config", 500, `{}`}, {asked, 200, page("null", `"2026-09-01T04:00:00Z"`)}},
				code: 200, answer: strings.Replace(answer("null", `"2026-09-01T04:00:00Z"`, "false", "false"), "google_ad_manager", "unknown", 1)},
			{name: "a query that is wrong", source: "cliff", query: "limit=0", answer: "400 query.limit: limit must be a whole number from 1 to 500."},
		} {
			s.operation = "listEsaAdapterAdvertisers"
			w.play(s)
		}
		for _, c := range []struct {
			stream, query, asked, next, synced, authoritative, truncated string
		}{
			{"success", "", asked, "null", `"2026-09-01T04:00:00Z"`, "true", "false"},
			{"success", "", asked, `"` + cursor + `"`, `"2026-09-01T04:00:00Z"`, "false", "true"},
			{"success", "cursor=" + cursor, "GET /gam/advertisers?cursor=" + cursor + "&limit=50", "null", `"2026-09-01T04:00:00Z"`, "false", "false"},
			{"success", "", asked, "null", "null", "false", "false"},
			{"failed", "", asked, "null", `"2026-09-01T04:00:00Z"`, "false", "false"},
			{"running", "", asked, "null", `"2026-09-01T04:00:00Z"`, "false", "false"},
		} {
			w.wait()
			w.learn("coast", `{"adapter":{"type":"google_ad_manager","connected":true},"syncs":{"advertisers":{"status":"`+c.stream+`"}},"fetched_at":"`+w.now()+`"}`)
			w.play(scene{name: c.stream + " " + c.query, operation: "listEsaAdapterAdvertisers", query: c.query, steps: []step{{c.asked, 200, page(c.next, c.synced)}},
				code: 200, answer: answer(c.next, c.synced, c.authoritative, c.truncated)})
		}
		w.wait()
		w.play(scene{name: "no page", operation: "listEsaAdapterAdvertisers", steps: []step{{asked, 200, `[]`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"})
	})
}

func TestTheDefaultAdvertiserIsWhatWasSent(t *testing.T) {
	tenant := func(id string) string {
		return `{"tenant_id":"tnt_coast","contact_email":"CANARY@coast.example","default_gam_advertiser_id":` + id + `,"public_agent_url":"https://CANARY.example"}`
	}
	const asked = `PATCH / {"default_gam_advertiser_id":"31"}`
	var scenes []scene
	for _, o := range []struct{ operation, member, answer string }{
		{"setEsaDefaultAdvertiser", "advertiserId", "advertiserId"}, {"setEsaDefaultGamAdvertiser", "gamAdvertiserId", "defaultGamAdvertiserId"},
	} {
		body := `{"` + o.member + `":"31"}`
		for _, s := range []scene{
			{name: "set", body: body, steps: []step{{asked, 200, tenant(`"31"`)}}, code: 200, answer: `{"` + o.answer + `":"31"}`},
			{name: "another is there", body: body, steps: []step{{asked, 200, tenant(`"13"`)}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
			{name: "none is there", body: body, steps: []step{{asked, 200, tenant("null")}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
			{name: "a number is there", body: body, steps: []step{{asked, 200, tenant("31")}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
			{name: "no document", body: body, steps: []step{{asked, 200, `<html>`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
			{name: "empty", body: `{"` + o.member + `":""}`, answer: "400 " + o.member + ": " + o.member + " can't be empty."},
			{name: "another ad server", source: "cliff", body: body, answer: "400 AD_SERVER_NOT_SUPPORTED esaId: This is for sources on Google Ad Manager alone."},
		} {
			s.operation = o.operation
			scenes = append(scenes, s)
		}
	}
	play(t, operations.Config{}, scenes)
}

func TestAXEKeysAreNotSupported(t *testing.T) {
	play(t, operations.Config{}, []scene{
		{name: "a right body", operation: "configureEsaAxeKeys", body: `{"axeIncludeKey":"axei","axeExcludeKey":"axex","axeMacroKey":"axem"}`, answer: "409 NOT_SUPPORTED"},
		{name: "a wrong one", operation: "configureEsaAxeKeys", body: `{"axeIncludeKey":"","axeMacroKey":"axe"}`,
			answer: "400 axeIncludeKey: axeIncludeKey can't be empty. axeMacroKey: axeMacroKey must be axem. axeExcludeKey: axeExcludeKey is required."},
		{name: "another ad server", operation: "configureEsaAxeKeys", source: "dune", body: `{}`,
			answer: "400 AD_SERVER_NOT_SUPPORTED esaId: This is for sources on Google Ad Manager alone."},
	})
}
