package apitest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"esagate/api/apitest"
)

const (
	connectionPath = "/api/v2/storefront/esa/88120"
	listPath       = "/api/v2/storefront/esa"
	statusPath     = "/api/v2/storefront/inventory-sources/lake%2Fside/status"

	connection = `{"id":"88120","customerId":9,"provisioningStatus":"active","tenantId":"tnt_lakeside",
		"mcpUrl":"/mcp/","a2aUrl":"/a2a","adServer":{"type":"google_ad_manager","networkCode":"20406080"},
		"serviceAccountEmail":"lake@example.org","lastError":null,"lastErrorCode":null,
		"lastTestedAt":"2026-02-11T09:00:00.5Z","provisionedAt":null,"deactivatedAt":null,
		"createdAt":"2026-02-10T09:00:00Z","updatedAt":"2026-02-11T09:00:00Z","inventorySync":null,"sourceId":"lake/side","name":"Lakeside"}`
	notFound = `{"data":null,"error":{"code":"NOT_FOUND","message":"There is no such source."}}`
	block    = `{"status":"never_run","severity":"warning","lastSuccessAt":null,"issue":null,"lastRunAt":null,
		"lastStartedAt":null,"itemCount":null,"error":null,"history":{"recentRunCount":0,"recentFailureCount":0,
		"consecutiveFailureCount":0,"latestFailureAt":null,"latestError":null}}`
)

// status is a status document with one more sync stream than the three.
func status() string {
	return strings.ReplaceAll(`{"operational":{"isLive":false,"discoveryDegraded":false,"deliveryDegraded":false,
		"summary":"Not set up.","issues":[]},
		"adapter":{"type":"mock","connected":true,"lastTestedAt":null,"lastTestError":null},
		"syncs":{"inventory":BLOCK,"customTargeting":BLOCK,"advertisers":BLOCK,"signalCoverage":BLOCK},
		"workflows":{"openCount":1,"oldestOpenedAt":null,"byKind":{"a_b c":1}},
		"packages":{"activeCount":0,"pausedCount":0,"last24hImpressions":0},
		"creatives":{"activeCount":0,"pendingReviewCount":0,"rejectedLast24hCount":0},
		"webhooks":{"last24h":{"delivered":0,"failed":0,"successRate":1},"lastFailureAt":null},
		"fetchedAt":"2026-02-11T09:00:00Z","setupTasks":{"blockerCount":0,"warningCount":0,"items":[]}}`, "BLOCK", block)
}

// headers gives the headers that every answer has, changed by the pairs: an
// empty value takes a header away.
func headers(pairs ...string) http.Header {
	return change(http.Header{"Content-Type": {"application/json"}, "X-Request-Id": {"r-1"}}, pairs)
}

// documentHeaders gives the headers of a document.
func documentHeaders(pairs ...string) http.Header {
	return change(headers("Etag", `"a1"`, "Cache-Control", "private, no-cache", "Vary", "Accept-Encoding"), pairs)
}

// statusHeaders gives the headers of a snapshot.
func statusHeaders(pairs ...string) http.Header {
	return change(documentHeaders("Age", "3", "Cache-Status", "esagate; hit; ttl=2"), pairs)
}

func change(h http.Header, pairs []string) http.Header {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			h.Del(pairs[i])
		} else {
			h.Set(pairs[i], pairs[i+1])
		}
	}
	return h
}

