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

func TestConnectionsToSpecialAddressesAreRefused(t *testing.T) {
	c := newClient(t, outbound.Options{})
	for _, ip := range special {
		a := netip.MustParseAddr(ip)
		network := "tcp6"
		if a.Is4() {
			network = "tcp4"
		}
		if err := c.Control(network, netip.AddrPortFrom(a, 443).String()); err != outbound.ErrNotPublic {
			t.Errorf("%s: %v", ip, err)
		}
	}
	for address, network := range map[string]string{
		"[fe80::1%eth0]:443": "tcp6", "[2606:2800::1%eth0]:443": "tcp6", // with zones
		"93.184.216.34:53": "udp4", "/run/agent.sock": "unix", "agent.example.com:443": "tcp4", "": "tcp4",
	} {
		if err := c.Control(network, address); err != outbound.ErrNotPublic {
			t.Errorf("%s %s: %v", network, address, err)
		}
	}
	for address, network := range map[string]string{
		"93.184.216.34:443": "tcp4", "93.184.216.34:8443": "tcp4", "100.63.255.255:443": "tcp4", "172.32.0.1:443": "tcp4",
		"[2606:2800:220:1:248:1893:25c8:1946]:443": "tcp6",
	} {
		if err := c.Control(network, address); err != nil {
			t.Errorf("%s %s: %v", network, address, err)
		}
	}
}

func TestConnectionsToAllowedAddresses(t *testing.T) {
	c := newClient(t, outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("::/0")}})
	for address, want := range map[string]error{
		"10.20.0.1:443": nil, "10.21.0.1:443": outbound.ErrNotPublic,
		"[fd00::1]:443": nil, "[64:ff9b::10.20.0.1]:443": nil,
		"[64:ff9b::10.21.0.1]:443": outbound.ErrNotPublic, "[::ffff:10.21.0.1]:443": outbound.ErrNotPublic,
	} {
		network := "tcp4"
		if address[0] == '[' {
			network = "tcp6"
		}
		if err := c.Control(network, address); err != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestNamesOfSpecialAddressesAreRefused resolves and dials in earnest.
func TestNamesOfSpecialAddressesAreRefused(t *testing.T) {
	ipv6 := false
	if l, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		ipv6 = l.Close() == nil
	}
	sets := map[string][]string{}
	for i, ip := range special {
		a := netip.MustParseAddr(ip)
		if a.Is6() && !a.Is4In6() && !ipv6 {
			t.Logf("%s is not dialled: this system has no IPv6", ip)
			continue
		}
		if ip == "::ffff:8.8.8.8" {
			continue // in an answer of DNS it is 8.8.8.8, which may be dialled
		}
		sets[fmt.Sprintf("n%d.agents.test", i)] = []string{ip}
	}
	c := newClient(t, outbound.Options{}.WithResolver(resolve(t, sets)))
	for name, ip := range sets {
		if _, _, err := get(t, c, "https://"+name+"/"); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("%s: %v", ip, err)
		}
	}
}
