package operations_test

import (
	"strconv"
	"strings"
	"testing"

	"esagate/internal/operations"
)

// sandboxList is a list of sandbox accounts as the sales agent gives it, and as the contract does.
type sandboxList struct{ given, shown []string }

func (l *sandboxList) add(id, status string, mapped bool) *sandboxList {
	rest := `"operator":"desk.example","brand":{"domain":"kiosk.example","brand_id":"b"},"billing":"operator","sandbox":true,`
	l.given = append(l.given, `{"account_id":"`+id+`","name":"N","status":"`+status+`",`+rest+
		`"buyer_agent_principal_id":null,"gam_advertiser_id":null,"gam_advertiser_name":null,"advertiser_mapped":`+strconv.FormatBool(mapped)+`}`)
	l.shown = append(l.shown, `{"accountId":"`+id+`","name":"N","status":"`+status+`",`+rest+
		`"buyerAgentPrincipalId":null,"gamAdvertiserId":null,"gamAdvertiserName":null,"advertiserMapped":`+strconv.FormatBool(mapped)+`}`)
	return l
}

func (l *sandboxList) document() string {
	return `{"accounts":[` + strings.Join(l.given, ",") + `],"count":` + strconv.Itoa(len(l.given)) + `}`
}

// answer gives the answer with the account of an index, -1 for none, and what is missing, "" for nothing.
func (l *sandboxList) answer(w *world, account int, missing, ensured string) string {
	one, reason := "null", "null"
	if account >= 0 {
		one = l.shown[account]
	}
	if missing != "" {
		reason = `"` + missing + `"`
	}
	return `{"accounts":[` + strings.Join(l.shown, ",") + `],"esaId":"` + strconv.FormatInt(w.source("coast").Connection.ID, 10) + `","tenantId":"tnt_coast","ready":` +
		strconv.FormatBool(missing == "") + `,"missingReason":` + reason + `,"account":` + one + ensured + `}`
}

const askedAccounts = "GET /accounts?sandbox=true"

func TestTheSandboxAccount(t *testing.T) {
	list := func() *sandboxList { return &sandboxList{} }
	inWorld(t, func(w *world) {
		for _, c := range []struct {
			name    string
			list    *sandboxList
			account int
			missing string
		}{
			{"none", list(), -1, "no_sandbox_account"},
			{"one that waits", list().add("a", "pending", false).add("b", "closed", true), 0, "sandbox_account_not_active"},
			{"one that is active", list().add("a", "pending", true).add("b", "active", false), 1, "sandbox_advertiser_not_mapped"},
			{"one that is ready", list().add("a", "active", false).add("b", "active", true).add("c", "active", true), 1, ""},
		} {
			w.play(scene{name: c.name, operation: "getEsaSandboxAccountStatus", steps: []step{{askedAccounts, 200, c.list.document()}},
				code: 200, answer: c.list.answer(w, c.account, c.missing, "")})
			w.wait()
		}
		costly := list().add("a", "active", true)
		costly.given[0] = strings.Replace(costly.given[0], `"sandbox":true`, `"sandbox":false`, 1)
		costly.shown[0] = strings.Replace(costly.shown[0], `"sandbox":true`, `"sandbox":false`, 1)
		w.play(scene{name: "one that is none", operation: "getEsaSandboxAccountStatus", steps: []step{{askedAccounts, 200, costly.document()}},
			code: 200, answer: costly.answer(w, -1, "no_sandbox_account", "")})
		w.wait()
		w.play(scene{name: "no list", operation: "getEsaSandboxAccountStatus", steps: []step{{askedAccounts, 200, `{"count":0}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"})
		w.wait()
		w.play(scene{name: "an account without an id", operation: "getEsaSandboxAccountStatus", steps: []step{{askedAccounts, 200, `{"accounts":[{"status":"active"}]}`}},
			answer: "503 UPSTREAM_INVALID_RESPONSE"})
	})
}

func TestASandboxAccountIsMade(t *testing.T) {
	const (
		post  = `POST /accounts {"operator":"desk.example","brand":{"domain":"kiosk.example"},"billing":"operator","sandbox":true`
		named = post + `,"name":"Sandbox"}`
		again = post + `}`
	)
	list := func() *sandboxList { return &sandboxList{} }
	inWorldWith(t, operations.Config{Sandbox: operations.Sandbox{Operator: "desk.example", BrandDomain: "kiosk.example"}}, func(w *world) {
		empty, made, closed, ready := list(), list().add("a", "active", false), list().add("a", "closed", false), list().add("a", "active", true)
		first := step{askedAccounts, 200, empty.document()}
		for _, s := range []scene{
			{name: "there is none", steps: []step{first, {named, 201, made.given[0]}, {askedAccounts, 200, made.document()}},
				code: 200, answer: made.answer(w, 0, "sandbox_advertiser_not_mapped", `,"ensured":true`)},
			{name: "one that is not mapped", steps: []step{{askedAccounts, 200, made.document()}, {again, 200, made.given[0]}, {askedAccounts, 200, made.document()}},
				code: 200, answer: made.answer(w, 0, "sandbox_advertiser_not_mapped", `,"ensured":true`)},
			{name: "one that stays closed", steps: []step{{askedAccounts, 200, closed.document()}, {again, 200, closed.given[0]}, {askedAccounts, 200, closed.document()}},
				code: 200, answer: closed.answer(w, 0, "sandbox_account_not_active", `,"ensured":false`)},
			{name: "one that is ready", steps: []step{{askedAccounts, 200, ready.document()}}, code: 200, answer: ready.answer(w, 0, "", `,"ensured":true`)},
			{name: "it can't be made", steps: []step{first, {named, 409, `{"error":"account_conflict","message":"no"}`}}, answer: "409"},
			{name: "whether it was made is not known", steps: []step{first, {named, 500, `{"error":"internal_error"}`}}, answer: "503 UPSTREAM_ERROR"},
			{name: "what is there can't be read", steps: []step{{askedAccounts, 200, `{}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
			{name: "a body", body: `{"gamAdvertiserId":"31"}`, answer: "400 body: This takes no body, or an empty object."},
		} {
			s.operation = "ensureEsaSandboxAccount"
			w.play(s)
		}
	})
	play(t, operations.Config{}, []scene{{name: "nobody says whose it would be", operation: "ensureEsaSandboxAccount", answer: "409 NOT_SUPPORTED"}})
}
