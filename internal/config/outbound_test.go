package config_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"esagate/internal/config"
)

func TestOutboundAllow(t *testing.T) {
	c := load(t, "", "ESAGATE_OUTBOUND_ALLOW=10.4.0.0/16,10.4.0.9,fd12::/64,FD12::0009,127.0.0.0/8,169.254.169.254,"+
		"169.254.0.0/16,fe80::/10")
	const want = "[10.4.0.0/16 10.4.0.9/32 fd12::/64 fd12::9/128 127.0.0.0/8 169.254.169.254/32 169.254.0.0/16 fe80::/10]"
	if got := fmt.Sprint(c.Outbound.Allow); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestOutboundAllowIsBounded(t *testing.T) {
	list := func(n int) string { return "ESAGATE_OUTBOUND_ALLOW=" + strings.Repeat("10.0.0.1,", n) }
	if c := load(t, "", list(100)); len(c.Outbound.Allow) != 100 {
		t.Errorf("%d entries", len(c.Outbound.Allow))
	}
	expectFaults(t, faultsOf(t, "", list(101)), "outbound.allow: must have at most 100 entries (set by ESAGATE_OUTBOUND_ALLOW)")
}

// A wide entry leaves out the link-local range and nothing else; only an entry of
// its own lets it in.
func TestLinkLocalAddressesMustBeNamed(t *testing.T) {
	allows := func(c *config.Config, address string) bool {
		return slices.ContainsFunc(c.Outbound.Allow, func(p netip.Prefix) bool { return p.Contains(netip.MustParseAddr(address)) })
	}
	metadata := []string{"169.254.169.254", "169.254.0.0", "169.254.255.255", "fe80::a9fe:a9fe", "febf:ffff::1"}
	around := []string{"0.0.0.0", "169.253.255.255", "169.255.0.0", "255.255.255.255", "::", "fe7f:ffff::1", "fec0::", "ffff::1"}
	for _, entries := range []string{"0.0.0.0/0,::/0", "0.0.0.0/1,128.0.0.0/1,::/1,8000::/1", "0.0.0.0/0,::/0,10.0.0.0/8"} {
		c := load(t, "", "ESAGATE_OUTBOUND_ALLOW="+entries)
		for _, address := range around {
			if !allows(c, address) {
				t.Errorf("%s: %s is not allowed", entries, address)
			}
		}
		for _, address := range metadata {
			if allows(c, address) {
				t.Errorf("%s: %s is allowed", entries, address)
			}
		}
	}
	named := load(t, "", "ESAGATE_OUTBOUND_ALLOW=0.0.0.0/0,169.254.169.254")
	if !allows(named, "169.254.169.254") || allows(named, "169.254.169.253") {
		t.Error("what is named beside a wide entry is not what is allowed")
	}
}
