package gateway_test

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"esagate/upstream/upstreamtest"
)

// TestWhoseCredentialsWereRefused: those that come with a request are called new, and those of a test
// of the connection saved.
func TestWhoseCredentialsWereRefused(t *testing.T) {
	const (
		ofNew   = "The ad server refused the new credentials."
		ofSaved = "The ad server refused the saved credentials."
		config  = `{"type":"springserve","email":"ops@harbour.example","password":"CANARY-1"}`
		at      = sourcesPath + "/springserve-ops-harbour-example"
	)
	refusing := func(route upstreamtest.Route, status int) upstreamtest.Fault {
		return upstreamtest.Fault{Only: route, Status: status,
			Body: `{"error":"adapter_invalid_credentials","message":"password=CANARY",
				"details":{"vendor_fault":{"vendor_message":"CANARY"}}}`}
	}
	inWorld(t, setup{}, func(w *world) {
		w.agent.Fault("", refusing(upstreamtest.RouteProvision, 400))
		for _, c := range []*connection{
			w.connection(w.write("POST", esaPath, config), 201), w.connection(w.write("PUT", at+"/ad-server", config), 200),
		} {
			if c.ProvisioningStatus != "failed" || *c.LastError != ofNew {
				w.Errorf("%s, %q", c.ProvisioningStatus, *c.LastError)
			}
		}
		w.agent.Fault("", upstreamtest.Fault{})
		w.connection(w.write("PUT", at+"/ad-server", config), 200)

		w.agent.Fault("", refusing(upstreamtest.RoutePutAdapterConfig, 400))
		for _, path := range []string{"/ad-server", "/adapter-config"} {
			e := w.write("PUT", at+path, config).failure(w, 400, "VALIDATION_ERROR")
			if e.Message != ofNew || e.Details.Issues[0].Message != ofNew || e.Details.ErrorCode != "ADAPTER_INVALID_CREDENTIALS" {
				w.Errorf("%s: %+v", path, e)
			}
			if c := w.connection(w.get(at+"/esa"), 200); *c.LastError != ofNew {
				w.Errorf("%s: noted is %q", path, *c.LastError)
			}
		}

		w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteTestConnection,
			Body: `{"success":false,"error":"password=CANARY","error_code":"invalid_credentials","tested_at":"2026-01-02T03:04:05Z"}`})
		result := decode[struct{ Error string }](w, w.write("POST", at+"/test-connection", ""), 200)
		if c := w.connection(w.get(at+"/esa"), 200); result.Error != ofSaved || *c.LastError != ofSaved {
			w.Errorf("a test says %q, and noted is %q", result.Error, *c.LastError)
		}
	})
}

// TestTheTimeOfATest: lastTestedAt is exactly the testedAt of the last test's answer, at every replica.
func TestTheTimeOfATest(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		type times struct{ TestedAt, LastTestedAt string }
		const at = sourcesPath + "/" + source
		for name, c := range map[string]struct{ upstream, want string }{
			"in another zone": {`"2026-01-02T03:04:05.250000+01:00"`, "2026-01-02T02:04:05.250000Z"},
			"of no fraction":  {`"2026-01-02T03:04:05Z"`, "2026-01-02T03:04:05Z"},
			"of nanoseconds":  {`"2026-01-02 03:04:05.123456789"`, "2026-01-02T03:04:05.123456789Z"},
			"ahead of ours":   {`"2126-01-02T03:04:05Z"`, "2126-01-02T03:04:05Z"},
			"unreadable":      {`"yesterday"`, ""},
		} {
			w.named(name, func(t testing.TB) {
				w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteTestConnection, Delay: 1234567 * time.Microsecond,
					Body: `{"success":true,"tested_at":` + c.upstream + `}`})
				w.pass(time.Minute)
				want := cmp.Or(c.want, time.Now().UTC().Truncate(time.Millisecond).Format("2006-01-02T15:04:05.999Z"))
				answered := decode[times](t, w.write("POST", at+"/test-connection", ""), 200).TestedAt
				if answered != want {
					t.Errorf("answered %s, want %s", answered, want)
				}
				other := w.replica()
				defer other.stop()
				for _, w := range []*world{w, other} {
					if got := decode[times](t, w.get(at+"/esa"), 200).LastTestedAt; got != answered {
						t.Errorf("lastTestedAt %s, answered %s", got, answered)
					}
				}
			})
		}
	})
}

// TestWhatAnAdServerSaid: of a failed test its words are shown, and not what it was asked.
func TestWhatAnAdServerSaid(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		login, _ := w.connected("harbour")
		for at, c := range map[string]struct {
			outcome      upstreamtest.Outcome
			status       any
			vendor, ends string
		}{
			source: {upstreamtest.PermissionDenied, nil, "google_ad_manager", "[PermissionError.PERMISSION_DENIED @ ]"},
			login:  {upstreamtest.InvalidCredentials, 401.0, "springserve", ": HTTP 401"},
		} {
			w.agent.AdServer("", upstreamtest.Probe{Outcome: c.outcome})
			type details struct{ VendorFault map[string]any }
			result := decode[struct {
				Details          details
				CapabilityChecks []struct{ Details details }
			}](w, w.write("POST", sourcesPath+"/"+at+"/test-connection", ""), 200)
			for _, d := range []details{result.Details, result.CapabilityChecks[0].Details} {
				said := d.VendorFault
				words, _ := said["vendorMessage"].(string)
				if said["vendor"] != c.vendor || said["phase"] == nil || said["vendorStatus"] != c.status ||
					!strings.HasSuffix(words, c.ends) || said["endpoint"] != nil || said["gam"] != nil {
					w.Errorf("%s: %+v", at, said)
				}
			}
		}
	})
}
