package gateway_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const (
	sourcesPath = "/api/v2/storefront/inventory-sources"
	tokenCanary = "tok-CANARY-5f1c9a7be2"
)

// agentBody is a valid create; edits replace or add members, and remove those set to "".
func agentBody(edits ...string) string {
	members := [][2]string{
		{"name", `"Harbour Direct"`}, {"type", `"SALES"`}, {"endpointUrl", `"https://agent.harbour.example/mcp"`},
		{"protocol", `"MCP"`}, {"authenticationType", `"API_KEY"`}, {"auth", `{"type":"bearer","token":"` + tokenCanary + `"}`},
	}
	for i := 0; i < len(edits); i += 2 {
		at := slices.IndexFunc(members, func(m [2]string) bool { return m[0] == edits[i] })
		if at < 0 {
			members = append(members, [2]string{edits[i], edits[i+1]})
		} else {
			members[at][1] = edits[i+1]
		}
	}
	var b strings.Builder
	for _, m := range members {
		if m[1] != "" {
			if b.Len() > 0 {
				b.WriteByte(',')
			}
			b.WriteString(`"` + m[0] + `":` + m[1])
		}
	}
	return "{" + b.String() + "}"
}

func (w *world) create(edits ...string) *sourceView {
	w.Helper()
	return readSource(w, w.write("POST", sourcesPath, agentBody(edits...)), http.StatusCreated)
}

// sourceDoc is a document as it came, sourceView what tests look at in one.
type sourceDoc = map[string]any

type sourceView struct {
	ID, SourceID, Name, Status, AgentID string
	EndpointURL, AuthenticationType     *string
	AuthConfigured                      bool
	OAuth                               *struct{ AuthorizationURL, AgentID, AgentName string }
}

func readSource(t testing.TB, a answer, status int) *sourceView {
	t.Helper()
	return decode[sourceView](t, a, status)
}

func TestASourceIsMadeReadChangedAndDeleted(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		a := w.write("POST", sourcesPath, agentBody())
		made := *decode[sourceDoc](t, a, http.StatusCreated)
		if a.header.Get("Location") != sourcesPath+"/harbour-direct" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.header)
		}
		want := sourceDoc{ // package transform tests the whole document
			"sourceId": "harbour-direct", "executionType": "AGENT", "status": "PENDING", "authConfigured": true,
			"managedSa": nil,
		}
		for name, value := range want {
			if got, there := made[name]; !there || got != value {
				t.Errorf("%s is %v, want %v", name, got, value)
			}
		}
		if _, there := made["oauth"]; there {
			t.Error("there is an oauth block")
		}
		path := sourcesPath + "/harbour-direct"
		if got := w.get(path); !bytes.Equal(got.body, a.body) {
			t.Errorf("read\n%s\nmade\n%s", got.body, a.body)
		}
		w.get(path+"/status").failure(t, 404, "NOT_FOUND")
		w.get(path+"/esa").failure(t, 404, "NOT_FOUND")

		unchanged := w.write("PUT", path, `{}`)
		if !bytes.Equal(unchanged.body, a.body) || unchanged.status != 200 {
			t.Errorf("an empty update: %d %s", unchanged.status, unchanged.body)
		}
		active := readSource(t, w.write("PUT", path, `{"status":"ACTIVE","name":"Harbour <Prime>","x":[{}]}`), 200)
		if active.Status != "ACTIVE" || active.Name != "Harbour <Prime>" {
			t.Errorf("%+v", active)
		}
		w.write("PUT", path, `{"status":"PENDING"}`).failure(t, 409, "CONFLICT")

		if gone := w.write("DELETE", path, ""); gone.status != http.StatusNoContent {
			t.Errorf("%d %s", gone.status, gone.body)
		}
		w.get(path).failure(t, 404, "NOT_FOUND")
		w.write("DELETE", path, "").failure(t, 404, "NOT_FOUND")
		again := w.create()
		if again.ID == made["id"] {
			t.Error("an id was given twice")
		}
	})
}

func TestAWriteIsFinishedWhenItsClientLeaves(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		gone, leave := context.WithCancel(context.Background())
		leave()
		for method, path := range map[string]string{"POST": sourcesPath, "PUT": sourcesPath + "/" + source, "DELETE": sourcesPath + "/" + unplanned} {
			r := httptest.NewRequestWithContext(gone, method, "https://gateway.example"+path, strings.NewReader(agentBody()))
			r.Header.Set("Authorization", "Bearer "+writeKey)
			r.Header.Set("Content-Type", "application/json")
			if a := w.send(r); a.status >= 300 {
				t.Errorf("%s: %d %s", method, a.status, a.body)
			}
		}
		if s := readSource(t, w.get(sourcesPath+"/harbour-direct"), 200); s.Name != "Harbour Direct" {
			t.Errorf("%+v", s)
		}
	})
}

