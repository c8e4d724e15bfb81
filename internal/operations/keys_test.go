package operations_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/internal/operations"
)

func TestTargetingKeysAreLookedUp(t *testing.T) {
	const (
		asked   = "GET /signals/candidates?candidate_type=custom_targeting_key&limit=100&q="
		page    = "GET /signals/candidates?candidate_type=custom_targeting_key&cursor=100&limit=100&q="
		another = `{"candidate_type":"custom_targeting_key","external_id":"70","name":"tides","metadata":{}}`
		tide    = `{"candidate_type":"custom_targeting_key","external_id":"71","name":"tide","metadata":{"display_name":"High tide"}}`
		wind    = `{"candidate_type":"custom_targeting_key","external_id":"72","name":"wind","metadata":{"display_name":"password=hunter2"}}`
		value   = `{"candidate_type":"custom_targeting_value","external_id":"9","name":"wind"}`
		none    = `{"candidates":[],"count":0,"next_cursor":null}`
	)
	body := func(names ...string) string {
		for i, n := range names {
			names[i] = `{"name":` + strconv.Quote(n) + `,"displayName":"Shown"}`
		}
		return `{"keys":[` + strings.Join(names, ",") + `]}`
	}
	var scenes []scene
	for _, s := range []scene{
		{name: "all are there, one on a second page", body: body("tide", "wind", "tide"), steps: []step{
			{asked + "tide", 200, `{"candidates":[` + another + `],"count":1,"next_cursor":"100"}`},
			{page + "tide", 200, `{"candidates":[` + tide + `],"count":1,"next_cursor":"200"}`},
			{asked + "wind", 200, `{"candidates":[` + value + `,` + wind + `],"count":1}`},
		}, code: 200, answer: `{"created":[],"alreadyExisted":[{"name":"tide","keyId":"71","displayName":"High tide"},` +
			`{"name":"wind","keyId":"72","displayName":"wind"},{"name":"tide","keyId":"71","displayName":"High tide"}]}`},
		{name: "two are missing", body: body("moon", "tide", "sun"), steps: []step{
			{asked + "moon", 200, none}, {asked + "tide", 200, `{"candidates":[` + tide + `],"count":1,"next_cursor":null}`}, {asked + "sun", 200, none},
		}, answer: "409 NOT_SUPPORTED"},
		{name: "a cursor that leads nowhere", body: body("moon"), steps: []step{
			{asked + "moon", 200, `{"candidates":[],"count":0,"next_cursor":"100"}`}, {page + "moon", 200, `{"candidates":[],"count":0,"next_cursor":"100"}`},
		}, answer: "409 NOT_SUPPORTED"},
		{name: "no page", body: body("moon"), steps: []step{{asked + "moon", 200, `{"count":0}`}}, answer: "503 UPSTREAM_INVALID_RESPONSE"},
		{name: "no answer", body: body("moon"), steps: []step{{asked + "moon", 500, `{"error":"internal_error"}`}}, answer: "503 UPSTREAM_ERROR"},
		{name: "a wrong body", body: `{"keys":[]}`, answer: "400 keys: keys can't be empty."},
	} {
		s.operation = "ensureEsaGamCustomTargetingKeys"
		scenes = append(scenes, s)
	}
	play(t, operations.Config{}, scenes)
	inWorld(t, func(w *world) {
		w.answers(200, none)
		for _, c := range []struct{ body, want string }{
			{body("moon", "sun"), "The sales agent can make no custom targeting keys. Not there: moon, sun."},
			{body("moon", "password=hunter2"), "The sales agent can make no custom targeting keys, and not all of these are there."},
			{body(strings.Split("a,b,c,d,e,f,g,h,i,j,k,l", ",")...),
				"The sales agent can make no custom targeting keys. Not there are a, b, c, d, e, f, g, h, i, j and 2 more."},
		} {
			if _, _, err := w.do("ensureEsaGamCustomTargetingKeys", w.request("coast", "", c.body)); err == nil || err.Error() != c.want {
				t.Errorf("%s: %v", c.body, err)
			}
		}
		w.calls()
		n := 0
		w.answersBy(func(*http.Request) (int, string) {
			n++
			return 200, `{"candidates":[` + another + `],"count":1,"next_cursor":"` + strconv.Itoa(n*100) + `"}`
		})
		_, _, err := w.do("ensureEsaGamCustomTargetingKeys", w.request("coast", "", body("moon")))
		if told(err) != "409 NOT_SUPPORTED" || strings.Contains(err.Error(), "moon") {
			t.Error(err)
		}
		w.wantCalls(200)
		w.takes(2*time.Second, false)
		_, _, err = w.do("ensureEsaGamCustomTargetingKeys", w.request("coast", "", body("moon")))
		if told(err) != "503 UPSTREAM_TIMEOUT" {
			t.Errorf("after half a minute: %v", err)
		}
		if calls := len(w.calls()); calls < 10 || calls > 16 {
			t.Errorf("%d calls in half a minute", calls)
		}
	})
}
