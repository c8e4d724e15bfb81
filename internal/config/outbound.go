package config

import (
	"net/netip"
	"slices"
)

type outboundSection struct {
	Allow []string `config:"allow" most:"100"`
}

// linkLocal are the ranges in which clouds answer who asks with the machine's own
// credentials (169.254.169.254 and the like).
var linkLocal = []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10")}

// outbound reads the list of addresses and prefixes.
func (l *loader) outbound(entries []string) []netip.Prefix {
	var out []netip.Prefix
	for i, entry := range entries {
		at := item("outbound.allow", i)
		if !l.good(at) {
			continue
		}
		p, problem := parsePrefix(entry)
		if problem != "" {
			l.add(at, "%s", problem)
			continue
		}
		if p.Bits() == 0 {
			l.warn(at, "allows every address of its kind but the link-local ones: callers reach whatever this machine reaches")
		}
		out = append(out, withoutLinkLocal(p)...)
	}
	return out
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

// withoutLinkLocal takes the link-local range out of a prefix that is wider: it is
// cut in halves until each half lies in the range or beside it.
func withoutLinkLocal(p netip.Prefix) []netip.Prefix {
	if !slices.ContainsFunc(linkLocal, func(l netip.Prefix) bool { return p.Overlaps(l) && p.Bits() < l.Bits() }) {
		return []netip.Prefix{p}
	}
	bytes := p.Addr().AsSlice()
	low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
	bytes[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	upper, _ := netip.AddrFromSlice(bytes)
	high := netip.PrefixFrom(upper, p.Bits()+1)
	var out []netip.Prefix
	for _, half := range []netip.Prefix{low, high} {
		if !slices.Contains(linkLocal, half) {
			out = append(out, withoutLinkLocal(half)...)
		}
	}
	return out
}
