package sqlstore

import (
	"context"
	"fmt"
)

var (
	selectSettings = scoped(`SELECT sealed FROM kept_settings WHERE customer_id = $1 AND connection = $2`)
	insertSettings = scoped(`INSERT INTO kept_settings (customer_id, connection, sealed) VALUES ($1, $2, $3)`)
	deleteSettings = scoped(`DELETE FROM kept_settings WHERE customer_id = $1 AND connection = $2`)
)

func settingsIdentity(customer, esaID int64) []byte {
	return identity("kept_settings", customer, esaID, "")
}

// KeepSettings keeps settings in place of those that there are, or forgets them. They
// are part of no record: no version moves.
func (c customerStore) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	err := c.store.writing(ctx, c.customer, func(in scope) error {
		rec, err := c.store.locked(ctx, in, selectManagedByID, esaID)
		if err != nil {
			return err
		}
		// A row is deleted, not overwritten, as credentials are: then it is scrubbed too.
		if _, err := in.exec(ctx, deleteSettings, rec.Connection.ID); err != nil {
			return fmt.Errorf("forget settings: %w", err)
		}
		if settings == nil {
			return nil
		}
		sealed, err := c.store.seal(settings, settingsIdentity(c.customer, esaID))
		if err != nil {
			return err
		}
		_, err = in.exec(ctx, insertSettings, esaID, sealed)
		return err
	})
	if err != nil {
		return failed("keep settings", err)
	}
	return nil
}

// Settings gives what KeepSettings kept.
func (c customerStore) Settings(ctx context.Context, esaID int64) ([]byte, error) {
	var sealed []byte
	err := c.store.reading(c.customer).queryRow(ctx, selectSettings, esaID).Scan(&sealed)
	if err != nil {
		return nil, failed("read settings", found(err))
	}
	settings, err := c.store.unseal(sealed, settingsIdentity(c.customer, esaID))
	if err != nil {
		return nil, failed("read settings", err)
	}
	return append([]byte{}, settings...), nil // never nil: what is empty was kept too
}

// settingsTable is for RewriteSecrets.
var settingsTable = sealedTable{
	first: []any{int64(0)}, // ids begin at 1
	page:  pageOf(`SELECT connection, customer_id, sealed FROM kept_settings WHERE connection > $1 ORDER BY connection`),
	save:  globalStatement{`UPDATE kept_settings SET sealed = $1 WHERE connection = $2`},
	scan: func(r row) (sealedRow, error) {
		var (
			esaID, customer int64
			sealed          []byte
		)
		err := r.Scan(&esaID, &customer, &sealed)
		return sealedRow{[]any{esaID}, settingsIdentity(customer, esaID), sealed}, err
	},
}
