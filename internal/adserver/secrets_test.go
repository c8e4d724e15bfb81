package adserver_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"esagate/internal/adserver"
	"esagate/internal/fault"
	"esagate/registry"
)

const canary = "q7Zk"

// holder keeps a config where fmt can't call its methods.
type holder struct {
	config  adserver.Config
	pointer *adserver.Config
	connect adserver.Connect
}

func TestCredentialsDoNotPrint(t *testing.T) {
	for _, body := range []string{
		`{"type":"freewheel","username":"u` + canary + `","password":"` + canary + `"}`,
		`{"type":"springserve","apiToken":"` + canary + `"}`,
		`{"type":"broadstreet","networkId":"n","apiKey":"` + canary + `"}`,
	} {
		connect, err := adserver.ParseConnect([]byte(body[:len(body)-1] + `,"name":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		config := connect.Config
		// The user name of a request may be shown.
		shown := strings.NewReplacer("u"+canary, "", fmt.Sprintf("%x", "u"+canary), "", fmt.Sprintf("%X", "u"+canary), "")
		values := []any{config, *config, connect, *connect, []*adserver.Config{config}, map[string]adserver.Config{"a": *config},
			holder{*config, config, *connect}, &holder{*config, config, *connect}, struct{ any }{*config}, errors.Join(fmt.Errorf("%v", config)),
			&adserver.Account{Email: "e", Key: canary}, config.Request(nil, nil, nil)}
		for i, v := range values {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T"} {
				got := fmt.Sprintf(verb, v)
				if i == len(values)-1 {
					got = shown.Replace(got)
				}
				if strings.Contains(got, canary) || strings.Contains(strings.ToLower(got), fmt.Sprintf("%x", canary)) {
					t.Errorf("value %d, %s: %s", i, verb, got)
				}
			}
		}
		if got := fmt.Sprint(config, *connect); got != "[ad-server config] [ad-server config]" {
			t.Errorf("printed: %s", got)
		}
		var text, jsonText bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "config", config, "value", *config, "connect", connect, "holder", holder{*config, config, *connect})
		slog.New(slog.NewJSONHandler(&jsonText, nil)).Info("m", "config", config, "value", *config, "connect", *connect, "holder", &holder{*config, config, *connect})
		for _, got := range []string{text.String(), jsonText.String(), encoded(t, config), encoded(t, connect)} {
			if strings.Contains(got, canary) {
				t.Errorf("logged: %s", got)
			}
		}
	}
}

// Wherever a caller puts a secret, no answer to a refused body says it.
func FuzzParse(f *testing.F) {
	for _, c := range golden {
		f.Add([]byte(c.body))
	}
	for _, seed := range []string{
		`{"type":"q7Zk"}`, `{"type":"freewheel","username":"q7Zk","apiToken":"q7Zk"}`, `{"type":"springserve","email":"q7Zk","rateCurrency":"q7Zk"}`,
		`{"type":"mock","a q7Zk":1,"name":"q7Zk"}`, `{"type":"google_ad_manager","networkCode":"q7Zk","refreshToken":"q7Zk"}`,
		`{"type":"broadstreet","connectionContract":{"id":"q7Zk","version":1e1,"authenticationMethod":"q7Zk"}}`, `{"type":"adswizz"} q7Zk`,
		`{"sourceId":"q7Zk/","name":"q7Zk\u0000","type":"springserve","defaultDemandPartnerId":-0.0}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := adserver.Parse(body)
		quiet(t, body, err)
		if err == nil {
			kept(t, c)
		}
		connect, err := adserver.ParseConnect(body)
		quiet(t, body, err)
		if err == nil {
			kept(t, connect.Config)
			if connect.Name == "" || len([]rune(connect.Name)) > 255 || !registry.Storable(connect.Name) || !registry.StorableID(connect.Slug) ||
				connect.SourceID != "" && !registry.StorableID(connect.SourceID) {
				t.Errorf("name %q, slug %q, sourceId %q", connect.Name, connect.Slug, connect.SourceID)
			}
		}
	})
}

// quiet holds an error to saying something, and nothing of the caller's but the names
// of members that are plain words.
func quiet(t *testing.T, body []byte, err error) {
	t.Helper()
	if err == nil {
		return
	}
	f := fault.As(err)
	shown := f.Error()
	for _, i := range f.Issues {
		shown += i.Message
		if strings.Contains(i.Path, canary) && !bytes.Contains(body, []byte(canary)) {
			t.Errorf("a path out of nowhere: %q", i.Path)
		}
		if i.Path == "" || i.Message == "" {
			t.Errorf("an empty issue: %+v", i)
		}
	}
	if strings.Contains(shown, canary) || f.Kind != fault.BadRequest && f.Kind != fault.Validation || f.Kind == fault.Validation && len(f.Issues) == 0 {
		t.Errorf("kind %d: %s", f.Kind, shown)
	}
}

// kept holds what comes of a config to what a store can keep.
func kept(t *testing.T, c *adserver.Config) {
	t.Helper()
	v := c.View(nil, nil)
	for _, s := range []string{v.Type, v.NetworkCode, v.NetworkID, v.Username, v.Email, v.Environment, v.DefaultAdvertiserID, v.ExecutionCurrency, v.RateCurrency} {
		if !registry.Storable(s) || len([]rune(s)) > 255 {
			t.Errorf("the view has %q", s)
		}
	}
	if v.Type == "" || v.Type != c.Type() {
		t.Errorf("the type is %q", v.Type)
	}
	encoded(t, c.Request(account, nil, nil))
}
