package registrytest

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esagate/registry"
)

// hostile are texts that have broken a database, an encoder or a log somewhere.
var hostile = []string{
	`'; DROP TABLE connections; --`,
	`" OR ""="`,
	`$1 $2 %s ? :name @x`,
	`\'\"\\ \x00 \u0000`,
	`%_*[a-z]`,
	"line\nbreak\ttab\r\x1b[31m\x7f",
	`{"type":"x","password":"y"}`,
	`<script>&amp;</script>`,
	"Ünïcode Ñame",
	"U\u0308ni\u0308code, decomposed",
	"日本の在庫",
	"\u202eright to left\u202c",
	"\U0001F4FA\U0001F469\u200d\U0001F4BB",
	"\uFFFD\uFFFE\uFFFF\U0010FFFF",
	" outer spaces ",
	"NULL",
	"0x1e3",
	strings.Repeat("é", registry.MaxIDLength),
}

func textHostile(t *testing.T, s registry.Store) {
	made := make(map[string]*registry.Source)
	for _, text := range hostile {
		e := registry.ConfigSource{
			CustomerID: alice, SourceID: text, Name: text, TenantID: text, ServiceAccountEmail: text,
			AdServer: &registry.AdServer{Type: text, NetworkCode: text, BaseURL: text},
			Labels:   map[string]string{text: text, "other": ""},
		}
		m := adopt(t, s, e, registry.AdoptionCreated)
		if m.SourceID != text || m.Name != text || m.Connection.TenantID != text || m.Connection.ServiceAccountEmail != text ||
			m.Labels[text] != text || *m.Connection.AdServer != *e.AdServer {
			t.Fatalf("not kept as it is: %q: %+v", text, m)
		}
		adopt(t, s, e, registry.AdoptionUnchanged)
		made[text] = m
	}
	for text, m := range made { // each finds its own row and no other
		same(t, text, read(t, s, alice, text), m)
	}
	// Ids are compared byte for byte.
	for _, other := range []string{"null", "outer spaces", "Ünïcode ñame", "u\u0308ni\u0308code, decomposed", "%"} {
		if _, err := s.Customer(alice).Source(t.Context(), other); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%q: %v, want ErrNotFound", other, err)
		}
	}
	c := s.Customer(alice)
	rapid.Check(t, func(rt *rapid.T) {
		id := rapid.String().Draw(rt, "sourceId")
		m, err := c.Source(t.Context(), id)
		switch want := made[id]; {
		case want != nil && err == nil:
			same(rt, id, m, want)
		case want != nil || !errors.Is(err, registry.ErrNotFound):
			rt.Fatalf("%q: %v", id, err)
		}
	})
}

func textImpossibleIDs(t *testing.T, s registry.Store) {
	adopt(t, s, entry(alice, "a"), registry.AdoptionCreated)
	for _, id := range []string{"", "\x00", "a\x00", "a\xff", "\xc3\x28", strings.Repeat("a", 256), strings.Repeat("a", 10<<10)} {
		if _, err := s.Customer(alice).Source(t.Context(), id); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("%.20q: %v, want ErrNotFound", id, err)
		}
	}
}

func textMadeStorable(t *testing.T, s registry.Store) {
	m := adopt(t, s, entry(alice, "free"), registry.AdoptionCreated)
	c, id := s.Customer(alice), m.Connection.ID
	signal := registry.InventorySync{Status: registry.SyncFailed, Error: "a\x00b\xffc", ObservedAt: at(1)}
	if _, err := c.ObserveInventorySync(t.Context(), id, signal); err != nil {
		t.Fatal(err)
	}
	signal.ObservedAt = at(2)
	observed, err := c.ObserveInventorySync(t.Context(), id, signal)
	if err != nil {
		t.Fatal(err)
	}
	if got := observed.Connection.InventorySync; got.Error != "a\uFFFDb\uFFFDc" || !got.UpdatedAt.Equal(at(1)) {
		t.Fatalf("the same signal twice: %+v", got)
	}
	seen := changeConnection(t, s, m, func(c *registry.Connection) {
		c.AdServer = &registry.AdServer{Type: "mock", ClientID: "a\x00b\xff"}
	})
	if got := seen.Connection.AdServer.ClientID; got != "a\x00b\uFFFD" { // JSON has a form for U+0000
		t.Fatalf("the ad server's text is kept as %q", got)
	}
}