// recorder notes failures instead of failing.
type recorder struct {
	testing.TB
	failures []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

type answer struct {
	name   string
	method string // GET when empty
	path   string
	status int
	header http.Header
	body   string
}

// refusal is an answer that does not fit, with a part of the reason, so that it is refused for
// what is wrong with it. Answers that fit are those of the gateway, in its own tests.
type refusal struct {
	answer
	reason string
}

func refused(t *testing.T, validate func(testing.TB, *http.Request, int, http.Header, []byte), all []refusal) {
	for _, c := range all {
		r := &recorder{TB: t}
		validate(r, httptest.NewRequest(cmp.Or(c.method, "GET"), c.path, nil), c.status, c.header, []byte(c.body))
		if len(r.failures) != 1 || !strings.Contains(r.failures[0], c.reason) {
			t.Errorf("%s: %q, want one failure that names %q", c.name, r.failures, c.reason)
		}
	}
}

func TestBadAnswers(t *testing.T) {
	swap := func(body, old, new string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("the document has no %q", old)
		}
		return strings.Replace(body, old, new, 1)
	}
	refused(t, apitest.Validate, []refusal{
		{answer{"unknown property", "", connectionPath, 200, documentHeaders(), swap(connection, `{"id"`, `{"password":"x","id"`)}, `property "password" is unsupported`},
		{answer{"secret in a view", "", connectionPath, 200, documentHeaders(), swap(connection, `"20406080"`, `"20406080","refreshToken":"x"`)}, `property "refreshToken" is unsupported`},
		{answer{"missing property", "", connectionPath, 200, documentHeaders(), swap(connection, `"lastError":null,`, "")}, `"/lastError": property "lastError" is missing`},
		{answer{"null where none is allowed", "", connectionPath, 200, documentHeaders(), swap(connection, `"2026-02-10T09:00:00Z"`, "null")}, `"/createdAt": Value is not nullable`},
		{answer{"a number as the id", "", connectionPath, 200, documentHeaders(), swap(connection, `"88120"`, "88120")}, `"/id": value must be a string`},
		{answer{"an offset", "", connectionPath, 200, documentHeaders(), swap(connection, "09:00:00.5Z", "10:00:00.5+01:00")}, `"/lastTestedAt": string doesn't match`},
		{answer{"unknown word", "", connectionPath, 200, documentHeaders(), swap(connection, `"active"`, `"ACTIVE"`)}, `"/provisioningStatus": value is not one of`},
		{answer{"known type with nothing", "", connectionPath, 200, documentHeaders(), swap(connection, `,"networkCode":"20406080"`, "")}, "networkCode"},
		{answer{"unknown type with more", "", connectionPath, 200, documentHeaders(), swap(connection, "google_ad_manager", "acme")}, "networkCode"},
		{answer{"duplicate name", "", connectionPath, 200, documentHeaders(), swap(connection, `{"id"`, `{"id":"1","id"`)}, "duplicate"},
		{answer{"bytes behind", "", connectionPath, 200, documentHeaders(), connection + "{}"}, "one JSON value"},
		{answer{"wrong length", "", connectionPath, 200, documentHeaders("Content-Length", "2"), connection}, "Content-Length"},
		{answer{"wrong content type", "", connectionPath, 200, documentHeaders("Content-Type", "text/html"), connection}, "text/html"},
		{answer{"undocumented status", "", connectionPath, 202, headers(), connection}, "no such status"},
		{answer{"no request id", "", connectionPath, 200, documentHeaders("X-Request-Id", ""), connection}, `header "X-Request-Id" missing`},
		{answer{"enveloped", "", connectionPath, 200, documentHeaders(), `{"data":` + connection + `,"error":null}`}, `property "data" is unsupported`},
		{answer{"list with null", "", listPath, 200, documentHeaders(), "null"}, "Value is not nullable"},
		{answer{"stream with a field less", "", statusPath, 200, statusHeaders(), swap(status(), `"signalCoverage":{"status":"never_run",`, `"signalCoverage":{`)}, `"/syncs/signalCoverage/status": property "status" is missing`},
		{answer{"stream missing", "", statusPath, 200, statusHeaders(), swap(status(), `"advertisers":`, `"more":`)}, `"/syncs/advertisers": property "advertisers" is missing`},
		{answer{"webhooks null", "", statusPath, 200, statusHeaders(), swap(status(), `"webhooks":{"last24h":{"delivered":0,"failed":0,"successRate":1},"lastFailureAt":null}`, `"webhooks":null`)}, `"/webhooks": Value is not nullable`},
		{answer{"connection without ETag", "", connectionPath, 200, documentHeaders("Etag", ""), connection}, `header "ETag" missing`},
		{answer{"connection that may be shared", "", connectionPath, 200, documentHeaders("Cache-Control", "public"), connection}, `header "Cache-Control" doesn't match`},
		{answer{"no Age", "", statusPath, 200, statusHeaders("Age", ""), status()}, `header "Age" missing`},
		{answer{"weak ETag", "", statusPath, 200, statusHeaders("Etag", `W/"a1"`), status()}, `header "ETag" doesn't match`},
		{answer{"no ETag by HEAD", "HEAD", statusPath, 200, statusHeaders("Etag", ""), ""}, `header "ETag" missing`},
		{answer{"body by HEAD", "HEAD", statusPath, 200, statusHeaders(), status()}, "bytes of body"},
		{answer{"HTML by HEAD", "HEAD", statusPath, 200, statusHeaders("Content-Type", "text/html"), ""}, "text/html"},
		{answer{"body with 304", "", statusPath, 304, documentHeaders(), "{}"}, "bytes of body"},
		{answer{"304 without ETag", "", statusPath, 304, documentHeaders("Etag", ""), ""}, `header "ETag" missing`},
		{answer{"304 where there is none", "", "/healthz", 304, documentHeaders(), ""}, "no such status"},
		{answer{"not gzip", "", statusPath, 200, statusHeaders("Content-Encoding", "gzip"), status()}, "not gzip"},
		{answer{"another coding", "", statusPath, 200, statusHeaders("Content-Encoding", "br"), status()}, "coding"},
		{answer{"503 without Retry-After", "", statusPath, 503, headers(), `{"data":null,"error":{"code":"SERVICE_UNAVAILABLE","message":"Away."}}`}, `header "Retry-After" missing`},
		{answer{"503 with another reason", "", statusPath, 503, headers("Retry-After", "1"), `{"data":null,"error":{"code":"SERVICE_UNAVAILABLE","message":"Away.","details":{"reason":"TENANT_NOT_FOUND"}}}`}, "the reason TENANT_NOT_FOUND"},
		{answer{"404 with the reason of a 409", "", connectionPath, 404, headers(), `{"data":null,"error":{"code":"NOT_FOUND","message":"No.","details":{"reason":"SIGNAL_EXISTS"}}}`}, "the reason SIGNAL_EXISTS"},
		{answer{"another code", "", connectionPath, 404, headers(), swap(notFound, "NOT_FOUND", "FORBIDDEN")}, "the code FORBIDDEN"},
		{answer{"data not null", "", connectionPath, 404, headers(), swap(notFound, `"data":null`, `"data":{}`)}, `"/data": value is not one of`},
		{answer{"details with more", "", connectionPath, 404, headers(), swap(notFound, `source."`, `source.","details":{"tenant":"x"}`)}, `"/error/details": property "tenant" is unsupported`},
		{answer{"validation without issues", "", listPath, 400, headers(), `{"data":null,"error":{"code":"VALIDATION_ERROR","message":"No."}}`}, "no issues"},
		{answer{"401 without a challenge", "", listPath, 401, headers(), `{"data":null,"error":{"code":"UNAUTHORIZED","message":"No."}}`}, `header "WWW-Authenticate" missing`},
		{answer{"405 without Allow", "PATCH", listPath, 405, headers(), `{"data":null,"error":{"code":"METHOD_NOT_ALLOWED","message":"No."}}`}, `header "Allow" missing`},
		{answer{"unknown path, plain text", "", "/nothing", 404, headers("Content-Type", "text/plain"), "404 page not found"}, "text/plain"},
		{answer{"unknown path that succeeds", "", "/nothing", 200, headers(), "{}"}, "no such status"},
		{answer{"unready with 200", "", "/readyz", 200, headers(), `{"status":"starting","store":"ok","upstream":"ok"}`}, `"/status": value is not one of`},
	})
}

