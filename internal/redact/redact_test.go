package redact_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"esagate/internal/redact"
)

// shown are texts that Text lets through, with what it makes of them.
var shown = []struct{ name, in, want string }{
	{"empty", "", ""},
	{"blank", " \t\n\u2028 ", ""},
	{"sentence", "The ad server refused the saved credentials.", "The ad server refused the saved credentials."},
	{"long error name", "PermissionError.PERMISSION_DENIED for service account", "PermissionError.PERMISSION_DENIED for service account"},
	{"error name", "AuthenticationError.NETWORK_API_ACCESS_DISABLED", "AuthenticationError.NETWORK_API_ACCESS_DISABLED"},
	{"error name in brackets", "[AuthenticationError.NOT_WHITELISTED_FOR_API_ACCESS @ ]", "[AuthenticationError.NOT_WHITELISTED_FOR_API_ACCESS @ ]"},
	{"quota", "quota exceeded", "quota exceeded"},
	{"digits beside a long run", "17 PermissionError.PERMISSION_DENIED 4", "17 PermissionError.PERMISSION_DENIED 4"},
	{"signs in other words", "error: a/b //c: asked @ops ?x", "error: a/b //c: asked @ops ?x"},
	{"run of 23", "id abcdefghij-1234567890.a!", "id abcdefghij-1234567890.a!"},
	{"long run without a digit", strings.Repeat("token", 20), strings.Repeat("token", 20)},
	{"comparisons", "status >= 500, tries <= 3, code != 200", "status >= 500, tries <= 3, code != 200"},
	{"equals without a value", "missing value after name= ", "missing value after name="},
	{"equals without a key", "= 5", "= 5"},
	{"plain URL", "see https://help.example.com/gam now", "see https://help.example.com/gam now"},
	{"URL ends a question", "Have you read https://help.example.com/gam?", "Have you read https://help.example.com/gam?"},
	{"mail address", "share it with ops@example.com", "share it with ops@example.com"},
	{"question", "Is the network right?", "Is the network right?"},
	{"colon after another word", "network: not found", "network: not found"},
	{"status", "No answer (status=503).", "No answer (status=503)."},
	{"status and code", "status=503, code=AUTH_FAILED", "status=503, code=AUTH_FAILED"},
	{"status and code, no comma", "status=503 code=17", "status=503 code=17"},
	{"many codes", strings.Repeat("code=1,", 900), strings.Repeat("code=1,", 29)[:200]},
	{"status with a colon", "http_status: 503", "http_status: 503"},
	{"error word", "error=timeout, retries=3", "error=timeout, retries=3"},
	{"error of a type", "error=PermissionError: no role", "error=PermissionError: no role"},
	{"error code in words", "error code=10011", "error code=10011"},
	{"counts and times", "(read timeout=30.0) retry_after=30, timeout=500ms, errno=-2",
		"(read timeout=30.0) retry_after=30, timeout=500ms, errno=-2"},
	{"names in parts", "http.status=503 status-code=503 errorType=TIMEOUT", "http.status=503 status-code=503 errorType=TIMEOUT"},
	{"status and reason", "(status_code=401, reason=Unauthorized)", "(status_code=401, reason=Unauthorized)"},
	{"error of a service", "reason=AuthenticationError.NETWORK_NOT_FOUND", "reason=AuthenticationError.NETWORK_NOT_FOUND"},
	{"status, loud", "status=503! status=503...", "status=503! status=503..."},
	{"pool of connections", "HTTPSConnectionPool(host='x', port=443): Max retries exceeded",
		"HTTPSConnectionPool(host='x', port=443): Max retries exceeded"},
	{"remote call", "rpc error: code = Unavailable desc = connection refused", "rpc error: code = Unavailable desc = connection refused"},
	{"remote call in Python", "status = StatusCode.UNAUTHENTICATED", "status = StatusCode.UNAUTHENTICATED"},
	{"credentials and HTTP, from where", "credentials: HTTP 401 from token endpoint", "credentials: HTTP 401 from token endpoint"},
	{"credentials and HTTP in brackets", "credentials: (HTTP 401)", "credentials: (HTTP 401)"},
	{"credentials and a status code", "credentials: status code: 401", "credentials: status code: 401"},
	{"credentials and a client's words", "credentials: 401 Client Error: Unauthorized", "credentials: 401 Client Error: Unauthorized"},
	{"token and a gateway's words", "token: 502 Bad Gateway.", "token: 502 Bad Gateway."},
	{"credentials and HTTP", "Exchange of credentials: HTTP 401", "Exchange of credentials: HTTP 401"},
	{"credentials and a status", "credentials: status=503", "credentials: status=503"},
	{"token and a status", "token: 401 Unauthorized", "token: 401 Unauthorized"},
	{"key and a complaint", "key: not found (status=404)", "key: not found (status=404)"},
	{"token and a complaint", "Invalid token: expired", "Invalid token: expired"},
	{"refresh and its error", "refresh of the credentials: invalid_grant", "refresh of the credentials: invalid_grant"},
	{"complaint on a line", "token: revoked\nat x", "token: revoked"},
	{"name without a value", "Please enter the password:", "Please enter the password:"},
	{"basic as an adjective", "Basic authentication is off; basic settings, bearer tokens.", "Basic authentication is off; basic settings, bearer tokens."},
	{"scheme alone", "expected Bearer", "expected Bearer"},
	{"PEM without BEGIN", "----- END", "----- END"},
	{"first line", "first\nsecond", "first"},
	{"carriage return", "first\r\nsecond", "first"},
	{"vertical tab", "first\vsecond", "first"},
	{"form feed", "first\fsecond", "first"},
	{"next line", "first\u0085second", "first"},
	{"line separator", "first\u2028second", "first"},
	{"paragraph separator", "first\u2029second", "first"},
	{"leading blank lines", " \r\n\n\t first \nsecond", "first"},
	{"controls", "a\x00b\x1b[31mc\x7fd\u009be", "ab[31mcde"},
	{"tab", "a\tb", "a b"},
	{"invisible", "\ufeffa\u200bb\u202ec\u2066d\u00ade", "abcde"},
	{"invalid UTF-8", "a\xff\xc3b", "a\ufffd\ufffdb"},
	{"other scripts", "Réseau introuvable — 見つかりません", "Réseau introuvable — 見つかりません"},
	{"200 ASCII characters", strings.Repeat("ab ", 70), strings.TrimSpace(strings.Repeat("ab ", 70)[:200])},
	{"200 other characters", strings.Repeat("é", 300), strings.Repeat("é", 200)},
	{"variation selectors", "\u26a0\ufe0f Quota: 1\ufe0f\u20e3 of \u2764\ufe0e, \u845b\U000e0100",
		"\u26a0\ufe0f Quota: 1\ufe0f\u20e3 of \u2764\ufe0e, \u845b\U000e0100"},
	{"joiners", "\U0001f469\u200d\u2764\ufe0f\u200d\U0001f469 می\u200cخواهم ക്\u200dഷ",
		"\U0001f469\u200d\u2764\ufe0f\u200d\U0001f469 می\u200cخواهم ക്\u200dഷ"},
	{"selectors of nothing", "\ufe0fa\ufe0f\ufe0e b \ufe0f\n", "a\ufe0f b"},
	{"joiners of nothing", "\u200da\u200d é\u200d\u200c\u200d \u200db\u200c", "a é\u200d b"},
	{"a selector after what is not shown", "\u26a0\u200b\ufe0f\U000e0067", "\u26a0\ufe0f"},
	{"mail link", "Contact mailto:ops@example.com", "Contact mailto:ops@example.com"},
	{"mail address in JSON", `{"email":"ops@example.com"} is no user`, `{"email":"ops@example.com"} is no user`},
	{"version of an action", "uses: actions/checkout@v4, @scope/pkg@1.2.3", "uses: actions/checkout@v4, @scope/pkg@1.2.3"},
	{"field that is required", "password: Field required", "password: Field required"},
	{"field that is empty", "api_key: must not be empty", "api_key: must not be empty"},
	{"keys of targeting", "Targeting key: color; custom targeting keys: 12 of 40", "Targeting key: color; custom targeting keys: 12 of 40"},
	{"id of a network", "network_code=123456789, order_id=42", "network_code=123456789, order_id=42"},
	{"place and count", "line=42, column=7, total=10 elapsed=3.4s (charset=utf-8)", "line=42, column=7, total=10 elapsed=3.4s (charset=utf-8)"},
	{"names in a list", "['password', 'username'] are required ('token',)", "['password', 'username'] are required ('token',)"},
	{"options in a sentence", "`--token` is required, or '--password'", "`--token` is required, or '--password'"},
	{"placeholder", "Put the <password> in the field, not <token>.", "Put the <password> in the field, not <token>."},
	{"empty element", "<password></password>", "<password></password>"},
	{"other element", "<fault><code>503</code></fault>", "<fault><code>503</code></fault>"},
	{"option in a sentence", "use --token to set it; --password is required", "use --token to set it; --password is required"},
	{"other option", "run with --network 4711", "run with --network 4711"},
	{"arrow after another word", "network -> not found", "network -> not found"},
	{"arrow and a complaint", "token -> expired", "token -> expired"},
	{"entities", "Fish &amp; Chips &lt;closed&gt;", "Fish &amp; Chips &lt;closed&gt;"},
	{"percents", "50% of 100%, 5%20off", "50% of 100%, 5%20off"},
	{"backslashes", `C:\temp\new is full`, `C:\temp\new is full`},
	{"status, full width", "\uff08status\uff1d503\uff09", "\uff08status\uff1d503\uff09"},
	{"path with a mail address", "GET /users/ops@example failed", "GET /users/ops@example failed"},
	{"words like tokens of issuers", "ASIA-PACIFIC sk_live eyJ ghost", "ASIA-PACIFIC sk_live eyJ ghost"},
	{"cut counts what is shown", strings.Repeat("\u200b", 300) + "end", "end"},
}

