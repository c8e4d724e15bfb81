package upstream_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"esagate/internal/fault"
	"esagate/upstream"
	ut "esagate/upstream/upstreamtest"
	"esagate/upstream/wire"
)

// pem is a key in PEM of plain words, which no pattern recognises as a secret.
const pem = "-----BEGIN PRIVATE KEY-----\nlantern over\nharbour wall\n-----END PRIVATE KEY-----\n"

func keyFile() string {
	b, _ := json.Marshal(map[string]string{
		"type": "service_account", "private_key": pem, "private_key_id": "keel-nine", "client_email": "ads@kiosk.example"})
	return string(b)
}

// adapterWith is the config of an ad server with credentials: names and values in turn.
func adapterWith(kind string, credentials ...string) wire.AdapterRequest {
	config := wire.AdapterRequest{{Name: "type", Value: kind}}
	for i := 0; i < len(credentials); i += 2 {
		config = append(config, wire.AdapterField{Name: credentials[i], Value: wire.Secret(credentials[i+1])})
	}
	return config
}

// sending is a request whose credentials are plain words.
type sending struct {
	name    string
	route   ut.Route
	secrets []string
	call    func(ctx context.Context, c *upstream.Client) error
}

func sendings() []sending {
	all := []sending{{"webhook", ut.RouteCreateWebhook, []string{"anchor lantern"}, func(ctx context.Context, cl *upstream.Client) error {
		_, err := cl.CreateWebhook(ctx, tenant, wire.WebhookRequest{URL: "https://gate.example/w", Secret: "anchor lantern"})
		return err
	}}}
	for name, c := range map[string]struct {
		adapter wire.AdapterRequest
		secrets []string
	}{
		"words":                 {adapterWith("springserve", "password", "hunter2", "api_token", "sea horse"), []string{"hunter2", "sea horse"}},
		"a key":                 {adapterWith("google_ad_manager", "service_account_key_json", keyFile()), []string{"keel-nine", "lantern over"}},
		"a key that is no JSON": {adapterWith("google_ad_manager", "service_account_key_json", "no key"), []string{"no key"}},
	} {
		all = append(all,
			sending{name, ut.RouteProvision, c.secrets, func(ctx context.Context, cl *upstream.Client) error {
				_, err := cl.Provision(ctx, wire.ProvisionRequest{Name: "Kiosk", ExternalOrgID: "31-8", Adapter: c.adapter})
				return err
			}},
			sending{name, ut.RoutePutAdapterConfig, c.secrets, func(ctx context.Context, cl *upstream.Client) error {
				return cl.PutAdapterConfig(ctx, tenant, c.adapter)
			}})
	}
	return all
}

// textOf is all the text of an error.
func textOf(err error) string {
	text := err.Error()
	if f := fault.As(err); f != nil {
		text += fmt.Sprintf("\n%q %q %+v %q", f.Message, f.Field, f.Issues, f.ErrorCode)
	}
	if no := refusal(err); no != nil {
		text += fmt.Sprintf("\n%+v", *no)
	}
	return text
}

// Whatever the shape and status of an answer, its error repeats no credential.
func TestErrorsDoNotRepeatCredentials(t *testing.T) {
	faults := map[string]ut.Fault{
		"an ad server's":   {Status: 400, Code: "adapter_invalid_credentials"},
		"of no known word": {Status: 400, Shape: ut.ShapeProblem},
		"a list":           {Status: 422},
		"a 422 problem":    {Status: 422, Shape: ut.ShapeProblem},
		"a conflict":       {Status: 409, Shape: ut.ShapeProblem},
		"managed":          {Status: 403, Code: "managed_tenant_write_blocked", Shape: ut.ShapeProblem},
		"the key":          {Status: 401, Shape: ut.ShapeProblem},
		"a 500":            {Status: 500, Shape: ut.ShapeProblem},
		"a 503":            {Status: 503, Shape: ut.ShapeProblem},
	}
	for _, s := range sendings() {
		for name, f := range faults {
			t.Run(s.name+"/"+string(s.route)+"/"+name, func(t *testing.T) {
				run(t, upstream.Config{}, func(t *testing.T, r *rig) {
					f.Only, f.Echo = s.route, true
					r.agent.Fault("", f)
					err := s.call(t.Context(), r.client)
					if r.fault(err) == nil {
						t.Fatal("no error")
					}
					all := textOf(err) + r.log.String()
					for _, secret := range s.secrets {
						if strings.Contains(all, secret) {
							t.Errorf("%q came back: %s", secret, all)
						}
					}
				})
			})
		}
	}
}

