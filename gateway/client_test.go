package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"esagate/internal/ratelimit"
)

var testProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("192.0.2.9/32")}

func TestWhereARequestCameFrom(t *testing.T) {
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		want      string
	}{
		"a peer":                          {"203.0.113.5:1234", nil, "203.0.113.5"},
		"IPv6":                            {"[2001:db8:1:2:3::4]:1234", nil, "2001:db8:1:2::"},
		"IPv6 of the same network":        {"[2001:db8:1:2:ffff::9]:1", nil, "2001:db8:1:2::"},
		"IPv4 in IPv6":                    {"[::ffff:203.0.113.5]:1234", nil, "203.0.113.5"},
		"an interface":                    {"[fe80::1%eth0]:1234", nil, "fe80::"},
		"no address":                      {"@", nil, "invalid IP"},
		"a stranger's word":               {"203.0.113.5:1", []string{"198.51.100.1"}, "203.0.113.5"},
		"a proxy without a word":          {"10.0.0.1:1", nil, "10.0.0.1"},
		"a proxy":                         {"10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"a proxy in IPv6 form":            {"[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		"an IPv6 proxy":                   {"[fd00::1]:1", []string{"2001:db8::1"}, "2001:db8::"},
		"what the client wrote before":    {"10.0.0.1:1", []string{"192.0.2.1, 10.9.9.9, 198.51.100.1"}, "198.51.100.1"},
		"two proxies":                     {"10.0.0.1:1", []string{"192.0.2.1, 198.51.100.1 , 10.0.0.2"}, "198.51.100.1"},
		"two headers":                     {"10.0.0.1:1", []string{"192.0.2.1", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		"the last header alone trusted":   {"10.0.0.1:1", []string{"192.0.2.1,198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
		"trusted all along":               {"10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"a port":                          {"10.0.0.1:1", []string{"198.51.100.1:8080"}, "198.51.100.1"},
		"brackets":                        {"10.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::"},
		"brackets and a port":             {"10.0.0.1:1", []string{"[2001:db8::1]:443"}, "2001:db8::"},
		"rubbish":                         {"10.0.0.1:1", []string{"198.51.100.1, unknown"}, "10.0.0.1"},
		"rubbish before a proxy":          {"10.0.0.1:1", []string{"198.51.100.1, _hidden, 10.0.0.2"}, "10.0.0.2"},
		"nothing":                         {"10.0.0.1:1", []string{""}, "10.0.0.1"},
		"commas":                          {"10.0.0.1:1", []string{"198.51.100.1,,"}, "10.0.0.1"},
		"a name":                          {"10.0.0.1:1", []string{"client.example"}, "10.0.0.1"},
		"another way to write an address": {"10.0.0.1:1", []string{"0306.063.0144.01"}, "10.0.0.1"},
		"a number":                        {"10.0.0.1:1", []string{"3325256705"}, "10.0.0.1"},
		"half a bracket":                  {"10.0.0.1:1", []string{"[2001:db8::1"}, "10.0.0.1"},
		"control characters":              {"10.0.0.1:1", []string{"198.51.100.1\x00"}, "10.0.0.1"},
		"very long":                       {"10.0.0.1:1", []string{strings.Repeat("1", 1<<15)}, "10.0.0.1"},
		"a proxy by its one address":      {"192.0.2.9:1", []string{"198.51.100.1"}, "198.51.100.1"},
		"its neighbour":                   {"192.0.2.10:1", []string{"198.51.100.1"}, "192.0.2.10"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := ratelimit.Network(clientOf(r, testProxies)).String(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// Whatever a client writes, and however many addresses of proxies, its own address is what
// counts once the proxy has appended it; and nobody's word counts without a proxy.
func FuzzForwardedFor(f *testing.F) {
	for _, s := range []string{"", ",", "10.0.0.1", "198.51.100.1, 10.0.0.2", "[::1]:80,\t", "unknown", "\xff", "::ffff:10.0.0.1%x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, written string) {
		own := netip.MustParseAddr("203.0.113.5")
		for _, forwarded := range [][]string{{written + ", 203.0.113.5"}, {written, "203.0.113.5"}, {written, "203.0.113.5, 10.0.0.7"}} {
			r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": forwarded}}
			if got := clientOf(r, testProxies); got != own {
				t.Errorf("%q: %s", forwarded, got)
			}
		}
		r := &http.Request{RemoteAddr: "203.0.113.5:1", Header: http.Header{"X-Forwarded-For": {written}}}
		if got := clientOf(r, testProxies); got != own {
			t.Errorf("%q without a proxy: %s", written, got)
		}
	})
}
