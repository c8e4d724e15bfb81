package adserver_test

import (
	"strings"
	"testing"

	"esagate/internal/adserver"
	"esagate/internal/fault"
)

const (
	operators  = " can't be given: the service account is the operator's, who configures it for this gateway."
	untakeable = " can't be taken by the sales agent at its present version."
	oneKindFW  = "Credentials of one kind can be given, not of several: username with password, or apiToken."
	oneKindSS  = "Credentials of one kind can be given, not of several: email with password, or apiToken."
	notOf      = "This is not a field of an ad server of the type "
	noType     = "type: type must be google_ad_manager, freewheel, springserve, broadstreet or mock."
)

func lines(l ...string) string { return strings.Join(l, "\n") }

func TestEveryIssueIsNamed(t *testing.T) {
	fw := func(rest string) string { return `{"type":"freewheel","apiToken":"tok"` + rest + `}` }
	ss := func(rest string) string { return `{"type":"springserve","apiToken":"tok"` + rest + `}` }
	gam := func(rest string) string { return `{"type":"google_ad_manager","networkCode":"1"` + rest + `}` }
	x := func(n int) string { return strings.Repeat("é", n) }
	for _, c := range []struct{ name, body, want string }{
		{"nothing", `{}`, "type: type is required."},
		{"type null", `{"type":null,"networkCode":5}`, "type: type can't be null."},
		{"type unknown", `{"type":"xandr","secret":"s"}`, noType},
		{"type in capitals", `{"type":"MOCK"}`, noType},
		{"adswizz", `{"type":"adswizz","agencyId":"x","apiKey":null}`, "type: An ad server of the type adswizz" + untakeable},

		{"gam without a network", `{"type":"google_ad_manager"}`, "networkCode: networkCode is required."},
		{"gam, network in Arabic digits", `{"type":"google_ad_manager","networkCode":"١٢"}`, "networkCode: networkCode must be digits."},
		{"gam, network of 33", `{"type":"google_ad_manager","networkCode":"` + strings.Repeat("1", 33) + `"}`, "networkCode: networkCode is longer than 32 characters."},
		{"gam, network of 32", `{"type":"google_ad_manager","networkCode":"` + strings.Repeat("1", 32) + `"}`, ""},
		{"gam, the operator's", gam(`,"refreshToken":null,"serviceAccountKeyJson":"k","service_account_key_json":1,"serviceAccountEmail":"a@b.c","serviceAccountKey":"","serviceAccountJson":{},"service_account_email":"e","refresh_token":"r"`),
			lines("serviceAccountEmail: serviceAccountEmail"+operators, "serviceAccountKey: serviceAccountKey"+operators,
				"serviceAccountKeyJson: serviceAccountKeyJson"+operators, "serviceAccountJson: serviceAccountJson"+operators,
				"refreshToken: refreshToken"+operators, "service_account_email: service_account_email"+operators,
				"service_account_key_json: service_account_key_json"+operators, "refresh_token: refresh_token"+operators)},
		{"gam, credentials of others", gam(`,"username":"u","apiToken":"t"`),
			lines("username: "+notOf+"google_ad_manager.", "apiToken: "+notOf+"google_ad_manager.")},

		{"freewheel without credentials", `{"type":"freewheel"}`,
			lines("username: username is required, with password, unless apiToken is given.", "password: password is required, with username, unless apiToken is given.")},
		{"freewheel, half a pair", `{"type":"freewheel","username":"u"}`, "password: password is required with username."},
		{"freewheel, the other half", `{"type":"freewheel","password":"p"}`, "username: username is required with password."},
		{"freewheel, both kinds", fw(`,"username":"u","password":"p"`), lines("username: "+oneKindFW, "password: "+oneKindFW, "apiToken: "+oneKindFW)},
		{"freewheel, a half beside a token", fw(`,"password":"p"`), lines("password: "+oneKindFW, "apiToken: "+oneKindFW)},
		{"freewheel, both kinds, one wrong", fw(`,"password":null`), lines("password: password can't be null.", "apiToken: "+oneKindFW)},
		{"freewheel, client credentials", `{"type":"freewheel","clientId":"c","clientSecret":"s"}`,
			lines("clientId: clientId"+untakeable, "clientSecret: clientSecret"+untakeable)},
		{"freewheel, client credentials beside others", fw(`,"clientSecret":"s"`), lines("apiToken: "+oneKindFW, "clientSecret: clientSecret"+untakeable)},
		{"freewheel, empty", `{"type":"freewheel","username":"","password":""}`, lines("username: username can't be empty.", "password: password can't be empty.")},
		{"freewheel, too long", `{"type":"freewheel","username":"` + x(256) + `","password":"` + x(16385) + `"}`,
			lines("username: username is longer than 255 characters.", "password: password is longer than 16384 characters.")},
		{"freewheel, as long as can be", `{"type":"freewheel","username":"` + x(255) + `","password":"` + x(16384) + `","defaultAdvertiserId":"` + x(64) + `"}`, ""},
		{"freewheel, token with NUL", `{"type":"freewheel","apiToken":"a\u0000b"}`, "apiToken: apiToken can't contain the character U+0000."},
		{"freewheel, sandbox", fw(`,"environment":"sandbox"`), "environment: The environment sandbox" + untakeable},
		{"freewheel, environment", fw(`,"environment":"prod"`), "environment: environment must be production or staging."},
		{"freewheel, nulls", fw(`,"environment":null,"defaultAdvertiserId":null,"executionCurrency":null,"connectionContract":null`),
			lines("connectionContract: connectionContract can't be null.", "environment: environment can't be null.",
				"defaultAdvertiserId: defaultAdvertiserId can't be null.", "executionCurrency: executionCurrency can't be null.")},
		{"freewheel, currency", fw(`,"executionCurrency":"eur","defaultAdvertiserId":"` + x(65) + `"`),
			lines("defaultAdvertiserId: defaultAdvertiserId is longer than 64 characters.", "executionCurrency: executionCurrency must be three capital letters.")},
		{"freewheel, currency of four", fw(`,"executionCurrency":"EURO"`), "executionCurrency: executionCurrency must be three capital letters."},
		{"freewheel, all at once", `{"type":"freewheel","username":7,"environment":"x","rateCurrency":"EUR","clientId":"c"}`,
			lines("username: "+"username must be a string.", "environment: environment must be production or staging.", "clientId: clientId"+untakeable, "rateCurrency: "+notOf+"freewheel.")},

		{"springserve, staging", ss(`,"environment":"staging"`), "environment: environment must be production."},
		{"springserve, both kinds", ss(`,"email":"a@b.example"`), lines("email: "+oneKindSS, "apiToken: "+oneKindSS)},
		{"springserve, half a pair", `{"type":"springserve","email":"a@b.example"}`, "password: password is required with email."},
		{"springserve, partner as text", ss(`,"defaultDemandPartnerId":"5"`), "defaultDemandPartnerId: defaultDemandPartnerId must be an integer."},
		{"springserve, currency", ss(`,"rateCurrency":"E€R"`), "rateCurrency: rateCurrency must be three capital letters."},
		{"springserve, another's login", ss(`,"username":"u"`), "username: " + notOf + "springserve."},

		{"broadstreet, nothing", `{"type":"broadstreet"}`, lines("networkId: networkId is required.", "apiKey: apiKey is required.")},
		{"broadstreet, wrong", `{"type":"broadstreet","networkId":"` + x(65) + `","apiKey":""}`,
			lines("networkId: networkId is longer than 64 characters.", "apiKey: apiKey can't be empty.")},

		{"mock with something", `{"type":"mock","dryRun":true,"name":"n","sourceId":"s"}`,
			lines("dryRun: "+notOf+"mock.", "name: "+notOf+"mock.", "sourceId: "+notOf+"mock.")},
		{"names that are no words", `{"type":"mock","my field":1,"sk_live_4eC39HqLyjWDarjtT1zdp7dc":2,"":3,"x":4}`,
			lines("body: There is a field that is not known.", "x: "+notOf+"mock.")},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := adserver.Parse([]byte(c.body))
			if got := issuesOf(t, err); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestConnectionContract(t *testing.T) {
	for given, want := range map[string]string{
		`{"id":"a","version":1,"authenticationMethod":"oauth2"}`:                                                        "",
		`{"id":"a-b_9` + strings.Repeat("z", 122) + `","version":9007199254740991,"authenticationMethod":"basic_auth"}`: "",
		`{}`: lines("connectionContract.id: connectionContract.id is required.", "connectionContract.version: connectionContract.version is required.",
			"connectionContract.authenticationMethod: connectionContract.authenticationMethod is required."),
		`"x"`: "connectionContract: connectionContract must be an object.",
		`{"id":"9a","version":0,"authenticationMethod":"saml","more":1,"a b":2}`: lines(
			"connectionContract.id: connectionContract.id must be lower-case letters, digits, - and _, a letter first.",
			"connectionContract.version: connectionContract.version must be from 1 to 9007199254740991.",
			"connectionContract.authenticationMethod: connectionContract.authenticationMethod must be none, bearer_token, api_key, credential_exchange, basic_auth, oauth2, jwt or platform_service_account.",
			"connectionContract.more: This is not a field of connectionContract.", "connectionContract: There is a field that is not known."),
		`{"id":"aB","version":"1","authenticationMethod":"jwt"}`: lines(
			"connectionContract.id: connectionContract.id must be lower-case letters, digits, - and _, a letter first.",
			"connectionContract.version: connectionContract.version must be an integer."),
		`{"id":"` + strings.Repeat("z", 129) + `","version":null,"authenticationMethod":"jwt"}`: lines(
			"connectionContract.id: connectionContract.id is longer than 128 characters.", "connectionContract.version: connectionContract.version can't be null."),
	} {
		_, err := adserver.Parse([]byte(`{"type":"mock","connectionContract":` + given + `}`))
		if got := issuesOf(t, err); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", given, got, want)
		}
	}
}

func TestEmail(t *testing.T) {
	for address, ok := range map[string]bool{
		"a@b.co": true, "A.b_c'd+e-1@x-1.y.museum": true, "x@" + strings.Repeat("a.", 100) + "co": true,
		".a@b.co": false, "a..b@c.co": false, "a.@b.co": false, "a'@b.co": false, "a@b": false, "a@b.c": false, "a@-b.co": false,
		"a@b..co": false, "a b@c.co": false, "@b.co": false, "a@b.c0": false, "a@b@c.co": false, "é@b.co": false, "a@b.co\n": false, "key=v@b.co": false,
	} {
		_, err := adserver.Parse([]byte(`{"type":"springserve","password":"p","email":` + encoded(t, address) + `}`))
		want := "email: email must be an e-mail address."
		if ok {
			want = ""
		}
		if got := issuesOf(t, err); got != want {
			t.Errorf("%q: %q, want %q", address, got, want)
		}
	}
}

func TestConnectIssues(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"","sourceId":"a/b"}`: lines("name: name can't be empty.", `sourceId: sourceId can't contain any of / \ ? # %.`, "type: type is required."),
		`{"type":"mock","name":null,"sourceId":5,"networkCode":"1"}`: lines("name: name can't be null.", "sourceId: sourceId must be a string.",
			"networkCode: "+notOf+"mock."),
		`{"type":"mock","sourceId":""}`:                             "sourceId: sourceId is empty.",
		`{"type":"mock","name":"` + strings.Repeat("é", 256) + `"}`: "name: name is longer than 255 characters.",
		`{"type":"adswizz","sourceId":".."}`:                        lines("sourceId: sourceId can't be a dot segment.", "type: An ad server of the type adswizz"+untakeable),
	} {
		_, err := adserver.ParseConnect([]byte(body))
		if got := issuesOf(t, err); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", body, got, want)
		}
	}
}

// Other broken bodies are tested in package sources.
func TestBrokenBody(t *testing.T) {
	body := []byte(`{"type":"mock","connectionContract":{"id":"a","id":"b"}}`)
	_, one := adserver.Parse(body)
	_, two := adserver.ParseConnect(body)
	for _, err := range []error{one, two} {
		if !fault.Is(err, fault.BadRequest) || err.Error() != "The body names something twice." {
			t.Errorf("got %v", err)
		}
	}
}
