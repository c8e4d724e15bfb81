package gateway_test

import (
	"testing"
)

// TestConnectionsNameTheGatewaysOwnAddresses where the operator wants it so, whatever the sales agent gave.
func TestConnectionsNameTheGatewaysOwnAddresses(t *testing.T) {
	inWorld(t, setup{named: true}, func(w *world) {
		own := w.get(esaOf)
		c := w.connection(own, 200)
		if *c.MCPURL != "https://gateway.example/mcp/"+source || *c.A2AURL != "https://gateway.example/a2a/"+source {
			w.Errorf("addresses of a connection: %s, %s", *c.MCPURL, *c.A2AURL)
		}
		for _, listed := range *decode[[]connection](w, w.get(esaPath), 200) {
			if listed.TenantID == nil && (listed.MCPURL != nil || listed.A2AURL != nil) {
				w.Errorf("a connection without a tenant has addresses: %+v", listed)
			}
		}
		// What a GET shows is what a precondition is about.
		if got := w.write("POST", esaPath+"/"+c.ID+"/deactivate", "", "If-Match", own.header.Get("Etag")); got.status != 200 {
			w.Errorf("a write on the state that was read: %d %s", got.status, got.body)
		} else if off := w.connection(got, 200); *off.MCPURL != *c.MCPURL {
			w.Errorf("the address after a write: %s", *off.MCPURL)
		}
	})
}
