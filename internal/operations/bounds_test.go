package operations_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/internal/operations"
	"esagate/transform/shape"
)

// TestNotAllOfVeryManyFaultsIsTold: a body of 1 MiB has room for hundreds of thousands.
func TestNotAllOfVeryManyFaultsIsTold(t *testing.T) {
	const most = 2 * shape.MaxIssues // by the shape, and by several members together
	inWorld(t, func(w *world) {
		for _, c := range []struct{ operation, body string }{
			{"createEsaSignal", `{"signalId":"tide","name":"Tide","valueType":"binary","adapterConfig":{"type":"composed","criteria":[` + strings.Repeat(`{},`, 999) + `{}]}}`},
			{"createEsaProduct", `{"name":"LB","inventory":{"execution":{"adapter":"google_ad_manager"},"publisher_properties":[` +
				strings.Repeat(`{"publisher_domain":"a.example","selection_type":"by_id"},`, 999) + `{}]}}`},
			{"createEsaProduct", `{"inventory":{"publisher_properties":[` + strings.Repeat(`{"selection_type":"by_id"},`, 999) + `{}]}}`},
			{"ensureEsaGamCustomTargetingKeys", `{"keys":[` + strings.Repeat(`{},`, 999) + `{}]}`},
		} {
			_, _, err := w.do(c.operation, w.request("coast", "", c.body))
			if f := fault.As(err); f == nil || f.Kind != fault.Validation || len(f.Issues) < shape.MaxIssues || len(f.Issues) > most {
				t.Errorf("%s of %.40s…: %v, %d issues", c.operation, c.body, err, len(f.Issues))
			}
		}
		w.wantCalls(0)
	})
}

// TestNotAllOfAVeryLongVerdictIsPassedOn: what is left out counts.
func TestNotAllOfAVeryLongVerdictIsPassedOn(t *testing.T) {
	inWorld(t, func(w *world) {
		doubt := strings.Repeat(`{"severity":"warning"},`, 5000)
		for last, valid := range map[string]string{`{"severity":"warning"}`: `{"valid":true,`, `{"severity":"error"}`: `{"valid":false,`, `{}`: `{"valid":false,`} {
			w.answers(200, `{"valid":true,"issues":[`+doubt+last+`]}`)
			_, document, err := w.do("validateEsaProduct", w.request("coast", "", productPut))
			if n := strings.Count(document, `"severity"`); err != nil || n != 1000 || !strings.HasPrefix(document, valid) {
				t.Errorf("with %s: %d issues, %.20s… %v", last, n, document, err)
			}
		}
		for _, issues := range []string{`{}`, `""`, `[0]`, `[[]]`} {
			w.answers(200, `{"valid":true,"issues":`+issues+`}`)
			if _, document, err := w.do("validateEsaProduct", w.request("coast", "", productPut)); told(err) != "503 UPSTREAM_INVALID_RESPONSE" {
				t.Errorf("with %s: %s %v", issues, document, err)
			}
		}
	})
}

// TestWhatIsRefusedIsDecided: nothing was done.
func TestWhatIsRefusedIsDecided(t *testing.T) {
	inWorldWith(t, operations.Config{Sandbox: operations.Sandbox{Operator: "o.example", BrandDomain: "o.example"}}, func(w *world) {
		for code, want := range map[int]bool{
			202: true, 302: true, 400: false, 401: false, 403: false, 404: false, 408: true, 409: false, 413: false, 422: false, 429: false, 500: true, 502: true, 503: true,
		} {
			w.answers(code, `<html>`)
			_, _, err := w.do("createEsaBuyerAdvertiserMapping", w.request("coast", "", newMapping))
			if told(err)[:3] != "503" || operations.Undecided(err) != want {
				t.Errorf("%d: %s, undecided: %v", code, told(err), operations.Undecided(err))
			}
			time.Sleep(10 * time.Minute)
		}
		// The account was made; it is the look at it that is refused.
		posted := false
		w.answersBy(func(r *http.Request) (int, string) {
			switch {
			case r.Method == http.MethodPost:
				posted = true
			case posted:
				return 429, `{}`
			}
			return 200, `{"accounts":[]}`
		})
		_, _, err := w.do("ensureEsaSandboxAccount", w.request("coast", "", ""))
		if !posted || !operations.Undecided(err) {
			t.Errorf("made and not seen: %v", err)
		}
	})
}

// TestAWriteEndsInTheTimeOfItsAnswer: what it looks up first takes no longer than other reads.
func TestAWriteEndsInTheTimeOfItsAnswer(t *testing.T) {
	inWorld(t, func(w *world) {
		w.answersBy(func(r *http.Request) (int, string) {
			took := 70 * time.Second
			if r.Method == http.MethodGet {
				took = 9 * time.Second
			}
			time.Sleep(took)
			return 200, productDoc
		})
		begun := time.Now()
		_, _, err := w.do("patchEsaProduct", w.request("coast", "", `{"status":"draft"}`, "productId", "lb"))
		if took := time.Since(begun); err != nil || took != 79*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		w.takes(70*time.Second, false)
		begun = time.Now()
		_, _, err = w.do("patchEsaProduct", w.request("coast", "", `{"status":"draft"}`, "productId", "lb"))
		if took := time.Since(begun); told(err) != "503 UPSTREAM_TIMEOUT" || took > 10*time.Second {
			t.Errorf("%v after %s", err, took)
		}
		if got := fmt.Sprint(operations.Undecided(err)); got != "false" {
			t.Errorf("undecided: %s", got)
		}
	})
}
