package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"esagate/gateway"
	"esagate/registry"
)

const customerHeader = "Esagate-Customer"

// forCustomer is the header by which an operator's request is for a customer.
func forCustomer(id int64) []string { return []string{customerHeader, strconv.FormatInt(id, 10)} }

// forAll are the operations in which an operator need not name a customer.
var forAll = []string{"getOverview", "followEvents"}

// as is a request for a customer with an operator's key.
func (w *world) as(key string, id int64, method, path, body string, pairs ...string) answer {
	w.Helper()
	return w.send(request(method, path, key, body, append(forCustomer(id), pairs...)...))
}

// eachPrivate calls f for each route that needs a key, with a path to ask for.
func (w *world) eachPrivate(f func(t testing.TB, route gateway.Route, path string)) {
	w.Helper()
	for _, route := range gateway.Routes() {
		path := strings.NewReplacer("{sourceId}", source, "{esaId}", "1000", "{capability}", "reporting").Replace(route.Path)
		if w.do(route.Method, path).status != 401 || route.Path == gateway.WebhookPath {
			continue
		}
		w.named(route.Method+" "+path, func(t testing.TB) { f(t, route, path) })
	}
}

// TestNoRouteIsForAllCustomers, but for those that are meant to: an operator must name a customer, and nobody
// else can name another one.
func TestNoRouteIsForAllCustomers(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		tried, calls := 0, w.agent.Calls("")
		w.eachPrivate(func(t testing.TB, route gateway.Route, path string) {
			tried++
			for _, other := range []int64{stranger, 999_999} { // whether there is one or not
				a := w.writeAs(writeKey, route.Method, path, "", forCustomer(other)...)
				a.failure(t, 403, "FORBIDDEN")
			}
			if slices.Contains(forAll, route.Operation) {
				return
			}
			if a := w.writeAs(deskKey, route.Method, path, ""); !strings.Contains(string(a.body), customerHeader) {
				t.Errorf("the header is not named: %s", a.body)
			} else {
				a.failure(t, 400, "VALIDATION_ERROR")
			}
			if route.Method != "GET" && !isLaunch(route) {
				w.writeAs(wallKey, route.Method, path, "", forCustomer(customer)...).failure(t, 403, "FORBIDDEN")
				w.writeAs(wallKey, route.Method, path, "").failure(t, 403, "FORBIDDEN")
			}
		})
		if tried < 28 || w.agent.Calls("") != calls {
			w.Errorf("%d routes, %d calls", tried, w.agent.Calls("")-calls)
		}
		for _, id := range []int64{customer, stranger} {
			if page := w.send(request("GET", "/audit", deskKey, "", forCustomer(id)...)); page.status != 200 || strings.Contains(string(page.body), "operation") {
				w.Errorf("what was refused is in the audit: %s", page.body)
			}
		}
	})
}

// TestOnlyOnePlainNumberNamesACustomer: not two, not a list, and under no other name.
func TestOnlyOnePlainNumberNamesACustomer(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		own := strconv.Itoa(customer)
		for _, key := range []string{deskKey, writeKey} {
			for _, bad := range [][]string{
				{""}, {"0"}, {"-1"}, {"+4711"}, {"04711"}, {"4711.0"}, {"4e3"}, {"0x1267"}, {"4711 "}, {"4711,4711"}, {"4711, 4712"}, {"4711;4712"},
				{own, own}, {own, "4712"}, {own, ""}, {"9007199254740992"}, {"99999999999999999999"}, {"all"}, {"*"}, {"\u0664711"}, {"4711\x00"},
			} {
				r := request("GET", esaOf, key, "")
				r.Header[customerHeader] = bad
				if a := w.send(r); a.status != 400 {
					w.Errorf("%q: %d %s", bad, a.status, a.body)
				}
			}
			w.send(request("GET", esaOf, key, "", "esagate-customer", own)).ok(w)
		}
		for _, name := range []string{"Esagate_Customer", "ESAGATE_CUSTOMER", "X-Esagate-Customer", "Esagate-Customer-Id", "EsagateCustomer"} {
			w.send(request("GET", esaOf, deskKey, "", name, own)).failure(w, 400, "VALIDATION_ERROR")
			w.send(request("GET", esaOf, deskKey, "", name, "4712", customerHeader, own)).ok(w)
			w.send(request("GET", esaOf, otherKey, "", name, own)).failure(w, 404, "NOT_FOUND")
		}
		w.send(request("GET", esaOf+"?customerId="+own, deskKey, "")).failure(w, 400, "VALIDATION_ERROR")
		w.send(request("GET", esaOf+"?Esagate-Customer="+own, deskKey, "")).failure(w, 400, "VALIDATION_ERROR")
	})
}

// ok wants a 200.
func (a answer) ok(t testing.TB) answer {
	t.Helper()
	if a.status != 200 {
		t.Errorf("%d: %s", a.status, a.body)
	}
	return a
}

