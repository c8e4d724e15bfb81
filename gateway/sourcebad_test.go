package gateway_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

// What is wrong with the query, the headers and the body is named in one answer. Package
// sources tests each rule.
func TestAllFaultsOfARequestAreNamedInOneAnswer(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		before := w.get(sourcesPath)
		f := w.write("POST", sourcesPath+"?dry=1", agentBody(
			"name", `""`, "sourceId", `"a/b"`, "executionType", `"MODULAR_SOURCE"`, "type", `"BUYER"`, "endpointUrl", `"javascript:CANARY()"`,
			"protocol", `7`, "authenticationType", `null`, "auth", `{"type":"basic","username":"","password":1}`, "description", `"`+strings.Repeat("d", 2001)+`"`),
			"Idempotency-Key", "has space").failure(t, 400, "VALIDATION_ERROR")
		want := []string{"query", "header.Idempotency-Key", "name", "sourceId", "executionType", "type", "endpointUrl", "protocol", "authenticationType", "auth.username", "auth.password", "description"}
		var got []string
		for _, i := range f.Details.Issues {
			got = append(got, i.Path)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("named %q, want %q", got, want)
		}
		if after := w.get(sourcesPath); !bytes.Equal(after.body, before.body) {
			t.Errorf("something was made: %s", after.body)
		}
	})
}

func TestUnreadableBodies(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		before := w.get(sourcesPath)
		for _, body := range []string{"", "name=x"} { // package jsonbody tests others
			w.write("POST", sourcesPath, body).failure(t, 400, "BAD_REQUEST")
			w.write("PUT", sourcesPath+"/harbour-direct", body).failure(t, 400, "BAD_REQUEST")
			w.write("PUT", sourcesPath+"/nobody", body).failure(t, 404, "NOT_FOUND")
		}
		// 404 goes before 400, and that before 409, whatever is wrong.
		for _, method := range []string{"PUT", "DELETE"} {
			w.write(method, sourcesPath+"/nobody?x=1", `{}`).failure(t, 404, "NOT_FOUND")
			w.write(method, sourcesPath+"/harbour-direct?x=1", `{}`).failure(t, 400, "VALIDATION_ERROR")
			w.write(method, sourcesPath+"/"+source+"?x=1", `{"status":"DISABLED"}`).failure(t, 400, "VALIDATION_ERROR")
		}
		if after := w.get(sourcesPath); !bytes.Equal(after.body, before.body) {
			t.Errorf("something changed: %s", after.body)
		}
	})
}

func TestAnIDIsAnyText(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create("sourceId", `"Straße 1"`)
		if s := readSource(t, w.get(sourcesPath+"/Stra%C3%9Fe%201"), 200); s.SourceID != "Straße 1" {
			t.Errorf("%+v", s)
		}
		f := w.write("POST", sourcesPath, agentBody("sourceId", `"Straße 1"`)).failure(t, 409, "CONFLICT")
		if f.Field != "sourceId" {
			t.Errorf("field %q", f.Field)
		}
		if other := w.writeAs(otherKey, "POST", sourcesPath, agentBody("sourceId", `"Straße 1"`)); other.status != 201 {
			t.Errorf("another customer's own: %d %s", other.status, other.body)
		}
	})
}

func TestAnIdempotencyKeyMakesOneSource(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		first := w.write("POST", sourcesPath, agentBody(), "Idempotency-Key", "order-66")
		again := w.write("POST", sourcesPath, agentBody(), "Idempotency-Key", "order-66")
		if again.status != 201 || !bytes.Equal(first.body, again.body) || first.header.Get("Location") != again.header.Get("Location") {
			t.Errorf("%d %s\nfirst %s", again.status, again.body, first.body)
		}
		w.write("POST", sourcesPath, agentBody("name", `"Other"`), "Idempotency-Key", "order-66").failure(t, 409, "CONFLICT")
		if other := w.writeAs(otherKey, "POST", sourcesPath, agentBody(), "Idempotency-Key", "order-66"); other.status != 201 || bytes.Equal(other.body, first.body) {
			t.Errorf("another customer's key: %d %s", other.status, other.body)
		}
		for _, bad := range []string{"", strings.Repeat("k", 256), "é"} {
			w.write("POST", sourcesPath, agentBody(), "Idempotency-Key", bad).failure(t, 400, "VALIDATION_ERROR")
		}
		w.write("POST", sourcesPath, agentBody(), "Idempotency-Key", "a", "Idempotency-Key", "b").failure(t, 400, "VALIDATION_ERROR")
		w = w.restartAfter(24 * time.Hour)
		defer w.stop()
		if later := w.write("POST", sourcesPath, agentBody(), "Idempotency-Key", "order-66"); readSource(t, later, 201).SourceID != "harbour-direct-2" {
			t.Errorf("a day later: %s", later.body)
		}
	})
}
