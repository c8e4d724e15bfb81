package gateway_test

import (
	"errors"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/internal/ratelimit"
)

const reason429 = "RATE_LIMITED"

var (
	someReads  = ratelimit.Limits{Reads: ratelimit.Limit{Rate: 2, Burst: 3}}
	someWrites = ratelimit.Limits{Writes: ratelimit.Limit{Rate: 0.1, Burst: 2}}
	someWrong  = ratelimit.Limits{WrongKeys: ratelimit.Limit{Rate: 0.5, Burst: 3}}
)

// limit holds an answer's account of a limit.
func (a answer) limit(t testing.TB, status int, policy, limit, retryAfter string) {
	t.Helper()
	h := a.header
	if a.status != status || h.Get("RateLimit-Policy") != policy || h.Get("RateLimit") != limit || h.Get("Retry-After") != retryAfter {
		t.Errorf("got %d, %q, %q, %q, want %d, %q, %q, %q", a.status, h.Get("RateLimit-Policy"), h.Get("RateLimit"), h.Get("Retry-After"),
			status, policy, limit, retryAfter)
	}
}

func TestReadsAreLimited(t *testing.T) {
	inWorld(t, setup{limits: someReads}, func(w *world) {
		const policy = `"reads";q=3;w=2`
		w.get(statusOf).limit(w, 200, policy, `"reads";r=2;t=1`, "")
		w.get("/api/v2/nothing").limit(w, 404, policy, `"reads";r=1;t=1`, "")
		w.send(request("HEAD", esaOf, writeKey, "")).limit(w, 200, policy, `"reads";r=0;t=1`, "") // the customer's other key
		refused := w.get(statusOf)
		refused.limit(w, 429, policy, `"reads";r=0;t=1`, "1")
		refused.failure(w, 429, reason429)
		w.get("/api/v2/nothing").limit(w, 429, policy, `"reads";r=0;t=1`, "1")

		w.writeAs(otherKey, "GET", "/api/v2/storefront/esa", "").limit(w, 200, policy, `"reads";r=2;t=1`, "")
		w.pass(499 * time.Millisecond)
		w.get(statusOf).limit(w, 429, policy, `"reads";r=0;t=1`, "1")
		w.pass(time.Millisecond)
		w.get(statusOf).limit(w, 200, policy, `"reads";r=0;t=1`, "")
		w.pass(time.Hour)
		etag := w.get(esaOf)
		etag.limit(w, 200, policy, `"reads";r=2;t=1`, "")
		w.get(esaOf, "If-None-Match", etag.header.Get("ETag")).limit(w, 304, policy, `"reads";r=1;t=1`, "")
	})
}

// What is refused has cost nothing: the body was not read, no entry of the audit was made.
func TestWritesAreLimited(t *testing.T) {
	inWorld(t, setup{limits: someWrites}, func(w *world) {
		const policy = `"writes";q=2;w=20`
		refresh := strings.Replace(statusOf, "/status", "/refresh", 1)
		w.writeAs(readKey, "POST", refresh, "").limit(w, 403, policy, `"writes";r=1;t=10`, "")
		w.write("POST", refresh, "").limit(w, 200, policy, `"writes";r=0;t=10`, "")
		w.pass(time.Second)
		r := request("POST", refresh, writeKey, "{}")
		r.Body = unreadable{w}
		w.send(r).limit(w, 429, policy, `"writes";r=0;t=9`, "9")
		w.write("POST", refresh, strings.Repeat("x", 2<<20)).limit(w, 429, policy, `"writes";r=0;t=9`, "9")
		if page := w.send(request("GET", "/audit", writeKey, "")); strings.Count(string(page.body), `"operation"`) != 1 {
			w.Errorf("the audit has more than the one write: %s", page.body)
		}
		w.get(statusOf).limit(w, 200, "", "", "") // the limit of reads is off
		w.writeAs(otherKey, "POST", refresh, "").limit(w, 404, policy, `"writes";r=1;t=10`, "")
		w.pass(9 * time.Second)
		w.write("POST", refresh, "").limit(w, 200, policy, `"writes";r=0;t=10`, "")
	})
}

// unreadable is the body of a request that must be refused without it.
type unreadable struct{ testing.TB }

