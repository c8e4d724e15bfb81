package config

import (
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"

	"esagate/internal/adserver"
	"esagate/internal/sources"
	"esagate/internal/word"
	"esagate/registry"
)

// A rule looks at one text and says what is wrong with it, in words of ours that never repeat it;
// "" is good. most is the number behind the rule's name in a tag: the longest text.
type rule func(s string, most int) string

// rules are those that the tags of the structs name. Other tags are a range of numbers or
// durations ("1..10"), or words ("json|text").
var rules = map[string]rule{
	"text":             func(s string, most int) string { return plainText(s, 1, most) },
	"paragraph":        paragraph,
	"ascii":            visibleASCII,
	"printable":        printable,
	"id":               pathID,
	"tenant":           tenantID,
	"digits":           digits,
	"currency":         matching(`^[A-Z]{3}$`, "must be three capital letters, such as EUR"),
	"email":            email,
	"ascii-email":      asciiEmail,
	"host-name":        domainName,
	"host:port":        hostPort,
	"url":              urlWithPath,
	"url-without-path": urlWithoutPath,
	"origin":           origin,
	"issuer":           issuer,
	"scope":            scope,
	"store-url":        storeURL,
	"encryption-key":   encryptionKey,
	"org-id":           orgTemplate,
	"agent-url":        agentURL,
	"key-name": matching(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`,
		"must be 1 to 64 of A-Z a-z 0-9 . _ -, beginning with a letter or digit"),
	"sha256":         matching(`^[0-9A-Fa-f]{64}$`, "must be 64 hexadecimal digits"),
	"ad-server-type": matching(`^[a-z][a-z0-9_]{0,63}$`, "must be a word such as "+adserver.Types()[0].Name),
	"prefix":         prefix,
	"agent-method": matching(`^([a-z$][A-Za-z0-9/_.$-]{0,63}\*?|[A-Z][A-Za-z]{0,63}|(tools/call|prompts/get|resources/read):[A-Za-z0-9][A-Za-z0-9_.:/-]{0,127}\*?)$`,
		"must be a method such as tools/call or SendMessage, or tools/call, prompts/get or resources/read with a name, such as "+
			"tools/call:create_media_buy; a * may stand at the end, but not of a method of A2A 1.0, such as SendMessage"),
	"redis-url": redisURL,
}

// hold holds a value against the rule of its tag, if it could be read. Before the rule stands
// "required" where there must be a value, "optional" where an empty text is good too, or "quoted"
// (see scalar).
func (l *loader) hold(v reflect.Value, path, tag string) {
	tag, required := strings.CutPrefix(tag, "required ")
	tag, optional := strings.CutPrefix(tag, "optional ")
	tag = strings.TrimPrefix(tag, "quoted ")
	if tag == "" || !l.good(path) {
		return
	}
	text := v.String()
	if secret, ok := v.Interface().(Secret); ok {
		text = secret.Reveal()
	}
	problem := ""
	switch {
	case v.Type() != secretType && v.Kind() != reflect.String:
		problem = outOfRange(v, tag)
	case text == "" && required:
		problem = "is required"
	case text != "" || !optional:
		problem = textProblem(text, tag)
	}
	l.add(path, problem)
}

func textProblem(text, tag string) string {
	name, arg, _ := strings.Cut(tag, " ")
	if check := rules[name]; check != nil {
		most, _ := strconv.Atoi(arg)
		return check(text, most)
	}
	if words := strings.Split(tag, "|"); !slices.Contains(words, text) {
		return "must be " + list(words)
	}
	return ""
}

// outOfRange says that a number, duration or size is not in a range: "1..10", ">0..1" (above 0),
// ">0.." (no upper bound), "0|1m..168h" (0 is good too, and means off; of a size, that it is found by itself).
func outOfRange(v reflect.Value, tag string) string {
	bounds, off := strings.CutPrefix(tag, "0|")
	low, high, _ := strings.Cut(bounds, "..")
	low, above := strings.CutPrefix(low, ">")
	number := func(s string) float64 {
		switch v.Type() {
		case durationType:
			d, _ := time.ParseDuration(s)
			return float64(d)
		case sizeType:
			n, _ := humanize.ParseBytes(s)
			return float64(n)
		}
		n, _ := strconv.ParseFloat(s, 64)
		return n
	}
	n := v.Convert(reflect.TypeFor[float64]()).Float() // exact up to 2^53
	if off && n == 0 || (n > number(low) || n == number(low) && !above) && (high == "" || n <= number(high)) {
		return ""
	}
	limits := "from " + low + " to " + high
	switch {
	case off && v.Type() == sizeType:
		limits = "0 (found by itself), or " + limits
	case off:
		limits = "0 (off), or " + limits
	case above && high == "":
		limits = "above " + low
	case above:
		limits = "above " + low + " and at most " + high
	}
	return "must be " + limits
}

// plainText is for what people read: code points, no control characters.
func plainText(s string, least, most int) string {
	switch n := utf8.RuneCountInString(s); {
	case n < least:
		return "must not be empty"
	case n > most:
		return "must be at most " + strconv.Itoa(most) + " characters"
	case strings.ContainsFunc(s, unicode.IsControl):
		return "must not hold control characters"
	}
	return ""
}

// paragraph is plainText over several lines.
func paragraph(s string, most int) string {
	return plainText(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s), 1, most)
}

// pathID is the rule for a sourceId (contract 6.1): what can stand between two slashes of a URL
// and mean only itself.
func pathID(s string, _ int) string {
	problem := plainText(s, 1, registry.MaxIDLength)
	if problem == "" && sources.CheckSourceID(s) != "" {
		problem = `must not be . or .., hold any of / \ ? # %, or begin or end with a space`
	}
	return problem
}