// keep makes a key at run time.
func (w *world) keep(id int64, name, clear string) registry.APIKey {
	w.Helper()
	key, err := w.store.APIKeys().CreateKey(context.Background(), registry.APIKey{CustomerID: id, Name: name, Write: true, SHA256: sha256.Sum256([]byte(clear))})
	w.must(err)
	return key
}

// TestWhatAnOperatorDoesIsInTheCustomersAudit, and is told from what a key of the same name does.
func TestWhatAnOperatorDoesIsInTheCustomersAudit(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const imitator = "key-of-4711-called-desk-00"
		w.keep(customer, "desk", imitator)
		path := sourcesPath + "/" + source
		for range 2 { // what is refused is folded, but not with the other's
			w.as(deskKey, customer, "PUT", path, `{"name":""}`).failure(t, 400, "VALIDATION_ERROR")
			w.writeAs(imitator, "PUT", path, `{"name":""}`).failure(t, 400, "VALIDATION_ERROR")
		}
		w.as(deskKey, customer, "PUT", path, `{"name":"By the desk"}`).ok(t)
		w.as(imitator, customer, "PUT", path, `{"name":"By an imitator"}`).ok(t)
		type page struct {
			Entries []struct {
				Actor, Outcome string
				Operator       bool
				Count          int
			}
		}
		const want = "[{desk succeeded false 1} {desk succeeded true 1} {desk refused false 2} {desk refused true 2}]"
		own, theirs := w.writeAs(writeKey, "GET", auditPath, ""), w.as(deskKey, customer, "GET", "/audit", "")
		if got := fmt.Sprint(decode[page](t, own, 200).Entries); got != want {
			w.Errorf("got  %s\nwant %s", got, want)
		}
		if !bytes.Equal(own.body, theirs.body) {
			w.Errorf("the operator reads another audit: %s", theirs.body)
		}
		if a := w.writeAs(otherKey, "GET", auditPath, ""); string(a.body) != `{"entries":[],"nextCursor":null}` {
			w.Errorf("a stranger reads %s", a.body)
		}
		if !strings.Contains(w.logs.String(), `"key_name":"desk","customer_id":4711`) {
			w.Error("the log does not say for which customer an operator has acted")
		}
	})
}

// TestARevokedOperator: one who is at work is let in no longer, with a customer or without.
func TestARevokedOperator(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		const clear = "key-of-an-operator-at-work"
		key := w.keep(registry.OperatorID, "shift", clear)
		w.as(clear, customer, "GET", statusOf, "").ok(t)
		w.send(request("GET", overviewPath, clear, "")).ok(t)
		_, err := w.store.APIKeys().RevokeKey(context.Background(), key.ID)
		w.must(err)
		w.pass(3 * time.Second)
		w.as(clear, customer, "GET", statusOf, "").failure(t, 401, "UNAUTHORIZED")
		w.as(clear, customer, "POST", strings.Replace(statusOf, "/status", "/refresh", 1), "").failure(t, 401, "UNAUTHORIZED")
		w.send(request("GET", overviewPath, clear, "")).failure(t, 401, "UNAUTHORIZED")
		w.as(deskKey, customer, "GET", statusOf, "").ok(t)
	})
}

// TestOperatorsCountOnTheirOwn: they use up nothing of a customer's limits, and have one for all customers.
func TestOperatorsCountOnTheirOwn(t *testing.T) {
	limits := someReads
	limits.Writes = someWrites.Writes
	inWorld(t, setup{limits: limits}, func(w *world) {
		const reads, writes = `"reads";q=3;w=2`, `"writes";q=2;w=20`
		refresh := strings.Replace(statusOf, "/status", "/refresh", 1)
		w.as(deskKey, customer, "GET", statusOf, "").limit(w, 200, reads, `"reads";r=2;t=1`, "")
		w.as(wallKey, stranger, "GET", statusOf, "").limit(w, 404, reads, `"reads";r=1;t=1`, "")
		w.send(request("GET", esaOf, wallKey, "")).limit(w, 400, reads, `"reads";r=0;t=1`, "") // without a customer
		w.as(deskKey, customer, "GET", statusOf, "").limit(w, 429, reads, `"reads";r=0;t=1`, "1")
		w.as(deskKey, customer, "POST", refresh, "").limit(w, 200, writes, `"writes";r=1;t=10`, "")
		w.as(deskKey, 999_999, "POST", refresh, "").limit(w, 404, writes, `"writes";r=0;t=10`, "")
		w.as(deskKey, customer, "POST", refresh, "").limit(w, 429, writes, `"writes";r=0;t=10`, "10")

		w.get(statusOf).limit(w, 200, reads, `"reads";r=2;t=1`, "")
		w.write("POST", refresh, "").limit(w, 200, writes, `"writes";r=1;t=10`, "")
	})
}