func TestListsHoldBothKindsInOrder(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		w.create() // harbour-direct-2
		var ids []string
		list := *decode[[]sourceView](t, w.get(sourcesPath), 200)
		for _, s := range list {
			ids = append(ids, s.SourceID)
		}
		if want := []string{source, unplanned, "harbour-direct", "harbour-direct-2"}; !slices.Equal(ids, want) {
			t.Errorf("%q, want %q", ids, want)
		}
		if list[0].Status != "ACTIVE" || list[1].Status != "PENDING" {
			t.Errorf("%+v", list)
		}
		// Another customer sees none of it.
		other := w.do("GET", sourcesPath, "Authorization", "Bearer "+otherKey)
		if string(other.body) != "[]" {
			t.Errorf("%s", other.body)
		}
		w.do("GET", sourcesPath+"/harbour-direct", "Authorization", "Bearer "+otherKey).failure(t, 404, "NOT_FOUND")
		w.writeAs(otherKey, "PUT", sourcesPath+"/harbour-direct", `{"name":5}`).failure(t, 404, "NOT_FOUND")
		w.writeAs(otherKey, "DELETE", sourcesPath+"/harbour-direct", "").failure(t, 404, "NOT_FOUND")
	})
}

// envelopedList is a page of a list in an envelope.
type envelopedList struct {
	Data []sourceDoc
	Meta struct {
		Pagination struct {
			Skip, Take, Total int
			HasMore           bool
		}
	}
}

func TestEnvelopedAnswers(t *testing.T) {
	inWorld(t, setup{envelope: true}, func(w *world) {
		made := decode[struct{ Data sourceDoc }](t, w.write("POST", sourcesPath, agentBody()), 201)
		if made.Data["sourceId"] != "harbour-direct" {
			t.Errorf("%v", made)
		}
		first := decode[envelopedList](t, w.get(sourcesPath+"?take=2"), 200)
		if p := first.Meta.Pagination; len(first.Data) != 2 || p.Total != 3 || !p.HasMore || p.Take != 2 {
			t.Errorf("%+v", first)
		}
		connections := decode[envelopedList](t, w.get(esaPath+"?skip=1&take=5"), 200)
		if p := connections.Meta.Pagination; len(connections.Data) != 1 || p.Skip != 1 || p.Take != 5 || p.Total != 2 || p.HasMore {
			t.Errorf("%+v", connections)
		}
		if one := decode[struct{ Data statusView }](t, w.get(statusOf), 200); !one.Data.Adapter.Connected {
			t.Errorf("%+v", one)
		}
		beyond := decode[envelopedList](t, w.get(sourcesPath+"?skip=9"), 200)
		if p := beyond.Meta.Pagination; len(beyond.Data) != 0 || p.Total != 3 || p.HasMore {
			t.Errorf("%+v", beyond)
		}
		if gone := w.write("DELETE", sourcesPath+"/harbour-direct", ""); gone.status != 204 || len(gone.body) > 0 {
			t.Errorf("%d %s", gone.status, gone.body)
		}
	})
}

// Package sources tests what else an update or a delete may do.
func TestOnlyTheNameOfAManagedSourceChanges(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		path := sourcesPath + "/" + source
		w.get(statusOf)
		before := w.get(esaOf)
		renamed := readSource(t, w.write("PUT", path, `{"name":"Meadow Weekly","endpointUrl":"http://x"}`), 200)
		if renamed.Name != "Meadow Weekly" || renamed.EndpointURL != nil || renamed.Status != "ACTIVE" {
			t.Errorf("%+v", renamed)
		}
		want := strings.Replace(string(before.body), "Meadow Daily", "Meadow Weekly", 1)
		if after := w.get(esaOf); string(after.body) != want {
			t.Errorf("the connection changed\n%s\n%s", before.body, after.body)
		}
		w.write("PUT", path, `{"status":"DISABLED","name":"No"}`).failure(t, 409, "CONFLICT")
		w.write("DELETE", path, "").failure(t, 409, "CONFLICT")
		if now := readSource(t, w.get(path), 200); now.Name != "Meadow Weekly" {
			t.Errorf("%+v", now)
		}
		w.write("DELETE", sourcesPath+"/"+unplanned, "")
		w.get(sourcesPath+"/"+unplanned+"/status").failure(t, 404, "NOT_FOUND")
		w.get(sourcesPath+"/"+unplanned+"/esa").failure(t, 404, "NOT_FOUND")
	})
}
