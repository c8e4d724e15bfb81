package config

import "net/netip"

type outboundSection struct {
	Allow []string `config:"allow" rule:"prefix"`
}

// linkLocal are the ranges in which clouds hand out the machine's own credentials
// (169.254.169.254 and the like).
var linkLocal = []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")}

// outbound reads the list of addresses and prefixes.
func (l *loader) outbound(entries []string) []netip.Prefix {
	var out []netip.Prefix
	for i, entry := range entries {
		p, problem := parsePrefix(entry)
		if problem != "" {
			continue // said by its rule
		}
		if p.Bits() == 0 {
			l.warn(item("outbound.allow", i), "allows every address of its kind but the link-local ones: "+
				"callers reach whatever this machine reaches")
		}
		out = append(out, withoutLinkLocal(p)...)
	}
	return out
}

// Proxies gives the trusted proxies.
func (s Server) Proxies() []netip.Prefix {
	out := make([]netip.Prefix, 0, len(s.TrustedProxies))
	for _, entry := range s.TrustedProxies {
		if p, problem := parsePrefix(entry); problem == "" { // else a fault, by its rule
			out = append(out, p)
		}
	}
	return out
}

func prefix(s string, _ int) string {
	_, problem := parsePrefix(s)
	return problem
}

// parsePrefix reads an address as the prefix of itself alone.
func parsePrefix(s string) (netip.Prefix, string) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		ip, err := netip.ParseAddr(s)
		if err != nil || ip.Zone() != "" {
			return p, "must be an IP address or a prefix such as 10.20.0.0/16"
		}
		p = netip.PrefixFrom(ip, ip.BitLen())
	}
	switch {
	case p.Addr().Is4In6():
		return p, "must write an IPv4 address in its own form, such as 10.20.0.1"
	case p != p.Masked():
		return p, "names an address inside of the prefix; write the prefix's first address, or the address alone"
	}
	return p, ""
}

// withoutLinkLocal takes the link-local range out of a prefix that is wider: of each halving on the
// way to the range, the other half is left.
func withoutLinkLocal(p netip.Prefix) (left []netip.Prefix) {
	for _, l := range linkLocal {
		if !p.Overlaps(l) || p.Bits() >= l.Bits() {
			continue
		}
		for bits := p.Bits() + 1; bits <= l.Bits(); bits++ {
			other := l.Addr().AsSlice()
			other[(bits-1)/8] ^= 0x80 >> ((bits - 1) % 8)
			half, _ := netip.AddrFromSlice(other)
			left = append(left, netip.PrefixFrom(half, bits).Masked())
		}
		return left
	}
	return []netip.Prefix{p}
}
