package outbound_test

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"esagate/internal/outbound"
)

func TestCheckURLTakesGoodURLs(t *testing.T) {
	c := newClient(t, outbound.Options{})
	for _, raw := range []string{
		"https://agent.example.com",
		"https://agent.example.com/",
		"HTTPS://Agent.Example.COM/mcp/?tenant=7&x=%20%23part",
		"https://agent.example.com.:8443/a",
		"https://agent.example.com:1/",
		"https://agent.example.com:65535/",
		"https://my_agent-1.example.com/",
		"https://xn--nicode-2ya.example/",
		"https://ünïcode.example/päth?q=ü",
		"https://localhost",    // a name: refused when it is connected to
		"https://1.example/",   // ends in no number
		"https://0xyz.test/",   // nor does this
		"https://1.2.3.4.com/", //
		"https://93.184.216.34/",
		"https://93.184.216.34:8443/",
		"https://[2606:2800:220:1:248:1893:25c8:1946]/",
		"https://[2606:2800:220:1:248:1893:25c8:1946]:8443/",
		"https://agent.example.com/" + strings.Repeat("ü", outbound.MaxURL-len("https://agent.example.com/")),
		"https://" + strings.Repeat("a", 63) + ".example/",
	} {
		if got := c.CheckURL(raw); got != "" {
			t.Errorf("CheckURL(%q) = %q", raw, got)
		}
	}
}

func TestCheckURLRefuses(t *testing.T) {
	const (
		long   = "The URL must be at most 2048 characters long."
		signs  = "The URL must not hold spaces, control characters or broken UTF-8."
		form   = "The URL must be an absolute https:// URL with a host."
		scheme = "The URL must begin with https://."
		user   = "The URL must not hold a user name or password."
		part   = "The URL must not hold a fragment."
		port   = "The URL's port must be a number from 1 to 65535."
		host   = "The URL's host must be a domain name or an IP address in its usual form."
		public = "The URL's IP address must be a public one."
	)
	at := func(hosts ...string) []string {
		for i, h := range hosts {
			hosts[i] = "https://" + h + "/"
		}
		return hosts
	}
	c := newClient(t, outbound.Options{})
	for _, tt := range []struct {
		want string
		urls []string
	}{
		{long, []string{
			"https://agent.example.com/" + strings.Repeat("ü", outbound.MaxURL+1-len("https://agent.example.com/")),
			strings.Repeat("x", 1<<20),
		}},
		{signs, []string{
			"https://host/a b", " https://host/", "https://ho st/", "https://host/\n", "https://ho\x00st/",
			"https://host/\u0085", "https://host/\u00a0", "https://host/\u2028", "https://host/\xff",
		}},
		{form, []string{
			"", "agent.example.com", "/mcp", "//host/", "https:", "https:host", "https://", "https:///x", "https://:443/",
			"https://?q", "%", "https://host\\@10.0.0.1/", "https://host%0a/", "https://host:https/", "https://::1/",
			"https://[::1/", "https://[127.0.0.1]/", "https://[v1.a]/",
		}},
		{scheme, []string{
			"http://agent.example.com/", "http://169.254.169.254/", "http://169.254.169.254", "ws://host/",
			"ftp://host/", "file:///etc/passwd", "javascript:alert(1)", "data:text/plain,x",
		}},
		{user, []string{
			"https://user:pw@host/", "https://user@host/", "https://@host/", "https://:@host/", "https://agent.example.com@[::1]",
		}},
		{part, []string{"https://host/mcp#x", "https://host/mcp?x#y=z", "https://host/#", "https://host#"}},
		{port, at("host:99999", "host:65536", "host:0", "host:", "[2606:2800::1]:0", "93.184.216.34:0")},
		{host, at(
			"-host", "host-", "a..b", ".host", "host..", ".", "host!", "a,b", "a*b", "\u200b",
			strings.Repeat("a", 64)+".example", strings.Repeat("abcdefg.", 32)+"example",
		)},
		{host, at( // what some systems read as addresses
			"2130706433", "0x7f000001", "0X7F.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.1.",
			"8.8.8.8.", "0", "0x", "1.0x", "a.1", "example.com.7", "010.8.8.8", "256.1.1.1", "1.2.3.4.5", "127.0.0.09",
			"２１３０７０６４３３",
			"[fe80::1%25eth0]", "[2606:2800::1%25eth0]", "[::1%251]",
		)},
		{public, at("１２７.0.0.1", "127。0。0。1", "%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1", "①②⑦.0.0.1")},
	} {
		for _, raw := range tt.urls {
			if got := c.CheckURL(raw); got != tt.want {
				t.Errorf("CheckURL(%.60q) = %q, not %q", raw, got, tt.want)
			}
		}
	}
	for _, ip := range special {
		h := ip
		if strings.Contains(ip, ":") {
			h = "[" + ip + "]"
		}
		if got := c.CheckURL("https://" + h + ":8443/x"); got != public {
			t.Errorf("address %s: %q, not %q", ip, got, public)
		}
	}
}

