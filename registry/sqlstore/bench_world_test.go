package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"esagate/registry"
)

// The customers of a benchWorld. What is measured is measured for self.
const (
	self      = 4711
	model     = 4712 // whose sources all others are copied from
	stranger  = 5000 // the first of the others
	strangers = 499  // prime, so that each has copies of every model
)

// models is how many sources there are to copy: the first is managed, every other one
// of the rest has credentials. So ids that end in 0 are of managed sources.
const models = 10

// Where the copies' ids begin.
const (
	firstID    = 1000
	firstESAID = 1_000_000
)

// fillLimit bounds what it takes to fill one world.
const fillLimit = time.Minute

// benchWorld is a database of a size. Its customer's rows are spread evenly over the
// others', as they are when all create sources over months: no two share a page then.
type benchWorld struct {
	name         string
	own, foreign int
	store        *Store
	last         int64 // the largest id that was copied
}

// sourceID gives the sourceId of the customer's nth source; n is from 1 to own.
func (w *benchWorld) sourceID(n int) string { return fmt.Sprintf("source-%d", n*w.step()) }

func (w *benchWorld) step() int { return (w.own + w.foreign) / w.own }

// openWorlds opens and fills a database for each size. With -short there is but the
// small one.
func openWorlds(b *testing.B, newURL func() string) []*benchWorld {
	b.Helper()
	worlds := []*benchWorld{{name: "alone", own: 200}, {name: "crowd", own: 200, foreign: 100_000}, {name: "own", own: 100_000}}
	if testing.Short() {
		worlds = worlds[:1]
	}
	key := newKey(b)
	for _, w := range worlds {
		var err error
		w.store, err = Open(b.Context(), newURL(), key)
		must(b)(err)
		b.Cleanup(func() { w.store.Close() })
		ctx, cancel := context.WithTimeout(b.Context(), fillLimit)
		w.fill(ctx, b)
		cancel()
	}
	return worlds
}

func (w *benchWorld) fill(ctx context.Context, b *testing.B) {
	s := w.store
	makeModels(ctx, b, s)
	w.last = firstID + int64(w.own+w.foreign)
	customer := fmt.Sprintf(`CASE WHEN n %% %d = 0 THEN %d ELSE %d + n %% %d END`, w.step(), self, stranger, strangers)
	const random = `(1000000000 + n * 2654435761 % 4294967296)` // each once, in no order
	id, esaID := fmt.Sprintf(`%d + n`, firstID), fmt.Sprintf(`%d + n`, firstESAID)
	must(b)(s.writing(ctx, self, func(in scope) error {
		for _, t := range []struct {
			table, key string // the column that says which model's row it is
			changed    map[string]string
		}{
			{"sources", "id", map[string]string{"id": id, "customer_id": customer, "source_id": `'source-' || n`,
				"name": `p.name || ' ' || n`, "agent_id": `CASE WHEN p.agent_id IS NOT NULL THEN ` + random + ` || '_k3x9q2' END`}},
			{"connections", "source", map[string]string{"id": esaID, "source": id, "customer_id": customer, "tenant_id": `p.tenant_id || n`}},
			{"credentials", "source", map[string]string{"id": random + ` || 'ABCDEFGHIJKLMNOP'`, "source": id, "customer_id": customer}},
		} {
			if t.table == "connections" {
				must(b)(w.copyRows(ctx, in, "esa_ids", []string{"id"}, `connections p ON p.source`, map[string]string{"id": esaID}))
			}
			rows, err := in.on.QueryContext(ctx, `SELECT * FROM `+t.table+` LIMIT 0`)
			must(b)(err)
			columns, err := rows.Columns()
			must(b)(errors.Join(err, rows.Close()))
			must(b)(w.copyRows(ctx, in, t.table, columns, t.table+` p ON p.`+t.key, t.changed))
		}
		for _, text := range []string{
			fmt.Sprintf(`DELETE FROM credentials WHERE customer_id = %d`, model),
			fmt.Sprintf(`DELETE FROM connections WHERE customer_id = %d`, model),
			fmt.Sprintf(`DELETE FROM sources WHERE customer_id = %d`, model),
			fmt.Sprintf(`UPDATE sequences SET last_value = %d WHERE name = 'source'`, w.last),
		} {
			must(b)(in.exec(ctx, global(text)))
		}
		return nil
	}))
	w.settle(ctx, b)
}

