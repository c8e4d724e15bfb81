package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"esagate/upstream/wire"
)

func TestFindTenant(t *testing.T) {
	const ours = `{"tenant_id":"tnt_ours","external_org_id":"31-8","external_source":"shopfront","is_active":false}`
	big := `{"tenant_id":"tnt_big","external_org_id":"31-8","name":"` + strings.Repeat("x", 3<<20) + `"}`
	for name, c := range map[string]struct{ body, id, reason string }{
		"there":                        {`{"tenants":[{"tenant_id":"a","external_org_id":"31-80"},` + ours + `],"count":2}`, "tnt_ours", ""},
		"after what is not known":      {`{"count":2,"more":{"tenants":[{"tenant_id":"x","external_org_id":"31-8"}]},"tenants":[` + ours + `]}`, "tnt_ours", ""},
		"escaped":                      {`{"ten\u0061nts":[{"tenant_id":"tnt_ours","external_org_id":"31\u002d8"}]}`, "tnt_ours", ""},
		"of another source":            {`{"tenants":[{"tenant_id":"a","external_org_id":"31-8","external_source":"elsewhere"}]}`, "", ""},
		"of no source":                 {`{"tenants":[{"tenant_id":"a","external_org_id":"31-8","external_source":null}]}`, "a", ""},
		"of no organisation":           {`{"tenants":[{"tenant_id":"a","external_org_id":null},{"tenant_id":"b"}]}`, "", ""},
		"an empty list":                {`{"tenants":[]}`, "", ""},
		"in a list of its own":         {`{"tenants":[` + ours + `],"tenants":[]}`, "tnt_ours", ""},
		"the oldest":                   {`{"tenants":[{"tenant_id":"a","external_org_id":"31-8"},{"tenant_id":"b","external_org_id":"31-8","created_at":"2026-03-02T00:00:00Z"},{"tenant_id":"c","external_org_id":"31-8","created_at":"2026-03-01T00:00:00Z"},{"tenant_id":"d","external_org_id":"31-8","created_at":"2026-03-03T00:00:00Z"}]}`, "c", ""},
		"the first of one age":         {`{"tenants":[{"tenant_id":"a","external_org_id":"31-8"},{"tenant_id":"b","external_org_id":"31-8"}]}`, "a", ""},
		"beside what can't be read":    {`{"tenants":[7,` + ours + `,null]}`, "tnt_ours", ""},
		"an entry that can't be read":  {`{"tenants":["CANARY"]}`, "", "can't be read"},
		"an organisation of no text":   {`{"tenants":[{"tenant_id":"a","external_org_id":31}]}`, "", "can't be read"},
		"a source of no text":          {`{"tenants":[{"tenant_id":"a","external_org_id":"31-8","external_source":7}]}`, "", "can't be read"},
		"another's source of no text":  {`{"tenants":[{"tenant_id":"a","external_org_id":"31-9","external_source":7}]}`, "", ""},
		"without an id":                {`{"tenants":[{"external_org_id":"31-8"}]}`, "", "can't be read"},
		"another without an id":        {`{"tenants":[{"external_org_id":"31-9"}]}`, "", ""},
		"empty":                        {``, "", "empty"},
		"HTML":                         {`<html>CANARY`, "", "not JSON"},
		"an array":                     {`[` + ours + `]`, "", "no list"},
		"no list":                      {`{"count":0}`, "", "no list"},
		"a list that is none":          {`{"tenants":{"a":` + ours + `}}`, "", "no list"},
		"null":                         {`{"tenants":null}`, "", "no list"},
		"taken back":                   {`{"tenants":[` + ours + `],"tenants":null}`, "", "no list"},
		"cut short":                    {`{"tenants":[` + ours, "", "cut short"},
		"cut short after the list":     {`{"tenants":[` + ours + `]`, "", "cut short"},
		"broken behind":                {`{"tenants":[` + ours + `,CANARY]}`, "", "not JSON"},
		"broken after the list":        {`{"tenants":[` + ours + `]}}`, "", "follows"},
		"something behind":             {`{"tenants":[` + ours + `]}{}`, "", "follows"},
		"an entry too large":           {`{"tenants":[` + big + `]}`, "", "too large"},
		"a member's name too large":    {`{"` + strings.Repeat("x", 3<<20) + `":1,"tenants":[` + ours + `]}`, "", "too large"},
		"what is not known, too large": {`{"a":"` + strings.Repeat("x", 3<<20) + `","tenants":[` + ours + `]}`, "", "too large"},
		"large, but in parts":          {`{"a":[` + strings.Repeat(`"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",`, 80_000) + `1],"tenants":[` + ours + `]}`, "tnt_ours", ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(c.body), iotest.HalfReader(strings.NewReader(c.body)), iotest.DataErrReader(strings.NewReader(c.body))} {
				found, err := wire.FindTenant(src, "shopfront", "31-8")
				id := ""
				if found != nil {
					id = found.TenantID
				}
				if problem := refused(err, c.reason, "CANARY"); problem != "" || id != c.id {
					t.Errorf("found %q, %s", id, problem)
				}
			}
		})
	}
}

func TestFindTenantGivesItsSourcesError(t *testing.T) {
	why := errors.New("why")
	for _, body := range []string{``, `{`, `{"tenants":[`, `{"tenants":[{"tenant_id":"a","external_org_id":"31-8"}]}`, `{"a":"b`} {
		found, err := wire.FindTenant(io.MultiReader(strings.NewReader(body), iotest.ErrReader(why)), "shopfront", "31-8")
		if !errors.Is(err, why) || found != nil {
			t.Errorf("%s: %v, %v", body, found, err)
		}
	}
}

func FuzzFindTenant(f *testing.F) {
	f.Add([]byte(`{"tenants":[{"tenant_id":"a","external_org_id":"31-8","external_source":"shopfront"}],"count":1}`))
	f.Add([]byte(`{"tenants":[{"tenant_id":"a"},7,{"external_org_id":"31-8"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		found, err := wire.FindTenant(bytes.NewReader(body), "shopfront", "31-8")
		var invalid *wire.InvalidError
		switch {
		case err != nil && (!errors.As(err, &invalid) || found != nil):
			t.Fatalf("%v, %v", found, err)
		case err == nil && !json.Valid(body):
			t.Fatal("it counted although it is not JSON")
		case err == nil && found != nil && (found.TenantID == "" || found.ExternalOrgID.Value != "31-8" || found.ExternalSource.Set && found.ExternalSource.Value != "shopfront"):
			t.Fatalf("%+v", found)
		}
	})
}
