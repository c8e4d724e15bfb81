package console

import (
	"net/http"
	"net/url"
	"strings"
)

// Bounds of the cookies that one answer sets.
const (
	maxCookies    = 20
	maxCookieName = 128
	maxCookie     = 4 << 10 // with its attributes, in bytes
)

// What of a request passes, by name (contract 13.4). All else is ours or is dropped: names in other spellings too.
var (
	asked = []string{
		"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Cache-Control", "Content-Type",
		"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range", "User-Agent",
	}
	askedByPages = []string{
		"Hx-Boosted", "Hx-History-Restore-Request", "Hx-Prompt", "Hx-Request", "Hx-Target", "Hx-Trigger", "Hx-Trigger-Name",
		"Last-Event-Id", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-User",
		"X-Csrf-Token", "X-Csrftoken", "X-Requested-With",
	}
	askedToUpgrade = []string{"Sec-Websocket-Extensions", "Sec-Websocket-Key", "Sec-Websocket-Protocol", "Sec-Websocket-Version"}
)

// Request gives the header of a request as it is sent, without saying who asks. An asset is asked for without
// what a page would say.
func (s *Site) Request(r *http.Request, asset, upgrade bool) http.Header {
	h := http.Header{
		"X-Forwarded-Host": {s.Address.Host}, "X-Forwarded-Proto": {s.Address.Scheme}, "X-Forwarded-Prefix": {s.Path()},
		"User-Agent": nil, // or the client would name itself
	}
	take(h, r.Header, asked)
	if asset {
		return h
	}
	take(h, r.Header, askedByPages)
	if upgrade {
		take(h, r.Header, askedToUpgrade)
	}
	if len(r.Header["Origin"]) > 0 {
		h["Origin"] = []string{s.Address.Scheme + "://" + s.Address.Host}
	}
	for _, name := range []string{"Referer", "Hx-Current-Url"} {
		if values := r.Header[name]; len(values) == 1 && s.ours(values[0]) {
			h[name] = values
		}
	}
	if cookies := s.cookies(r); cookies != "" {
		h["Cookie"] = []string{cookies}
	}
	return h
}

func take(to, from http.Header, names []string) {
	for _, name := range names {
		if values, ok := from[name]; ok {
			to[name] = values
		}
	}
}

// cookies gives the sales agent's own cookies, by the names that it gave them.
func (s *Site) cookies(r *http.Request) string {
	var own []string
	for _, c := range r.Cookies() {
		if name, ok := strings.CutPrefix(c.Name, s.Cookies); ok && name != "" {
			own = append(own, (&http.Cookie{Name: name, Value: c.Value, Quoted: c.Quoted}).String())
		}
	}
	return strings.Join(own, "; ")
}

// What of an answer passes, by name (contract 13.5).
var (
	answered = []string{
		"Accept-Ranges", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Length", "Content-Range",
		"Content-Type", "Etag", "Expires", "Last-Modified", "Retry-After", "Vary",
		"Hx-Refresh", "Hx-Reselect", "Hx-Reswap", "Hx-Retarget", "Hx-Trigger", "Hx-Trigger-After-Settle", "Hx-Trigger-After-Swap",
	}
	answeredToUpgrade = []string{"Connection", "Upgrade", "Sec-Websocket-Accept", "Sec-Websocket-Extensions", "Sec-Websocket-Protocol"}
	// leading are addresses that scripts of pages go to. One may be "false".
	leading = []string{"Hx-Location", "Hx-Push-Url", "Hx-Redirect", "Hx-Replace-Url"}
)

// Answer gives the header of an answer as a browser gets it, or says that it leads elsewhere. from is the address that the
// browser has asked for. An asset sets no cookies.
func (s *Site) Answer(from *url.URL, status int, answer http.Header, asset bool) (http.Header, bool) {
	h := http.Header{}
	take(h, answer, answered)
	if status == http.StatusSwitchingProtocols {
		take(h, answer, answeredToUpgrade)
	}
	if !asset {
		h["Cache-Control"] = []string{forOne(h["Cache-Control"])}
	}
	for name, values := range s.Frames(answer["Content-Security-Policy"]) {
		h[name] = values
	}
	for _, value := range answer["Location"] {
		to, ok := s.Location(from, value)
		if !ok || len(answer["Location"]) > 1 {
			return nil, false
		}
		h["Location"] = []string{to}
	}
	for _, name := range leading {
		values := answer[name]
		switch {
		case len(values) == 0:
		case len(values) == 1 && values[0] == "false":
			h[name] = values
		default:
			to, ok := s.Location(from, values[0])
			if !ok || len(values) > 1 {
				return nil, false
			}
			h[name] = []string{to}
		}
	}
	if !asset {
		for _, line := range answer["Set-Cookie"][:min(len(answer["Set-Cookie"]), maxCookies)] {
			if c := s.SetCookie(line); c != nil {
				h["Set-Cookie"] = append(h["Set-Cookie"], c.String())
			}
		}
	}
	return h, true
}

// forOne gives the Cache-Control of a page, which depends on who asks: no cache that others share keeps it, whatever the
// sales agent says, and none at all where that says nothing else.
func forOne(said []string) string {
	kept := []string{"private"}
	for directive := range strings.SplitSeq(strings.Join(said, ","), ",") {
		name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "", "private", "public", "s-maxage":
		default:
			kept = append(kept, strings.TrimSpace(directive))
		}
	}
	if len(kept) == 1 {
		return "no-store"
	}
	return strings.Join(kept, ", ")
}

// Frames gives the header fields that say who may frame a page: the page's own site and Origins, whatever the policies
// say that the sales agent has set.
func (s *Site) Frames(policies []string) http.Header {
	var kept []string
	for _, line := range policies {
		for policy := range strings.SplitSeq(line, ",") {
			var directives []string
			for directive := range strings.SplitSeq(policy, ";") {
				directive = strings.TrimSpace(directive)
				name, _, _ := strings.Cut(directive, " ")
				if directive != "" && !strings.EqualFold(name, "frame-ancestors") {
					directives = append(directives, directive)
				}
			}
			if len(directives) > 0 {
				kept = append(kept, strings.Join(directives, "; "))
			}
		}
	}
	h := http.Header{"Content-Security-Policy": append(kept, strings.Join(append([]string{"frame-ancestors 'self'"}, s.Origins...), " "))}
	if len(s.Origins) == 0 { // the older field knows no list
		h["X-Frame-Options"] = []string{"SAMEORIGIN"}
	}
	return h
}

// SetCookie gives a cookie of the sales agent's as browsers keep it: by a name that is nobody else's, for this
// site alone, and out of reach of scripts. nil: it is none.
func (s *Site) SetCookie(line string) *http.Cookie {
	c, err := http.ParseSetCookie(line)
	if err != nil || len(line) > maxCookie || len(c.Name) > maxCookieName {
		return nil
	}
	made := s.Bound(s.Cookies+c.Name, c.Value)
	made.Quoted, made.MaxAge, made.Expires = c.Quoted, c.MaxAge, c.Expires
	return made
}

// Bound makes a cookie that browsers send to this site alone. Where pages of others may frame its pages, browsers
// keep one for each of these; that needs https.
func (s *Site) Bound(name, value string) *http.Cookie {
	c := &http.Cookie{Name: name, Value: value, Path: s.Path() + "/", HttpOnly: true, Secure: s.Secure(), SameSite: http.SameSiteLaxMode}
	if s.Secure() && len(s.Origins) > 0 {
		c.SameSite, c.Partitioned = http.SameSiteNoneMode, true
	}
	return c
}
