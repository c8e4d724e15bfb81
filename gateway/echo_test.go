package gateway_test

import (
	"os"
	"strings"
	"testing"

	"esagate/upstream/upstreamtest"
)

// TestCredentialsAreNotRepeated: a sales agent that puts what it was given into its
// answers does not make the gateway do so, nor its logs or its database.
func TestCredentialsAreNotRepeated(t *testing.T) {
	const secret = "Kittiwake2"
	for name, f := range map[string]upstreamtest.Fault{
		"by the ad server": {Status: 400, Code: "adapter_invalid_credentials"},
		"by a sentence":    {Status: 400, Shape: upstreamtest.ShapeProblem},
		"by a list":        {Status: 422},
		"by a conflict":    {Status: 409, Shape: upstreamtest.ShapeProblem},
		"by a failure":     {Status: 500, Shape: upstreamtest.ShapeProblem},
	} {
		t.Run(name, func(t *testing.T) {
			database := t.TempDir() + "/registry.db"
			inWorld(t, setup{database: database}, func(w *world) {
				w.connected("harbour")
				f.Echo, f.Only = true, upstreamtest.RouteProvision
				w.agent.Fault("", f)
				config := `{"type":"springserve","email":"ops@harbour.example","password":"` + secret + `"}`
				at := "/api/v2/storefront/inventory-sources/"
				w.write("POST", esaPath, strings.Replace(config, "{", `{"name":"Pier",`, 1))
				f.Only = upstreamtest.RoutePutAdapterConfig
				w.agent.Fault("", f)
				w.write("PUT", at+"harbour/adapter-config", config)
				w.get(at + "harbour/esa")
				w.get(at + "pier/esa")
				w.get(esaPath)
				for where, text := range map[string]string{"an answer": w.seen.String(), "a log line": w.logs.String()} {
					if strings.Contains(strings.ToLower(text), strings.ToLower(secret)) {
						w.Errorf("the password stands in %s: %s", where, text)
					}
				}
			})
			for _, file := range []string{database, database + "-wal"} {
				kept, err := os.ReadFile(file)
				if err != nil && !os.IsNotExist(err) {
					t.Fatal(err)
				}
				if strings.Contains(string(kept), secret) {
					t.Errorf("the password stands in %s", file)
				}
			}
		})
	}
}
