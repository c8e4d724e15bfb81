package gateway

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientOf gives the address that a request came from: the peer's, or where that is a trusted
// proxy, what the proxy says. Of X-Forwarded-For, which each proxy appends its peer to, the
// last address counts that is not a trusted proxy's: what stands before it is hearsay. At
// anything that is no address the walk ends with the proxy that passed it on. Without an
// address of the peer's it is the zero Addr.
func clientOf(r *http.Request, trusted []netip.Prefix) netip.Addr {
	client := parseClient(r.RemoteAddr)
	if !isTrusted(client, trusted) {
		return client
	}
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for more := true; more; {
			last := line
			i := strings.LastIndexByte(line, ',')
			if more = i >= 0; more {
				line, last = line[:i], line[i+1:]
			}
			next := parseClient(strings.Trim(last, " \t"))
			if !next.IsValid() {
				return client
			}
			client = next
			if !isTrusted(client, trusted) {
				return client
			}
		}
	}
	return client
}

// parseClient reads an address, with or without a port; the zero Addr: it is none.
func parseClient(s string) netip.Addr {
	if len(s) > len("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255%interface-of-some-name]:65535") {
		return netip.Addr{}
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	if a, err := netip.ParseAddr(bare); err == nil {
		return a.Unmap().WithZone("")
	}
	if p, err := netip.ParseAddrPort(s); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
}