func TestEnvelopedForm(t *testing.T) {
	refused(t, apitest.ValidateEnveloped, []refusal{
		{answer{"plain connection", "", connectionPath, 200, documentHeaders(), connection}, `property "data" is missing`},
		{answer{"plain list", "", listPath, 200, documentHeaders(), "[" + connection + "]"}, "value must be an object"},
		{answer{"list without meta", "", listPath, 200, documentHeaders(), `{"data":[],"error":null}`}, `property "meta" is missing`},
		{answer{"no error", "", connectionPath, 200, documentHeaders(), `{"data":` + connection + `}`}, `property "error" is missing`},
		{answer{"error not null", "", connectionPath, 200, documentHeaders(), `{"data":` + connection + `,"error":{}}`}, `"/error": value is not one of`},
	})
}

func TestPreflight(t *testing.T) {
	req := httptest.NewRequest(http.MethodOptions, listPath, nil)
	req.Header.Set("Origin", "https://shop.example")
	req.Header.Set("Access-Control-Request-Method", "GET")
	apitest.Validate(t, req, http.StatusNoContent, http.Header{}, nil)
	r := &recorder{TB: t}
	apitest.Validate(r, req, http.StatusOK, http.Header{}, []byte("ok"))
	if len(r.failures) != 1 {
		t.Errorf("failures: %q, want one", r.failures)
	}
}