func TestCheckURLTakesAllowedAddresses(t *testing.T) {
	for _, tt := range []struct{ allow, good, bad string }{
		{
			"10.20.0.0/16 fd00:20::/32 64:ff9b::/96",
			"10.20.0.1 [fd00:20::1] [64:ff9b::808:808] [64:ff9b::10.20.0.1]",
			"10.21.0.1 [::ffff:10.20.0.1] [fd00:20::1%25eth0] [fd00:21::1] [64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] 127.0.0.1",
		},
		// All of IPv6 is not all of IPv4 in IPv6's spelling.
		{"::/0", "[::1] [fd00::1]", "[::ffff:127.0.0.1] [64:ff9b::127.0.0.1] 127.0.0.1"},
	} {
		var allow []netip.Prefix
		for _, p := range strings.Fields(tt.allow) {
			allow = append(allow, netip.MustParsePrefix(p))
		}
		c := newClient(t, outbound.Options{Allow: allow})
		for _, h := range strings.Fields(tt.good) {
			if got := c.CheckURL("https://" + h + "/"); got != "" {
				t.Errorf("host %s: %q", h, got)
			}
		}
		for _, h := range strings.Fields(tt.bad) {
			if got := c.CheckURL("https://" + h + "/"); got == "" {
				t.Errorf("host %s is taken", h)
			}
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"https://agent.example.com:8443/mcp?x=1#y", "https://[2606:2800::1]:8443/", "https://8.8.8.8/", "https://user:pw@host/",
		"https://[::ffff:7f00:1]/", "https://127。0。0。1/", "https://0x7f.1/", "//host/", "https://host:99999/", "javascript:alert(1)",
		"https://xn--a/", "https://%EF%BC%91.2.3.4/", "https://a\\@b/", "https://ⓛocalhost/", "https://[fe80::1%25e]/",
	} {
		f.Add(seed)
	}
	c := outbound.New(outbound.Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		sentence := c.CheckURL(raw)
		if sentence != "" {
			if !strings.HasPrefix(sentence, "The URL") || !strings.HasSuffix(sentence, ".") {
				t.Errorf("%q is no sentence of ours", sentence)
			}
			return
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q passes and does not parse: %v", raw, err)
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || utf8.RuneCountInString(raw) > 2048 {
			t.Errorf("%q passes", raw)
		}
		if again := c.CheckURL(u.String()); again != "" && utf8.RuneCountInString(u.String()) <= 2048 {
			t.Errorf("%q passes, and %q, which is the same, does not: %s", raw, u, again)
		}
		ip := net.ParseIP(u.Hostname())
		if ip != nil && (!ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast()) {
			t.Errorf("%q passes, and %v is not public", raw, ip)
		}
		if strings.ContainsAny(u.Host, "%\\ @/?#") {
			t.Errorf("%q passes with the host %q", raw, u.Host)
		}
	})
}
