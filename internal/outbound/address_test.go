package outbound_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"esagate/internal/outbound"
)

// special are addresses that are not public, among them IPv6 ones that stand for
// IPv4 ones.
var special = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254",
	"169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1",
	"192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9",
	"224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
	"::", "::1", "fe80::1", "febf::1", "fc00::1", "fd12:3456::1", "fd00:ec2::254", "ff02::1", "fec0::1", "100::1", "5f00::1",
	"2001:db8::1", "2001:10::1", "2001:20::1", "2001:2::1", "3fff::1", "4000::1",
	"::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8", // IPv4-mapped
	"::127.0.0.1", "::8.8.8.8", // IPv4-compatible
	"64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::10.0.0.1", // NAT64
	"2002:7f00:1::1", "2002:a00:1::1", "2002:808:808::1", // 6to4
	"2001:0:4136:e378:8000:63bf:3fff:fdd2", // Teredo
}

// TestNamesOfSpecialAddressesAreRefused resolves and dials in earnest.
func TestNamesOfSpecialAddressesAreRefused(t *testing.T) {
	ipv6 := false
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		ipv6 = l.Close() == nil
	}
	names := map[string]string{"localhost": "", "mixed.example.com": "127.0.0.2 127.0.0.3 ::1"}
	for i, ip := range special {
		a := netip.MustParseAddr(ip)
		if a.Is6() && !a.Is4In6() && !ipv6 {
			t.Logf("%s is not dialled: this system has no IPv6", ip)
			continue
		}
		if ip == "::ffff:8.8.8.8" {
			continue // in an answer of DNS it is 8.8.8.8, which may be dialled
		}
		names[fmt.Sprintf("n%d.example.com", i)] = ip
	}
	resolver, _ := resolve(t, names)
	c := newClient(t, outbound.Options{}.WithResolver(resolver))
	for name, ip := range names {
		if got := c.CheckURL("https://" + name + "/"); got != "" {
			t.Errorf("%s: %s", name, got)
		}
		if _, _, err := get(t, c, "https://"+name+"/"); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("%s, %s: %v", name, ip, err)
		}
	}
}