// answering returns the error of provisioning with a password when this is the answer.
func answering(t *testing.T, password string, status int, body string) (err error) {
	t.Helper()
	alone(t, upstream.Config{}, gives(status, body),
		func(t *testing.T, r *rig) {
			_, err = r.client.Provision(t.Context(), wire.ProvisionRequest{Adapter: adapterWith("freewheel", "password", password)})
		})
	if err == nil {
		t.Fatal("no error")
	}
	return err
}

// A message of upstream's is shown unless it holds a credential, in any encoding.
func TestMessagesWithACredentialAreNotShown(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		sentence string
		shown    bool
	}{
		"another":               {"hunter2", "No login with hunter three.", true},
		"nearly a piece":        {"correct horse battery", "A correct one is no batter.", true},
		"a piece":               {"correct horse battery", "No login with correct h.", false},
		"itself":                {"hunter2", "No login with hunter2.", false},
		"nothing but itself":    {"hunter2", "hunter2", false},
		"capitals":              {"hunter2", "No login with HUNTER2.", false},
		"small letters":         {"HunTer2", "No login with hunter2.", false},
		"spread":                {"hunter2", "No login with h u n t e r 2.", false},
		"unseen in between":     {"hunter2", "No login with hun\u200bt\ufe0fer\u00ad2.", false},
		"over two lines":        {"hunter2", "No login with hunt\ner2.", false},
		"past what is shown":    {"hunter2", "No login.\n" + strings.Repeat("x ", 200) + "hunter2", false},
		"cut short":             {"correct horse battery staple", "No login with 'correct horse…'.", false},
		"without its beginning": {"correct horse battery staple", "No login with '…ttery staple'.", false},
		"JSON":                  {`a"b\c<d`, `No login with a\"b\\c\u003cd.`, false},
		"JSON, twice":           {`a"b\c`, `No login with a\\\"b\\\\c.`, false},
		"JSON beyond ASCII":     {"größe", `No login with gr\u00f6\u00dfe.`, false},
		"JSON beyond 16 bits":   {"x😀y", `No login with x\ud83d\ude00y.`, false},
		"Python":                {"größe", `No login with gr\xf6\xdfe.`, false},
		"lines":                 {"ab\ncd", `No login with ab\ncd.`, false},
		"a URL":                 {"p@ss/w d", "No login with p%40ss%2fw+d.", false},
		"a URL's path":          {"p@ss/w d", "No login with p%40ss%2Fw%20d.", false},
		"a URL in JSON":         {"p&w", `No login with p\u002526w.`, false},
		"what looks escaped":    {`50%25\x`, `No login with 50%25\x.`, false},
		"HTML":                  {"a<b&c", "No login with a&lt;b&amp;c.", false},
		"other letters":         {"пароль", "No login with ПАРОЛЬ.", false},
		"of two characters":     {"pw", "No login with pw.", false},
		"of one, by chance":     {"n", "No login.", false},
		"of blanks":             {"  ", "No login.", false},
		"of signs":              {"!!??", "No login with !!??.", false},
		"of broken escapes":     {"hunter2", `No login with 100% \u12 \ hunter2 \`, false},
		"broken escapes":        {"hunter2", `Up to 100% \u12 %4 \`, true},
	} {
		t.Run(name, func(t *testing.T) {
			sentence, _ := json.Marshal(c.sentence)
			inProblem := answering(t, c.password, 400, `{"error":"adapter_invalid_config","message":`+string(sentence)+`}`)
			if got := refusal(inProblem).Message != ""; got != c.shown {
				t.Errorf("the refusal: %s", textOf(inProblem))
			}
			inList := answering(t, c.password, 422, `[{"loc":["freewheel","username"],"msg":`+string(sentence)+`}]`)
			if got := fault.As(inList).Message != "The sales agent does not accept this value."; got != c.shown {
				t.Errorf("the issue: %s", textOf(inList))
			}
			alone := answering(t, c.password, 400, `{"error":`+string(sentence)+`}`)
			if got := refusal(alone).Message+refusal(alone).Code != ""; got != c.shown {
				t.Errorf("the sentence alone: %s", textOf(alone))
			}
		})
	}
}

// Codes of upstream's are shown unless they hold a password. The codes that the gateway
// judges by are known and stay.
func TestCredentialsInCodes(t *testing.T) {
	for word, c := range map[string]struct {
		status   int
		password string
		shown    bool
	}{
		"quota_reached":                {400, "hunter2", true},
		"hunter2":                      {400, "hunter2", false},
		"no_hunter2_here":              {500, "hunter2", false},
		"external_org_id_conflict":     {409, "org", true},
		"managed_tenant_write_blocked": {403, "a", true},
		"adapter_invalid_credentials":  {400, "invalid", true},
		"adapter_hunter2":              {400, "hunter2", false},
	} {
		err := answering(t, c.password, c.status, `{"error":"`+word+`","message":"m"}`)
		if got := strings.Contains(textOf(err), word); got != c.shown {
			t.Errorf("%s: %s", word, textOf(err))
		}
		if word == "managed_tenant_write_blocked" && fault.As(err).Kind != fault.Conflict ||
			word == "adapter_invalid_credentials" && refusal(err).AdapterCode != "invalid_credentials" {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// Of a key file only the secrets count as credentials.
func TestMessagesAboutAKeyFile(t *testing.T) {
	for sentence, shown := range map[string]bool{
		"The service_account ads@kiosk.example has no access.": true,
		"Key keel-nine is revoked.":                            false,
		"Can't read lantern over.":                             false,
		`Can't read lantern over\nharbour wall.`:               false,
		"Can't read " + keyFile():                              false,
	} {
		text, _ := json.Marshal(sentence)
		alone(t, upstream.Config{}, gives(400, `{"error":"adapter_permission_denied","message":`+string(text)+`}`), func(t *testing.T, r *rig) {
			err := r.client.PutAdapterConfig(t.Context(), tenant, adapterWith("google_ad_manager", "service_account_key_json", keyFile()))
			if got := refusal(err).Message != ""; got != shown {
				t.Errorf("%s: %s", sentence, textOf(err))
			}
		})
	}
}

