package outbound

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// MaxURL is how long a URL may be, in code points (contract 6.1).
const MaxURL = 2048

// urlFault is what is wrong with a URL: a sentence for clients, and an error.
type urlFault struct {
	sentence string
	err      error
}

var (
	tooLong      = &urlFault{"The URL must be at most " + strconv.Itoa(MaxURL) + " characters long.", ErrURL}
	unprintable  = &urlFault{"The URL must not hold spaces, control characters or broken UTF-8.", ErrURL}
	malformed    = &urlFault{"The URL must be an absolute https:// URL with a host.", ErrURL}
	notHTTPS     = &urlFault{"The URL must begin with https://.", ErrNotHTTPS}
	hasUser      = &urlFault{"The URL must not hold a user name or password.", ErrURL}
	hasFragment  = &urlFault{"The URL must not hold a fragment.", ErrURL}
	badPort      = &urlFault{"The URL's port must be a number from 1 to 65535.", ErrURL}
	badHost      = &urlFault{"The URL's host must be a domain name or an IP address in its usual form.", ErrURL}
	notPublicURL = &urlFault{"The URL's IP address must be a public one.", ErrNotPublic}
)

// CheckURL says what is wrong with a URL that a caller supplies, in one sentence for
// clients that never repeats any of it; "" is good. A host that is a name is not
// looked up: what it stands for is checked whenever it is connected to.
func (c *Client) CheckURL(raw string) string {
	if fault := c.addresses.check(raw); fault != nil {
		return fault.sentence
	}
	return ""
}

// check gives nil for a URL that may be asked, as far as that can be told from it.
func (a addresses) check(raw string) *urlFault {
	switch {
	case len(raw) > MaxURL*utf8.UTFMax || utf8.RuneCountInString(raw) > MaxURL:
		return tooLong
	case !utf8.ValidString(raw), strings.ContainsFunc(raw, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }):
		return unprintable
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return malformed
	case u.Scheme != "" && u.Scheme != "https":
		return notHTTPS
	case u.User != nil:
		return hasUser
	case u.Scheme == "" || u.Hostname() == "":
		return malformed
	case strings.Contains(raw, "#"): // never sent: no part of what is asked (RFC 9110 §7.1), and no endpoint of OAuth may have one
		return hasFragment
	}
	if fault := a.checkHost(u); fault != nil {
		return fault
	}
	if port := u.Port(); port != "" || strings.HasSuffix(u.Host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return badPort
		}
	}
	return nil
}

// hostName is what DNS resolves: letters, digits, hyphens, and the underscores that
// some have in practice.
var hostName = regexp.MustCompile(`^(?:` + label + `\.)*` + label + `$`)

const label = `[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?`

const maxHostName = 253 // bytes, the last dot not counted

// checkHost looks at the host as net/http will: it puts a name that is not ASCII
// into its ASCII form, in which it may turn out to be an address.
func (a addresses) checkHost(u *url.URL) *urlFault {
	host := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		ip, err := netip.ParseAddr(host)
		switch {
		case err != nil || !ip.Is6() || ip.Zone() != "":
			return badHost
		case !a.permits(ip):
			return notPublicURL
		}
		return nil
	}
	if strings.ContainsFunc(host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		ascii, err := idna.Lookup.ToASCII(host)
		if err != nil {
			return badHost
		}
		host = ascii
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is4() {
		if !a.permits(ip) {
			return notPublicURL
		}
		return nil
	}
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHostName || !hostName.MatchString(host) || endsInNumber(host) {
		return badHost
	}
	return nil
}

// endsInNumber reports whether the last label of a host is a number: resolvers of
// some systems read such a host as an IPv4 address ("2130706433", "0x7f.1",
// "127.1"), and no domain name ends so (WHATWG URL, "ends in a number").
func endsInNumber(host string) bool {
	last := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(strings.ToLower(last), "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(last, "0123456789") == ""
}
