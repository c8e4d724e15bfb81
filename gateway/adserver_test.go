package gateway_test

import (
	"strings"
	"testing"

	"esagate/gateway"
	"esagate/internal/operations"
)

// adServerOf is below the connection of the world's source.
const adServerOf = esaPath + "/1000"

// adServerPath fills in a row's path.
func adServerPath(o *operations.Operation) string {
	return strings.NewReplacer("{esaId}", "1000", "{signalId}", "kv_weather", "{productId}", "meadow_mpu",
		"{mappingId}", "7", "{mediaBuyId}", "mb_17").Replace(o.Path)
}

// What the table names letter for letter is no id, whatever the method.
func TestPathsBesideIDs(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for path, allow := range map[string]string{
			"/signals/candidates":           "GET, HEAD",
			"/signals/adapter-capabilities": "GET, HEAD",
			"/signals":                      "GET, HEAD, POST",
			"/signals/kv_weather":           "DELETE, GET, HEAD, PUT",
			"/products:validate":            "POST",
			"/products/meadow_mpu":          "DELETE, GET, HEAD, PATCH, PUT",
			"/products":                     "GET, HEAD, POST",
			"/gam/advertisers":              "GET, HEAD",
			"/gam/advertisers/ensure":       "POST",
			"/gam/default-advertiser":       "PUT",
			"/default-advertiser":           "PUT",
			"/axe-keys":                     "PUT",
			"/sandbox-account":              "GET, HEAD",
			"/sandbox-account/ensure":       "POST",
		} {
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"} {
				if strings.Contains(", "+allow+",", ", "+method+",") {
					continue
				}
				a := w.write(method, adServerOf+path, "")
				if a.status != 405 || a.header.Get("Allow") != allow {
					w.Errorf("%s %s: %d, Allow %q", method, path, a.status, a.header.Get("Allow"))
				}
			}
		}
		for _, path := range []string{"/product", "/products:check", "/signals/kv_weather/more", "/products/", "/media-buys/mb_17/notes"} {
			w.write("GET", adServerOf+path, "").failure(t, 404, "NOT_FOUND")
		}
		if n := w.agent.Calls(""); n != 0 {
			w.Errorf("the sales agent was called %d times", n)
		}
	})
}

func TestAdServerOperationsAreInTheRouteTable(t *testing.T) {
	routes := map[string]gateway.Route{}
	for _, route := range gateway.Routes() {
		routes[route.Operation] = route
	}
	if n := len(operations.Table()); n != 34 {
		t.Errorf("there are %d", n)
	}
	for _, o := range operations.Table() {
		if route := routes[o.ID]; route.Method != o.Method || route.Path != o.Path {
			t.Errorf("%s is at %s %s", o.ID, route.Method, route.Path)
		}
	}
}