// tenantID is the rule for what names a tenant in the sales agent's paths.
func tenantID(s string, _ int) string {
	switch {
	case s == "":
		return "must not be empty"
	case !word.ID.Is(s):
		return "must be 1 to 128 of A-Z a-z 0-9 . _ -, beginning with a letter, a digit or _"
	}
	return ""
}

// visibleASCII is for what is sent as a header, as the clients that send it want it too.
func visibleASCII(s string, most int) string {
	problem := plainText(s, 1, most)
	if problem == "" && strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		problem = "must be visible ASCII characters without spaces"
	}
	return problem
}

// printable is for names that are compared with what a token holds.
func printable(s string, _ int) string {
	problem := plainText(s, 1, 255)
	switch {
	case problem != "":
		return problem
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		return "must hold printable characters only"
	case s != strings.TrimSpace(s):
		return "must not begin or end with a space"
	}
	return ""
}

func digits(s string, most int) string {
	if s == "" || len(s) > most || strings.Trim(s, "0123456789") != "" {
		return "must be 1 to " + strconv.Itoa(most) + " digits"
	}
	return ""
}

func matching(pattern, problem string) rule {
	form := regexp.MustCompile(pattern)
	return func(s string, _ int) string {
		if !form.MatchString(s) {
			return problem
		}
		return ""
	}
}

func hostPort(s string, _ int) string {
	host, port, err := net.SplitHostPort(s)
	if err != nil || !validPort(port, 0) || host != "" && !validHost(host) {
		return "must be host:port, such as 127.0.0.1:8080 or :8080 for every interface"
	}
	return ""
}

func validPort(port string, least uint64) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n >= least
}

const badPort = "must have a port from 1 to 65535, or none"

// soundPort reports whether a URL has no port, or one to connect to.
func soundPort(u *url.URL) bool {
	return u.Host == u.Hostname() || strings.HasSuffix(u.Host, "]") || validPort(u.Port(), 1)
}

const label = `[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?`

var hostName = regexp.MustCompile(`^` + label + `(\.` + label + `)*\.?$`)

func validHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return len(host) <= 253 && hostName.MatchString(host)
}

// domainName is the rule for the name of a host, as it stands in addresses.
func domainName(s string, _ int) string {
	if _, err := netip.ParseAddr(s); err == nil || !validHost(s) || strings.HasSuffix(s, ".") {
		return "must be the name of a host, such as storefront.example.com"
	}
	return ""
}

// webURL reads an absolute http or https URL without user info, query or
// fragment, so that it can be logged, shown and have a path appended.
func webURL(s string) (*url.URL, string) {
	const problem = "must be an http:// or https:// URL"
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 {
		return nil, problem
	}
	switch {
	case strings.ContainsAny(s, ` \`), u.Scheme != "http" && u.Scheme != "https", u.Opaque != "", !validHost(u.Hostname()):
		return nil, problem
	case !soundPort(u):
		return nil, badPort
	case u.User != nil:
		return nil, "must not hold a user or password"
	case u.RawQuery != "" || u.ForceQuery:
		return nil, "must not hold a query"
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, "must not hold a fragment"
	}
	return u, ""
}

// urlWithPath bounds the URL, in characters, where most is not 0.
func urlWithPath(s string, most int) string {
	_, problem := webURL(s)
	if tooLong := plainText(s, 0, most); most > 0 && tooLong != "" {
		return tooLong
	}
	return problem
}

func urlWithoutPath(s string, _ int) string {
	u, problem := webURL(s)
	if problem == "" && strings.Trim(u.Path, "/") != "" {
		return "must not hold a path"
	}
	return problem
}

// origin is what a browser sends as Origin: no slash at the end, never "*".
func origin(s string, _ int) string {
	u, problem := webURL(s)
	if problem != "" || u.Path != "" {
		return "must be an origin: scheme://host or scheme://host:port, nothing after it"
	}
	return ""
}

// canonicalOrigin writes an origin as browsers do, so that comparing is enough.
func canonicalOrigin(s string) string {
	s = strings.ToLower(s)
	if strings.HasPrefix(s, "https:") {
		return strings.TrimSuffix(s, ":443")
	}
	return strings.TrimSuffix(s, ":80")
}

func email(s string, _ int) string {
	address, err := mail.ParseAddress(s)
	_, domain, _ := strings.Cut(s, "@")
	if err != nil || address.Address != s || len(s) > 254 || !strings.Contains(domain, ".") || !validHost(domain) {
		return "must be an e-mail address"
	}
	return ""
}

// asciiEmail is for what is sent as a header.
func asciiEmail(s string, most int) string {
	if email(s, most) != "" || visibleASCII(s, most) != "" {
		return "must be an e-mail address of ASCII characters"
	}
	return ""
}

// list joins words for a message: "a, b or c".
func list(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// issuer is the rule of OpenID Connect Discovery, section 4.3, and of RFC 8414: an
// https URL without a query or fragment, compared letter by letter. Plain http is
// for an issuer on the same machine.
func issuer(s string, _ int) string {
	u, problem := webURL(s)
	switch {
	case problem != "":
		return problem
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "must be an https:// URL; http:// is for loopback hosts alone"
	}
	return ""
}

// scope is one word of OAuth's scope (RFC 6749, section 3.3).
func scope(s string, _ int) string {
	if !word.Scope.Is(s) {
		return "must be one scope: 1 to 256 visible ASCII characters, without spaces, quotes and backslashes"
	}
	return ""
}

// loopback reports whether a host is this machine: an address by its kind, or
// localhost, which no resolver may answer otherwise (RFC 6761, section 6.3).
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.Unmap().IsLoopback()
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), "localhost")
}
