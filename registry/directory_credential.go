package registry

import "context"

// EndConsent stores what a consent brought, as CustomerStore does. Conflict over
// ErrStale, Internal over ErrSecret and ErrInvalid; what the store said is found in
// an error by errors.Is, here and in ReplaceCredential.
func (d *Directory) EndConsent(ctx context.Context, customer int64, sourceID string, consent Consent, tokens OAuthCredential) (*Source, error) {
	return d.changeAgent(ctx, customer, sourceID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.EndConsent(ctx, sourceID, consent, tokens)
	})
}

// ReplaceCredential stores new credentials in the place of those with an id, or with
// nil erases them, as CustomerStore does. Conflict over ErrStale.
func (d *Directory) ReplaceCredential(ctx context.Context, customer int64, sourceID, credentialID string, next *Credential) (*Source, error) {
	return d.changeAgent(ctx, customer, sourceID, func(ctx context.Context, c CustomerStore) (*Source, error) {
		return c.ReplaceCredential(ctx, sourceID, credentialID, next)
	})
}

// changeAgent makes a write that knows AGENT sources alone: that it finds none does
// not mean that the sourceId is not a managed one's by now.
func (d *Directory) changeAgent(ctx context.Context, customer int64, sourceID string, run func(context.Context, CustomerStore) (*Source, error)) (*Source, error) {
	var s *Source
	began, err := d.change(ctx, sourceKey{customer: customer}, func(ctx context.Context, c CustomerStore) (err error) {
		s, err = run(ctx, c)
		return err
	})
	switch {
	case isNotFound(err):
		d.shelf.missing(sourceKey{customer, sourceID}, began, true)
		return nil, err
	case err != nil:
		return nil, err
	}
	d.changed(s, began)
	return s, nil
}
