package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"esagate/registry"
)

// AdoptedAtOnce is how many entries AdoptAll takes.
const AdoptedAtOnce = 200

// selectEntries reads the managed sources of AdoptedAtOnce entries, in one statement for all customers.
var selectEntries = global(`SELECT s.customer_id, ` + managedColumns + `
	FROM (VALUES (CAST($1 AS BIGINT), CAST($2 AS TEXT))` + entryPairs() + `) v CROSS JOIN sources s CROSS JOIN connections c
	WHERE s.customer_id = v.column1 AND s.source_id = v.column2 AND c.customer_id = s.customer_id AND c.source = s.id`)

func entryPairs() string {
	var b strings.Builder
	for n := 3; n < 2*AdoptedAtOnce; n += 2 {
		fmt.Fprintf(&b, ", (CAST($%d AS BIGINT), CAST($%d AS TEXT))", n, n+1)
	}
	return b.String()
}

type entryKey struct {
	customer int64
	sourceID string
}

// AdoptAll is Adopt for several entries, at most AdoptedAtOnce: what the registry knows as it is is read at once and not
// written, the rest is one transaction. done has what became of the entries up to the first with an error.
func (s *Store) AdoptAll(ctx context.Context, entries []registry.ConfigSource) (done []registry.Adoption, err error) {
	for i, e := range entries {
		if err := checkEntry(e); err != nil || len(entries) > AdoptedAtOnce {
			done, _ = s.AdoptAll(ctx, entries[:i])
			return done, registry.ErrInvalid
		}
	}
	known, err := readEntries(ctx, s, entries)
	if err != nil {
		return nil, failed("adopt sources", err)
	}
	done = make([]registry.Adoption, len(entries))
	var rest []int
	for i, e := range entries {
		if rec := known[entryKey{e.CustomerID, e.SourceID}]; rec != nil && isFollowed(rec, e) {
			done[i] = registry.Adoption{Outcome: registry.AdoptionUnchanged, Managed: &rec.Source}
		} else {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return done, nil
	}
	if len(known) == 0 { // the first start
		if done, err := createEntries(ctx, s, entries); err == nil {
			return done, nil
		}
	}
	err = s.writing(ctx, 0, func(in scope) error {
		for _, i := range rest {
			in.customer = entries[i].CustomerID
			if done[i], err = adopt(ctx, in, entries[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		return done, nil
	}
	for _, i := range rest { // one of them can't be: which?
		if done[i], err = s.Adopt(ctx, entries[i]); err != nil {
			return done[:i], err
		}
	}
	return done, nil
}

// createEntries creates what entries name; an error where not all of them are new.
func createEntries(ctx context.Context, s *Store, entries []registry.ConfigSource) ([]registry.Adoption, error) {
	if err := s.writing(ctx, 0, func(in scope) error { return createAll(ctx, in, entries) }); err != nil {
		return nil, err
	}
	made, err := readEntries(ctx, s, entries)
	done := make([]registry.Adoption, len(entries))
	for i, e := range entries {
		done[i].Outcome = registry.AdoptionDeleted // meanwhile
		if rec := made[entryKey{e.CustomerID, e.SourceID}]; rec != nil {
			done[i] = registry.Adoption{Outcome: registry.AdoptionCreated, Managed: &rec.Source}
		}
	}
	return done, err
}

// readEntries reads the managed sources that entries name.
func readEntries(ctx context.Context, s *Store, entries []registry.ConfigSource) (map[entryKey]*record, error) {
	known := map[entryKey]*record{}
	if len(entries) == 0 {
		return known, nil
	}
	args := make([]any, 0, 2*AdoptedAtOnce)
	for i := range AdoptedAtOnce {
		e := entries[min(i, len(entries)-1)]
		args = append(args, e.CustomerID, e.SourceID)
	}
	_, err := query(ctx, s.reading(0), selectEntries, func(r row) (none struct{}, err error) {
		var customer int64
		rec, err := scanRecord(r, &customer, &customer)
		if err == nil {
			known[entryKey{rec.CustomerID, rec.SourceID}] = rec
		}
		return none, err
	}, args...)
	return known, err
}

// isFollowed reports whether follow would change nothing of a record.
func isFollowed(rec *record, e registry.ConfigSource) bool {
	return (rec.nameFromAPI || e.Name == rec.Name) && maps.Equal(e.Labels, rec.Labels) &&
		(e.ServiceAccountEmail == "" && rec.emailLearned || e.ServiceAccountEmail == rec.Connection.ServiceAccountEmail && !rec.emailLearned)
}
