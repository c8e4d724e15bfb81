package operations_test

import (
	"strings"
	"testing"

	"esagate/internal/operations"
	"esagate/registry"
)

// TestOrderOfRefusals puts everything wrong at once, and mends it in the order of contract 12.8. Nobody is asked.
func TestOrderOfRefusals(t *testing.T) {
	inWorld(t, func(w *world) {
		w.change("isle", func(c *registry.Connection) { c.Provisioning = registry.StatusDeactivated })
		for _, c := range []struct {
			operation, source, query, body string
			vars                           []string
			want                           string
		}{
			{"updateEsaSignal", "unplanned", "x=1", "", []string{"signalId", "."}, "409 NOT_PROVISIONED"},
			{"listEsaGamAdvertisers", "unplanned", "", "", nil, "409 NOT_PROVISIONED"},
			{"updateEsaSignal", "isle", "x=1", "", []string{"signalId", "."}, "404 SOURCE_DEACTIVATED"},
			{"listEsaGamAdvertisers", "cliff", "limit=0", "", nil, "400 AD_SERVER_NOT_SUPPORTED esaId: This is for sources on Google Ad Manager alone."},
			{"createEsaBuyerAdvertiserMapping", "dune", "", "", nil, "400 AD_SERVER_NOT_SUPPORTED esaId: This is for sources on Google Ad Manager alone."},
			{"updateEsaProduct", "coast", "x=1", `{"name":""}`, []string{"productId", ".."}, "400 productId: productId can't be an id. query: There is a query parameter that this operation does not know. " +
				"name: name can't be empty. inventory: inventory is required."},
			{"updateEsaProduct", "coast", "x=1", `{`, []string{"productId", "ok"}, "400 query: There is a query parameter that this operation does not know."},
			{"updateEsaProduct", "coast", "", `{`, []string{"productId", "ok"}, "400 bad"},
			{"updateEsaProduct", "coast", "", ``, []string{"productId", "ok"}, "400 bad"},
			{"deleteEsaProduct", "coast", "", `{"force":true}`, []string{"productId", "ok"}, "400 body: This takes no body, or an empty object."},
			{"deleteEsaProduct", "coast", "", `[]`, []string{"productId", "ok"}, "400 bad"},
		} {
			_, _, err := w.do(c.operation, w.request(c.source, c.query, c.body, c.vars...))
			if got := told(err); got != c.want {
				t.Errorf("%s of %s\ngives %s\nwant  %s", c.operation, c.source, got, c.want)
			}
			w.wantCalls(0)
		}
		for _, source := range []string{"isle", "cliff"} { // no catalog, and of any ad server
			_, _, _ = w.do("listEsaMediaBuys", w.request(source, "", ""))
			w.wantCalls(1)
		}
	})
}

func TestIDs(t *testing.T) {
	const no = "400 productId: productId can't be an id."
	inWorld(t, func(w *world) {
		w.answers(404, `{"error":"wholesale_product_not_found","message":"no"}`)
		for _, c := range []struct{ operation, name, id, want string }{
			{"getEsaProduct", "productId", "a%20b%C3%A9+;", "/wholesale-products/a%20b%C3%A9+%3B"},
			{"getEsaProduct", "productId", "a%252Fb", "/wholesale-products/a%252Fb"},
			{"getEsaProduct", "productId", "...", "/wholesale-products/..."},
			{"getEsaProduct", "productId", "%2E%2E", no},
			{"getEsaProduct", "productId", ".", no},
			{"getEsaProduct", "productId", "a%2Fb", no},
			{"getEsaProduct", "productId", "a%5Cb", no},
			{"getEsaProduct", "productId", "a%00", no},
			{"getEsaProduct", "productId", "a%0A", no},
			{"getEsaProduct", "productId", "a%7F", no},
			{"getEsaProduct", "productId", "a%FF", no},
			{"getEsaProduct", "productId", "", no},
			{"getEsaProduct", "productId", "a%", "400 productId: productId is not properly percent-encoded."},
			{"getEsaProduct", "productId", strings.Repeat("x", 101), "400 productId: productId is longer than 100 characters."},
			{"getEsaProduct", "productId", strings.Repeat("%C3%A9", 100), "/wholesale-products/" + strings.Repeat("%C3%A9", 100)},
			{"deleteEsaBuyerAdvertiserMapping", "mappingId", strings.Repeat("x", 41), "400 mappingId: mappingId is longer than 40 characters."},
			{"getEsaSignal", "signalId", "candidates", "400 signalId: signalId can't be an id."},
			{"deleteEsaSignal", "signalId", "%63andidates", "400 signalId: signalId can't be an id."},
			{"deleteEsaSignal", "signalId", "adapter-capabilities", "400 signalId: signalId can't be an id."},
			{"getEsaSignal", "signalId", "kv.tide", "400 signalId: signalId can't be an id."},
			{"getEsaSignal", "signalId", strings.Repeat("x", 201), "400 signalId: signalId can't be an id."},
		} {
			_, _, err := w.do(c.operation, w.request("coast", "", "", c.name, c.id))
			got := told(err)
			if calls := w.calls(); len(calls) == 1 {
				_, got, _ = strings.Cut(calls[0], " ")
			}
			if got != c.want {
				t.Errorf("%s of %.30q gives %s, want %s", c.operation, c.id, got, c.want)
			}
		}
	})
}

func TestChanges(t *testing.T) {
	for _, c := range []struct {
		operation, query, body string
		want                   bool
	}{
		{"listEsaSignals", "", "", false},
		{"createEsaSignal", "", "{}", true},
		{"createEsaSignal", "dry_run=false", "{}", true},
		{"createEsaSignal", "dry_run=true", "{}", false},
		{"updateEsaSignal", "dryRun=true", "{}", false},
		{"deleteEsaSignal", "dry_run=true", "", true},
		{"ensureEsaGamAdvertiser", "dry_run=true", `{"name":"a","dryRun":"true"}`, true},
		{"ensureEsaGamAdvertiser", "", `{"inner":{"dryRun":true}}`, true},
		{"ensureEsaGamAdvertiser", "", `{"name":"a","dryRun":true}`, false},
		{"ensureEsaGamAdvertiser", "", `[`, true},
		{"validateEsaProduct", "", `{}`, false},
		{"patchEsaProduct", "", `{"dryRun":true}`, true},
	} {
		if got := find(t, c.operation).Changes(operations.Request{Query: c.query, Body: []byte(c.body)}); got != c.want {
			t.Errorf("%s?%s %s changes: %t", c.operation, c.query, c.body, got)
		}
	}
}