func TestTextShown(t *testing.T) {
	for _, c := range shown {
		t.Run(c.name, func(t *testing.T) {
			got, ok := redact.Text(c.in)
			if !ok || got != c.want {
				t.Errorf("Text(%q) = %q, %v; want %q, true", c.in, got, ok, c.want)
			}
			if redact.Secretlike(c.in) {
				t.Errorf("Secretlike(%q) = true", c.in)
			}
		})
	}
}

// secrets are texts that hold something secret-like.
var secrets = []struct{ name, in string }{
	{"run of 24", "id abcdefghij-1234567890.ab!"},
	{"digit last", "abcdefghijklmnopqrstuvw0"},
	{"digit past the 24th", strings.Repeat("a", 100) + "7"},
	{"digit first", "7" + strings.Repeat("a", 23)},
	{"base64", "got aGVsbG8+d29ybGQ/aGVsbG8rd29y1"},
	{"uuid", "run 0b9e6a52-7f0c-4a53-9a53-2d1f6f9f2f11 failed"},
	{"beyond the cut", strings.Repeat("a b ", 400) + "ya29.a0AfH6SMBxyzabcdefgh12"},
	{"on a later line", "refused\n\n  at x\nkey AIzaSyA1234567890abcdefghijklmnop"},
	{"PEM", "bad key -----BEGIN PRIVATE KEY----- "},
	{"PEM after dashes", "---------BEGIN RSA PRIVATE KEY-----"},
	{"user info", "dial https://svc:pw@ads.example.com/x"},
	{"user only", "dial https://token@ads.example.com/x"},
	{"user info with a slash", "dial https://svc:p/w@ads.example.com/x"},
	{"no scheme", "dial root:pw@db"},
	{"network path", "dial //pw@db/x"},
	{"query", "GET https://ads.example.com/x?abc failed"},
	{"query of a path", "GET /x?abc failed"},
	{"pair", "failed with user=ann"},
	{"pair, spaced", "failed with user = ann"},
	{"pair over lines", "user=\nann"},
	{"pair, hash rocket", `{:user => "ann"}`},
	{"pair, percent-encoded", "body user%3Dann"},
	{"pair, quoted", `user="ann"`},
	{"non-ASCII key", "clé=x"},
	{"password", "password: x"},
	{"password, no blank", "password:x"},
	{"password, capitals", "PASSWORD : x"},
	{"password, plural", "passwords: x"},
	{"password, number", "password2: x"},
	{"json", `{"password": "x"}`},
	{"json, escaped", `"{\"password\": \"x\"}"`},
	{"python", `{'refresh_token': 'x'}`},
	{"header", "X-Api-Key: x"},
	{"camel case", "clientSecret: x"},
	{"api key in words", "the API key: x"},
	{"no-break space", "password\u00a0: x"},
	{"status that is a word with a digit", "status=hunter2"},
	{"code that is a word with a digit", "code=s3cr3t"},
	{"code of small letters", "code=hunter"},
	{"code of access", "access code=4711"},
	{"code of access, on the next line", "pin\ncode=4711"},
	{"code of access, in one word", "auth_code=4711"},
	{"code of access, remotely", "access rpc error code=hunter"},
	{"code of six digits", "code=471147"},
	{"status and more", "status=503&token=abc"},
	{"status, glued", "status=503/hunter"},
	{"status past a sign", "status=503@hunter"},
	{"status past a no-break space", "status=503\u00a0hunter"},
	{"status after a no-break space", "status=\u00a0503"},
	{"status in parts", "status=50\u200b3x"},
	{"status, named longer", "my_status=503"},
	{"status of something", "token.status=503"},
	{"status with a hyphen", "token-status=503"},
	{"status after a no-break space before", "\u00a0status=503"},
	{"status, quoted", `status="hunter"`},
	{"status, percent-encoded", "status%3D503"},
	{"status over lines", "status=\n503"},
	{"status twice", "status==503"},
	{"long error word", "error=" + strings.Repeat("ab", 33)},
	{"status as a password", "password=503"},
	{"credentials", "credentials: user/pass"},
	{"credentials and no status", "credentials: HTTP hunter2"},
	{"credentials and a long status", "credentials: HTTP 4011"},
	{"credentials and a version", "credentials: HTTP/hunter 401"},
	{"credentials, glued", "credentials: HTTP 401x"},
	{"credentials after a no-break space", "credentials: HTTP\u00a0401"},
	{"password of three digits", "password: 401"},
	{"password glued to a status", "password: status123"},
	{"password of a code", "password: code 123"},
	{"error word of signs", "error=Pa$$w0rd"},
	{"name that ends in a sign", "status_=hunter"},
	{"host, plain", "host=hunter2"},
	{"host and more", "host='x@y'"},
	{"password like a status", "password: 401 hunter"},
	{"password after a complaint", "password: invalid hunter2"},
	{"complaint, glued", "token: expired-hunter2"},
	{"complaint, quoted", `{"token": "expired"}`},
	{"bearer", "sent Bearer x"},
	{"bearer, small", "sent bearer  x1"},
	{"bearer after a quote", `sent "Bearer abc"`},
	{"basic", "sent Basic YW5uOngK"},
	{"basic, harmless word glued on", "sent Basic access1"},
	{"zero width inside a token", "abcdefghijkl\u200bmnopqrstuvwx1"},
	{"control inside a token", "abcdefghijkl\x00mnopqrstuvwx1"},
	{"selector inside a token", "abcdefghijkl\ufe0fmnopqrstuvwx1"},
	{"soft hyphen inside a name", "pass\u00adword: x"},
	{"element", "<password>x</password>"},
	{"element, spaced", "<ns:client-secret>\n x\n</ns:client-secret>"},
	{"element, cut short", "<password>hunter"},
	{"element, CDATA", "<apiKey><![CDATA[x]]></apiKey>"},
	{"element of a plural with a number", "<Tokens2>x</Tokens2>"},
	{"entity", "password&#61;x"},
	{"entities around", "&quot;password&quot;&colon;&quot;x&quot;"},
	{"escaped element", "&lt;password&gt;x&lt;/password&gt;"},
	{"percent escapes", "%70assword%3Ax"},
	{"percent escapes, twice", "password%253Dx"},
	{"JSON escapes", `\u0070assword: x`},
	{"JSON escape of a sign", `password\u003dx`},
	{"hexadecimal escapes", `\x70assword: x`},
	{"JSON in JSON in JSON", `"{\\\"password\\\": \\\"x\\\"}"`},
	{"full width sign", "password\uff1dx"},
	{"full width", "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44\uff1a x"},
	{"bold letters", "\U0001d429assword: x"},
	{"arrow", "password -> x"},
	{"fat arrow", "password => x"},
	{"sign of an arrow", "password \u2192 x"},
	{"option", "ran --password x"},
	{"option, one hyphen", "ran tool -password hunter"},
	{"option, quoted", `ran --api-key "x"`},
	{"header, basic", "Authorization: Basic abc"},
	{"header of a cookie", "Cookie: a=b"},
	{"Oracle", "connect user/secret@service"},
	{"Oracle with a host", "jdbc:oracle:thin:scott/tiger@//db:1521/x"},
	{"Oracle with an address", "connect user/secret@10.0.0.5"},
	{"mail address with a password", `{"dsn":"ops:pw@example.com"}`},
	{"network code that is a word", "network_code=hunter"},
	{"field and a value", "password: required hunter2"},
	{"other header", "X-Session: abc"},
	{"too many to be read", strings.Repeat("code=1,", 2000)},
	{"DSN", "host=db user=x password=y dbname=z"},
	{"PEM, escaped", `"-----BEGIN PRIVATE KEY-----\nMII\n"`},
	{"PEM, escaped hyphens", `\u002d----BEGIN`},
	{"AWS", "AKIAIOSFODNN7EXAMPLE was refused"},
	{"GitHub", "ghp_abcdefghij"},
	{"Slack", "xoxb-12-34-ab"},
	{"Google", "ya29.abcdef"},
	{"JWT", "eyJhbGciOiJI.eyJzdWIi.c2ln"},
	{"delete inside PEM", "--\x7f---BEGIN"},
	{"command, as a query", "Command+%27%5B%27dump%27%2C+%27--password%27%2C+%27hunter2%27%5D%27+failed"},
	{"element, as a query", "%3Cpassword+%3Ehunter2%3C%2Fx%3E"},
}

func TestTextReplaced(t *testing.T) {
	for _, c := range secrets {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := redact.Text(c.in); ok || got != "" {
				t.Errorf("Text(%q) = %q, %v; want empty, false", c.in, got, ok)
			}
			if !redact.Secretlike(c.in) {
				t.Errorf("Secretlike(%q) = false", c.in)
			}
		})
	}
}

func TestPlainTextCostsNothing(t *testing.T) {
	text := strings.Repeat("The network is not reachable: try again (code 17). ", 10)
	if n := testing.AllocsPerRun(100, func() { redact.Text(text) }); n != 0 {
		t.Errorf("Text allocates %v times for plain ASCII text", n)
	}
	if n := testing.AllocsPerRun(100, func() { redact.Secretlike("見つかりません — " + "é") }); n != 0 {
		t.Errorf("Secretlike allocates %v times for text without hidden characters", n)
	}
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat("The network is not reachable: try again (code=17). ", 10)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if s, ok := redact.Text(text); !ok || utf8.RuneCountInString(s) > redact.TextLimit {
			b.Fatal(s)
		}
	}
}
