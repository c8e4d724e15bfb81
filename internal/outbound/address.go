package outbound

import (
	"net/netip"
	"syscall"

	"code.dny.dev/ssrf"
)

// addresses says which IP addresses may be asked: the public ones by IANA's
// registries, and those that the operator allows.
//
// Any port may be asked: the contract limits none, agents do stand on others than
// 443, nothing behind a public address is the gateway's own, and before a server has
// shown a certificate for its name it is sent nothing but a TLS greeting.
type addresses struct{ guardian *ssrf.Guardian }

func newAddresses(allow []netip.Prefix) addresses {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return addresses{ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))}
}

// permits reports whether an address may be asked. None with a zone may, nor an
// IPv6 one that stands for an IPv4 one; the exception is NAT64, where the operator
// allows its prefix: then what it stands for must be good too.
func (a addresses) permits(ip netip.Addr) bool {
	if ip.Is4In6() {
		return false
	}
	if ssrf.IPv6NAT64Prefix.Contains(ip) {
		b := ip.As16()
		if !a.permits(netip.AddrFrom4([4]byte(b[12:]))) {
			return false
		}
	}
	return a.guardian.SafeAddr(ip) == nil
}

// control is for net.Dialer: it is called with each address in turn, after names
// have been resolved and before anything is sent.
func (a addresses) control(network, address string, conn syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !a.permits(to.Addr()) || a.guardian.Safe(network, address, conn) != nil {
		return ErrNotPublic // the library's error names the address
	}
	return nil
}