// An id that holds a credential makes an answer unusable; an address is left out.
func TestCredentialsInSuccesses(t *testing.T) {
	for name, c := range map[string]struct {
		password string
		answer   string
		want     *wire.Provisioned // nil: an answer that can't be used
	}{
		"nothing": {"hunter2", `{"tenant_id":"tnt_1","mcp_url":"https://a.example/mcp/","a2a_url":"https://a.example/a2a"}`,
			&wire.Provisioned{TenantID: "tnt_1", MCPURL: text("https://a.example/mcp/"), A2AURL: text("https://a.example/a2a")}},
		"the id":       {"hunter2", `{"tenant_id":"tnt_Hunter2"}`, nil},
		"addresses":    {"hun ter2", `{"tenant_id":"tnt_1","mcp_url":"https://a.example/Hun+ter2","a2a_url":"https://hunter2@a.example"}`, &wire.Provisioned{TenantID: "tnt_1"}},
		"of three":     {"tnt", `{"tenant_id":"tnt_1","mcp_url":"https://a.example/tnt"}`, &wire.Provisioned{TenantID: "tnt_1", MCPURL: text("https://a.example/tnt")}},
		"all of three": {"tnt", `{"tenant_id":"tnt"}`, nil},
	} {
		alone(t, upstream.Config{}, gives(201, c.answer),
			func(t *testing.T, r *rig) {
				got, err := r.client.Provision(t.Context(), wire.ProvisionRequest{Adapter: adapterWith("freewheel", "password", c.password)})
				switch {
				case c.want != nil && (err != nil || *got != *c.want):
					t.Errorf("%s: %+v, %v", name, got, err)
				case c.want == nil && (err == nil || fault.As(err).Reason != fault.UpstreamInvalidResponse || refusal(err) != nil || upstream.NotSent(err)):
					t.Errorf("%s: %+v, %v", name, got, err)
				}
			})
	}
	for answer, want := range map[string]*wire.Webhook{
		`{"webhook_id":"wh_1","url":"https://g.example/?s=anchor+lantern"}`: {WebhookID: "wh_1"},
		`{"webhook_id":"wh_anchorlantern"}`:                                 nil,
	} {
		alone(t, upstream.Config{}, gives(201, answer),
			func(t *testing.T, r *rig) {
				got, err := r.client.CreateWebhook(t.Context(), tenant, wire.WebhookRequest{Secret: "anchor lantern"})
				if want == nil && (err == nil || fault.As(err).Reason != fault.UpstreamInvalidResponse) || want != nil && (err != nil || *got != *want) {
					t.Errorf("%s: %+v, %v", answer, got, err)
				}
			})
	}
}