// settle has done what the database does in the background, so that it does not do so
// while something is measured. SQLite gathers no statistics by itself and is not told
// to: what is measured is planned without.
func (w *benchWorld) settle(ctx context.Context, b *testing.B) {
	texts := []string{`PRAGMA wal_checkpoint(TRUNCATE)`}
	if w.store.dialect == goose.DialectPostgres {
		texts = []string{`VACUUM (ANALYZE)`, `CHECKPOINT`}
	}
	for _, text := range texts {
		must(b)(w.store.write.ExecContext(ctx, text))
	}
}

// makeModels makes the sources to copy as they are made in life.
func makeModels(ctx context.Context, b *testing.B, s *Store) {
	in := s.Customer(model)
	adopted, err := s.Adopt(ctx, registry.ConfigSource{CustomerID: model, SourceID: "m", Name: "Evening video", TenantID: "tnt_evening_video_",
		AdServer: &registry.AdServer{Type: "google_ad_manager", NetworkCode: "99887766"}, ServiceAccountEmail: "ads@project.example.com",
		Labels: map[string]string{"region": "north"}})
	must(b)(err)
	count := int64(5321)
	must(b)(in.ObserveInventorySync(ctx, adopted.Managed.Connection.ID, registry.InventorySync{Status: registry.SyncSuccess,
		LastRunAt: time.Now(), CompletedAt: time.Now(), ItemCount: &count, ObservedAt: time.Now()}))
	for i := 1; i < models; i++ {
		entry := benchSource(fmt.Sprint("m", i))
		if i%2 == 0 {
			entry.Agent.Authentication, entry.Credential = registry.AuthNone, nil
		}
		must(b)(in.CreateSource(ctx, entry, nil))
	}
}

// benchSource is an AGENT source with an API key.
func benchSource(slug string) registry.NewSource {
	return registry.NewSource{
		Slug: slug, Name: "Signals of the north", AgentID: func() string { return slug + "_q7w2e4" },
		Agent: registry.Agent{Status: registry.SourcePending, Type: "SIGNAL", EndpointURL: "https://agent.example.com/v1/mcp", Protocol: "MCP",
			Description: "Weather and traffic, by the hour.", Authentication: registry.AuthAPIKey},
		Credential: &registry.Credential{Token: &registry.TokenCredential{Scheme: "bearer", Token: "tok_0123456789abcdefghijklmnopqrstuv"}},
	}
}

// copyRows makes the rows of a table: the nth is the row p of the model that is its
// turn, but for the columns that changed gives.
func (w *benchWorld) copyRows(ctx context.Context, in scope, table string, columns []string, from string, changed map[string]string) error {
	values := slices.Clone(columns)
	for i, column := range columns {
		values[i] = "p." + column
		if value, ok := changed[column]; ok {
			values[i] = value
		}
	}
	text := fmt.Sprintf(`INSERT INTO %s (%s)
		WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < %d)
		SELECT %s FROM numbers JOIN %s = 1 + n %% %d ORDER BY n`,
		table, strings.Join(columns, ", "), w.own+w.foreign, strings.Join(values, ", "), from, models)
	_, err := in.exec(ctx, global(text))
	return err
}

// restore removes what was created since the world was filled.
func (w *benchWorld) restore(b *testing.B) {
	removed, err := write(b.Context(), w.store, self, "restore", func(in scope) (int64, error) {
		must(b)(in.exec(b.Context(), deleteNewCredentials, w.last))
		return in.exec(b.Context(), deleteNewSources, w.last)
	})
	if must(b)(err); removed > 0 {
		w.settle(b.Context(), b)
	}
}

var (
	deleteNewCredentials = scoped(`DELETE FROM credentials WHERE customer_id = $1 AND source > $2`)
	deleteNewSources     = scoped(`DELETE FROM sources WHERE customer_id = $1 AND id > $2`)
)