// TestReplaysStayWithTheirCustomer: an operator's Idempotency-Key is one of the customer's.
func TestReplaysStayWithTheirCustomer(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		once := []string{"Idempotency-Key", "order-66"}
		first := w.as(deskKey, customer, "POST", sourcesPath, agentBody(), once...)
		again := w.as(deskKey, customer, "POST", sourcesPath, agentBody(), once...)
		own := w.write("POST", sourcesPath, agentBody(), once...)
		if first.status != 201 || !bytes.Equal(first.body, again.body) || !bytes.Equal(first.body, own.body) {
			w.Errorf("%d %s\n%s\n%s", first.status, first.body, again.body, own.body)
		}
		if a := w.writeAs(otherKey, "GET", sourcesPath, ""); strings.Contains(string(a.body), "harbour") {
			w.Errorf("another customer has %s", a.body)
		}
		other := w.as(deskKey, stranger, "POST", sourcesPath, agentBody(), once...)
		if other.status != 201 || bytes.Equal(other.body, first.body) {
			w.Errorf("for another customer: %d %s", other.status, other.body)
		}
		w.writeAs(otherKey, "GET", sourcesPath+"/harbour-direct", "").ok(t)
		w.as(deskKey, customer, "POST", sourcesPath, agentBody("name", `"Other"`), once...).failure(t, 409, "CONFLICT")
	})
}

// TestConditionsStayWithTheirCustomer: what an operator has read of one customer says nothing about another's
// source of the same id.
func TestConditionsStayWithTheirCustomer(t *testing.T) {
	inWorld(t, setup{sources: []registry.ConfigSource{{CustomerID: stranger, SourceID: source, Name: "The other one"}}}, func(w *world) {
		path := sourcesPath + "/" + source
		tag := w.as(deskKey, customer, "GET", path, "").ok(t).header.Get("ETag")
		if got := w.as(deskKey, customer, "GET", path, "", "If-None-Match", tag).status; got != 304 {
			w.Errorf("the same again: %d", got)
		}
		other := w.as(deskKey, stranger, "GET", path, "", "If-None-Match", tag).ok(t)
		if !strings.Contains(string(other.body), "The other one") || !strings.Contains(other.header.Get("Vary"), customerHeader) {
			w.Errorf("%v %s", other.header, other.body)
		}
		w.as(deskKey, stranger, "PUT", path, `{"name":"Changed"}`, "If-Match", tag).failure(t, 412, "PRECONDITION_FAILED")
		w.as(deskKey, customer, "PUT", path, `{"name":"Changed"}`, "If-Match", tag).ok(t)
		if a := w.writeAs(otherKey, "GET", path, "").ok(t); strings.Contains(string(a.body), "Changed") {
			w.Errorf("another customer's source: %s", a.body)
		}
	})
}

// TestAConsentThatAnOperatorBeginsIsTheCustomers.
func TestAConsentThatAnOperatorBeginsIsTheCustomers(t *testing.T) {
	l := &lagoon{challenges: map[string]string{}}
	inWorld(t, setup{outside: l}, func(w *world) {
		made := readSource(t, w.as(deskKey, customer, "POST", sourcesPath, agentBody(oauthBody...)), 201)
		if page := w.browse(l.consent(t, made.OAuth.AuthorizationURL)); page.status != 200 {
			t.Fatalf("%d %s", page.status, page.body)
		}
		if s := readSource(t, w.get(sourcesPath+"/lagoon-audio"), 200); !s.AuthConfigured {
			t.Errorf("%+v", s)
		}
		w.writeAs(otherKey, "GET", sourcesPath+"/lagoon-audio", "").failure(t, 404, "NOT_FOUND")
	})
}

// TestTheOverviewIsForAllCustomers without the header, for operators alone.
func TestTheOverviewIsForAllCustomers(t *testing.T) {
	inWorld(t, setup{sources: []registry.ConfigSource{{CustomerID: stranger, SourceID: "other-daily", Name: "The other one"}}}, func(w *world) {
		own, other := strconv.Itoa(customer), strconv.Itoa(stranger)
		for name, c := range map[string]struct {
			key, query string
			headers    []string
			want       string // the customers of what is shown
		}{
			"an operator for one":             {wallKey, "", forCustomer(customer), own},
			"an operator for one, of another": {wallKey, "?customerId=" + other, forCustomer(customer), ""},
			"an operator for nobody":          {wallKey, "", forCustomer(999_999), ""},
			"a customer":                      {readKey, "", nil, own},
			"a customer for itself":           {readKey, "", forCustomer(customer), own},
			"a customer, of another":          {readKey, "?customerId=" + other, nil, ""},
		} {
			type overview struct {
				Items []struct{ CustomerID json.Number }
			}
			found := map[string]bool{}
			for _, item := range decode[overview](t, w.send(request("GET", overviewPath+c.query, c.key, "", c.headers...)), 200).Items {
				found[strings.Trim(string(item.CustomerID), `"`)] = true
			}
			if got := strings.Join(slices.Sorted(maps.Keys(found)), " "); got != c.want {
				w.Errorf("%s: %q, want %q", name, got, c.want)
			}
		}
	})
}
