package terminal

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"

	"esagate/api"
)

// Problem is why a gateway could not be asked, in one line that is [Safe].
type Problem struct {
	// Refused is set where the gateway does not know the key.
	Refused bool
	// Judged is set where the gateway understood who asks and for what, and does not do it: asking again is no use.
	Judged bool
	// Lines say what is wrong with a request, by where that is in it; each is [Safe]. Error gives the first of them.
	Lines []string

	text   string
	passes bool          // asking again may help
	after  time.Duration // when the gateway wants to be asked again; 0: it did not say
}

// Error implements error.
func (p *Problem) Error() string { return p.text }

// maxTold bounds what is repeated of an answer, in columns.
const maxTold = 300

// judge gives what is wrong with an answer; nil: nothing.
func judge(resp *http.Response, path, want string) *Problem {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if resp.StatusCode/100 == 2 && kind == want || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if at, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		return &Problem{text: "what answers there redirects to " + clip(Safe(at.Scheme+"://"+at.Host), maxTold) + ": name the gateway itself with --url"}
	}
	said, ok := failure(resp, kind)
	if !ok {
		// A proxy before the gateway answers so while that is away.
		passes := resp.StatusCode == http.StatusBadGateway || resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusGatewayTimeout
		return &Problem{passes: passes, after: retryAfter(resp), text: "what answers there is no esagate (" + strconv.Itoa(resp.StatusCode) + " " +
			cmp.Or(clip(Safe(kind), 40), "without a type") + "): is " + resp.Request.URL.Host + " the gateway's address?"}
	}
	p := &Problem{after: retryAfter(resp)}
	message := clip(Safe(said.Message), maxTold) + reason(said.Details)
	switch status := resp.StatusCode; {
	case status == http.StatusUnauthorized:
		p.Refused = true
		p.text = "the gateway does not know this key"
	case status == http.StatusForbidden:
		p.Judged = true
		p.text = "this key may not ask that: " + message
	case path == eventsPath && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		p.text = "this gateway has no live events, it may be of an older version: ask without --watch"
	case path == overviewPath && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed):
		p.text = "there is no overview at this gateway: it may be of an older version, or its URL has too long a path"
	case status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable:
		p.passes = true
		p.text = "the gateway can't answer now: " + message
		if p.after > 0 {
			p.text += " Ask again in " + p.after.String() + "."
		}
	default:
		p.passes, p.Judged = status >= 500, status < 500
		if p.Lines = faults(said.Details); len(p.Lines) > 0 {
			message = p.Lines[0]
		}
		p.text = "the gateway answers " + strconv.Itoa(status) + ": " + message
	}
	return p
}

// faults gives a line for each issue.
func faults(d *api.ErrorDetails) (lines []string) {
	if d == nil {
		return nil
	}
	for _, issue := range d.Issues {
		line := clip(Safe(issue.Message), maxTold) + reason(d)
		switch issue.Path {
		case "":
		case "header." + customerHeader:
			line = "--customer: " + line
		default:
			line = clip(Safe(issue.Path), maxTold) + ": " + line
		}
		lines = append(lines, line)
	}
	return lines
}

// reason gives the word that programs go by.
func reason(d *api.ErrorDetails) string {
	if d == nil || d.Reason == "" && d.ErrorCode == "" {
		return ""
	}
	return " (" + clip(Safe(cmp.Or(d.Reason, d.ErrorCode)), maxTold) + ")"
}

// failure reads the body that every failure of a gateway has.
func failure(resp *http.Response, kind string) (api.Error, bool) {
	var body api.ErrorBody
	if kind != "application/json" || resp.StatusCode < 400 {
		return body.Error, false
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxErrBytes))
	if err != nil || json.Unmarshal(text, &body) != nil {
		return body.Error, false
	}
	return body.Error, body.Error.Code != ""
}

// mostAfter bounds what is taken over of a Retry-After.
const mostAfter = 10 * time.Minute

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.ParseUint(resp.Header.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return min(time.Duration(seconds)*time.Second, mostAfter)
}

// unreachable says why no answer, or no whole one, came from an address.
func unreachable(to *url.URL, err error) *Problem {
	host := to.Host
	p := &Problem{passes: true, text: host + " can't be reached"}
	var (
		dns       *net.DNSError
		op        *net.OpError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	isOp := errors.As(err, &op)
	switch {
	case errors.Is(err, context.Canceled):
		p.text, p.passes = "interrupted", false
	case errors.As(err, &authority):
		p.text, p.passes = "the certificate of "+host+" is not from an authority that this system trusts", false
	case errors.As(err, &name):
		p.text, p.passes = "the certificate of "+host+" is for another host", false
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		p.text, p.passes = "the certificate of "+host+" has expired, or is not valid yet (or this system's clock is wrong)", false
	case errors.As(err, &invalid):
		p.text, p.passes = "the certificate of "+host+" is not valid", false
	case errors.As(err, &record) || strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		p.text, p.passes = host+" does not speak TLS: should the URL begin with http://?", false
	case errors.As(err, &alert):
		p.text, p.passes = host+" and this client find no common TLS", false
	case isOp && op.Op == "proxyconnect":
		p.text = "the proxy on the way to " + host + " can't be reached (HTTP_PROXY, HTTPS_PROXY, NO_PROXY)"
	case errors.As(err, &dns):
		p.text = "there is no host " + to.Hostname()
		if dns.IsTimeout || dns.IsTemporary {
			p.text = "the address of " + to.Hostname() + " could not be looked up"
		}
	case errors.Is(err, syscall.ECONNREFUSED):
		p.text = "nobody listens at " + host + ": is the gateway running?"
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		p.text = host + " does not answer in time"
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET):
		p.text = host + " closed the connection before its answer ended"
	case strings.Contains(err.Error(), "malformed HTTP"):
		p.text, p.passes = "what answers at "+host+" does not speak HTTP; perhaps it speaks TLS: https://?", false
	}
	p.text = Safe(p.text)
	return p
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