func (u unreadable) Read([]byte) (int, error) {
	u.Error("the body is read")
	return 0, errors.New("not for you")
}
func (unreadable) Close() error { return nil }

func TestWrongKeysAreLimited(t *testing.T) {
	inWorld(t, setup{limits: someWrong, proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, func(w *world) {
		from := func(address, key string) answer {
			w.Helper()
			return w.send(request("GET", statusOf, key, "", "X-Forwarded-For", address))
		}
		begun := time.Now()
		for range 3 {
			from("198.51.100.7", "").limit(w, 401, "", "", "")
		}
		from("198.51.100.7", "").limit(w, 429, "", "", "2")
		from("198.51.100.7", "forged-CANARY").failure(w, 429, reason429)
		from("198.51.100.7", readKey).limit(w, 200, "", "", "") // a known key is no stranger's
		from("198.51.100.8", "forged-CANARY").limit(w, 401, "", "", "")
		for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.yaml"} {
			w.do("GET", path, "X-Forwarded-For", "198.51.100.7").limit(w, 200, "", "", "")
		}
		w.pass(time.Duration(1999)*time.Millisecond - time.Since(begun))
		from("198.51.100.7", "").limit(w, 429, "", "", "1")
		w.pass(time.Millisecond)
		from("198.51.100.7", "").limit(w, 401, "", "", "")
		from("198.51.100.7", "").limit(w, 429, "", "", "2")

		page := string(w.do("GET", "/metrics").body)
		if want := `esagate_limits_refusals_total{limit="wrong_keys"} 4`; !strings.Contains(page, want) {
			w.Errorf("no line %s", want)
		}
		if strings.Contains(w.logs.String(), "198.51.100") {
			w.Error("the log holds an address")
		}
	})
}

// Guesses that come together are counted while they are looked up: no more of them than may be
// wrong cost a look.
func TestGuessesAtOnceAreLimited(t *testing.T) {
	inWorld(t, setup{limits: someWrong}, func(w *world) {
		var answers [60]answer
		var wait sync.WaitGroup
		for i := range answers {
			wait.Go(func() {
				rec := httptest.NewRecorder()
				w.gateway.ServeHTTP(rec, request("GET", statusOf, "guess-"+strconv.Itoa(i), ""))
				answers[i] = answer{status: rec.Code}
			})
		}
		known := w.get(statusOf)
		wait.Wait()
		count := map[int]int{}
		for _, a := range answers {
			count[a.status]++
		}
		if count[401] != 3 || count[429] != 57 || known.status != 200 {
			w.Errorf("answers: %v; a known key: %d", count, known.status)
		}
	})
}

// A consent that is not known is a wrong key, for programs and for people.
func TestConsentsAreLimited(t *testing.T) {
	inWorld(t, setup{limits: someWrong}, func(w *world) {
		for range 3 {
			w.do("GET", "/oauth/callback?state=forged").limit(w, 400, "", "", "")
		}
		w.do("GET", "/oauth/callback?state=forged").limit(w, 429, "", "", "2")
		w.do("GET", "/oauth/callback?state=forged", "Accept", "text/html").limit(w, 429, "", "", "2")
		w.do("GET", statusOf).limit(w, 429, "", "", "2")
	})
}

// Limits that change count at once, for those who are known already too.
func TestLimitsChange(t *testing.T) {
	inWorld(t, setup{limits: someReads}, func(w *world) {
		for range 3 {
			w.get(statusOf)
		}
		w.get(statusOf).limit(w, 429, `"reads";q=3;w=2`, `"reads";r=0;t=1`, "1")
		w.limiter.SetLimits(ratelimit.Limits{Reads: ratelimit.Limit{Rate: 0.1, Burst: 5}})
		w.get(statusOf).limit(w, 429, `"reads";q=5;w=50`, `"reads";r=0;t=10`, "10")
		w.limiter.SetLimits(ratelimit.Limits{})
		w.get(statusOf).limit(w, 200, "", "", "")
		w.pass(time.Minute)
		w.limiter.SetLimits(someReads)
		w.get(statusOf).limit(w, 200, `"reads";q=3;w=2`, `"reads";r=2;t=1`, "")
	})
}
