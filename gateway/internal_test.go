package gateway

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"esagate/internal/fault"
	"esagate/snapshot"
)

// What can't be reached through a route of this version is tested from inside.

func TestEveryKindOfFailureHasAnAnswer(t *testing.T) {
	for kind := fault.Internal; kind <= fault.Unavailable; kind++ {
		if answerOf[kind].status < 400 || answerOf[kind].code == "" {
			t.Errorf("kind %d has no answer", kind)
		}
	}
	if len(answerOf) != int(fault.Unavailable)+1 {
		t.Errorf("%d answers for %d kinds", len(answerOf), fault.Unavailable+1)
	}
}

func TestRetryAfterIsWholeSecondsWithinAMinute(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", 59 * time.Second: "59", time.Hour: "60",
	} {
		if got := retryAfter(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestSnapshotErrorsKeepTheirReason(t *testing.T) {
	refused := fault.Upstream(fault.CircuitOpen, "refused", nil)
	tests := map[string]struct {
		err    error
		reason fault.Reason
		kind   fault.Kind
	}{
		"a reason":     {&snapshot.UnavailableError{Cause: refused, RetryAfter: 7 * time.Second}, fault.CircuitOpen, fault.Unavailable},
		"no answer":    {&snapshot.UnavailableError{Cause: snapshot.ErrNoAnswer, RetryAfter: 7 * time.Second}, fault.UpstreamTimeout, fault.Unavailable},
		"an unknown":   {&snapshot.UnavailableError{Cause: errors.New("?"), RetryAfter: 7 * time.Second}, fault.UpstreamError, fault.Unavailable},
		"not found":    {&fault.Error{Kind: fault.NotFound, Reason: fault.TenantNotFound}, fault.TenantNotFound, fault.NotFound},
		"another kind": {fmt.Errorf("wrapped: %w", fault.New(fault.Conflict, "no")), "", fault.Conflict},
	}
	for name, test := range tests {
		got := fault.As(snapshotError(test.err))
		if got.Reason != test.reason || got.Kind != test.kind {
			t.Errorf("%s: %+v", name, got)
		}
		if test.kind == fault.Unavailable && got.RetryAfter != 7*time.Second {
			t.Errorf("%s: next try in %s", name, got.RetryAfter)
		}
	}
	if refused.RetryAfter != 0 {
		t.Error("a shared error was changed")
	}
}

func FuzzSourceID(f *testing.F) {
	for _, seed := range []string{"", "retail", "a%2Fb", "%2e%2e", ".", "a b", "%ff", "%00", "%C3%BC", "%zz", strings.Repeat("%C3%BC", 256), "\x80", "a%252F"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		id, err := parseSourceID(escaped)
		if err != nil {
			e := fault.As(err)
			if e.Kind != fault.Validation || e.Field != "sourceId" || len(e.Issues) != 1 || id != "" {
				t.Fatalf("error %+v with id %q", e, id)
			}
			return
		}
		if id == "" || !utf8.ValidString(id) || utf8.RuneCountInString(id) > 255 || strings.ContainsAny(id, `/\?#%`) ||
			id == "." || id == ".." || strings.ContainsFunc(id, unicode.IsControl) || strings.TrimSpace(id) != id {
			t.Fatalf("%q passed as an id", id)
		}
		if again, err := parseSourceID(url.PathEscape(id)); err != nil || again != id {
			t.Fatalf("%q does not survive escaping: %q %v", id, again, err)
		}
	})
}

func FuzzESAID(f *testing.F) {
	for _, seed := range []string{"1", "0", "-1", "007", "9223372036854775807", "9223372036854775808", "1e3", "１", "+1", " 1", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parseESAID(s)
		if err == nil && (id < 1 || fmt.Sprint(id) != s) {
			t.Fatalf("%q gave %d", s, id)
		}
		if err != nil && !fault.Is(err, fault.Validation) {
			t.Fatal(err)
		}
	})
}

func FuzzStatusQuery(f *testing.F) {
	for _, seed := range []string{"", "includeSyncHistory=true", "syncHistoryLimit=10", "syncHistoryLimit=0", "a=1&a=2", "%zz", "syncHistoryLimit=5&syncHistoryLimit=5", ";", "includeSyncHistory"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, err := statusQuery(raw)
		values, parseErr := url.ParseQuery(raw)
		if err != nil {
			e := fault.As(err)
			if e.Kind != fault.Validation || len(e.Issues) == 0 {
				t.Fatalf("%+v", e)
			}
			for _, i := range e.Issues { // messages are ours alone
				if !utf8.ValidString(i.Path+i.Message) || len(i.Message) > 100 {
					t.Fatalf("issue %+v", i)
				}
			}
			return
		}
		if parseErr != nil {
			t.Fatalf("%q passed", raw)
		}
		for name, given := range values {
			if len(given) != 1 || name != "includeSyncHistory" && name != "syncHistoryLimit" {
				t.Fatalf("%q passed", raw)
			}
		}
	})
}
