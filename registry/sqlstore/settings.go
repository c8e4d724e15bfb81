package sqlstore

import (
	"context"
)

var (
	selectSettings = scoped(`SELECT sealed FROM kept_settings WHERE customer_id = $1 AND connection = $2`)
	insertSettings = scoped(`INSERT INTO kept_settings (customer_id, connection, sealed) VALUES ($1, $2, $3)`)
	deleteSettings = scoped(`DELETE FROM kept_settings WHERE customer_id = $1 AND connection = $2`)
)

// KeepSettings keeps settings in place of those that there are, or forgets them. They
// are part of no record: no version moves.
func (c customerStore) KeepSettings(ctx context.Context, esaID int64, settings []byte) error {
	return failed("keep settings", c.store.writing(ctx, c.customer, func(in scope) error {
		rec, err := locked(ctx, in, selectManagedByID, esaID)
		if err != nil {
			return err
		}
		// A row is deleted, not overwritten, as credentials are: then it is scrubbed too.
		if _, err := in.exec(ctx, deleteSettings, rec.Connection.ID); err != nil {
			return err
		}
		if settings == nil {
			return nil
		}
		sealed, err := c.store.seal(settings, identity("kept_settings", c.customer, esaID, ""))
		if err != nil {
			return err
		}
		_, err = in.exec(ctx, insertSettings, esaID, sealed)
		return err
	}))
}

// Settings returns what KeepSettings kept.
func (c customerStore) Settings(ctx context.Context, esaID int64) ([]byte, error) {
	var sealed []byte
	err := c.store.reading(c.customer).queryRow(ctx, selectSettings, esaID).Scan(&sealed)
	if err != nil {
		return nil, failed("read settings", found(err))
	}
	settings, err := c.store.unseal(sealed, identity("kept_settings", c.customer, esaID, ""))
	if err != nil {
		return nil, failed("read settings", err)
	}
	return append([]byte{}, settings...), nil // never nil: what is empty was kept too
}
