package gateway_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"esagate/gateway"
)

const customerHeader = "Esagate-Customer"

// forCustomer is the header by which an operator's request is for a customer.
func forCustomer(id int64) []string { return []string{customerHeader, strconv.FormatInt(id, 10)} }

// forAll are the operations in which an operator need not name a customer.
var forAll = []string{"getOverview", "followEvents"}

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
			if route.Method != "GET" {
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
