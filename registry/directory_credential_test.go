package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"esagate/registry"
)

// oauthAgent makes an AGENT source that needs a consent, in the store alone.
func oauthAgent(t *testing.T, f *faulty, sourceID string) *registry.Source {
	t.Helper()
	s := agent(sourceID)
	s.Agent.Authentication = registry.AuthOAuth
	c, err := elsewhere(f).CreateSource(t.Context(), s, nil)
	must(t)(err)
	return c.Source
}

func consentTo(s *registry.Source) registry.Consent {
	return registry.Consent{SourceRow: s.ID, AuthVersion: s.Agent.AuthVersion}
}

var (
	tokens = registry.OAuthCredential{AccessToken: "token"}
	next   = registry.Credential{OAuth: &registry.OAuthCredential{AccessToken: "next"}}
)

// standing returns a source's agent as it is read alone and in a list, which must agree.
func standing(t *testing.T, d *registry.Directory, sourceID string) *registry.Agent {
	t.Helper()
	s := source(t, d, sourceID)
	for _, listed := range all(t, d) {
		if listed.ID == s.ID && *listed.Agent == *s.Agent {
			return s.Agent
		}
	}
	t.Fatalf("%+v alone, and not so in the list", s.Agent)
	return nil
}

// TestDirectoryCredentials follows the credentials of a source through its life: what
// was written is read, by the next reader and while the store is away, though reads
// from before it are still to end.
func TestDirectoryCredentials(t *testing.T) {
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprint("warm ", warm), func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
				made(t, f, customer, "first")
				s := oauthAgent(t, f, "a")
				if warm {
					standing(t, d, "a")
				}
				configured, status := false, registry.SourcePending
				step := func(what string, write func() (*registry.Source, error)) {
					t.Helper()
					var got *registry.Source
					overlapped(t, d, f, func() {
						var err error
						if got, err = write(); err != nil {
							t.Fatalf("%s: %v", what, err)
						}
					}, func() {
						standing(t, d, "a")
					})
					for _, m := range []mode{healthy, failing} {
						f.is(m, 0)
						is := standing(t, d, "a")
						if *is != *got.Agent || (is.CredentialID != "") != configured || is.Status != status {
							t.Fatalf("%s, mode %d: %+v, want %+v", what, m, is, got.Agent)
						}
					}
					back(t, d, f)
					s = got
				}
				configured = true
				step("a consent", func() (*registry.Source, error) {
					return d.EndConsent(t.Context(), customer, "a", consentTo(s), tokens)
				})
				status = registry.SourceActive
				step("activated", func() (*registry.Source, error) {
					return d.UpdateSource(t.Context(), customer, "a", func(s *registry.Source) (registry.SourceChange, error) {
						a := *s.Agent
						a.Status = registry.SourceActive
						return registry.SourceChange{Agent: &a}, nil
					})
				})
				step("a refusal", func() (*registry.Source, error) {
					return d.MarkRefused(t.Context(), customer, "a", s.Agent.CredentialID, time.Now())
				})
				if s.Agent.RefusedAt.IsZero() {
					t.Fatal("not refused")
				}
				step("a refresh", func() (*registry.Source, error) {
					return d.ReplaceCredential(t.Context(), customer, "a", s.Agent.CredentialID, &next)
				})
				configured, status = false, registry.SourcePending
				step("an erasure", func() (*registry.Source, error) {
					return d.ReplaceCredential(t.Context(), customer, "a", s.Agent.CredentialID, nil)
				})
				if _, err := d.ReplaceCredential(t.Context(), customer, "a", "none", &next); !errors.Is(err, registry.ErrStale) {
					t.Fatal(err)
				}
				if _, err := d.MarkRefused(t.Context(), customer, "a", "none", time.Now()); !errors.Is(err, registry.ErrStale) {
					t.Fatal(err)
				}
				void := consentTo(s)
				void.SourceRow++
				if _, err := d.EndConsent(t.Context(), customer, "a", void, tokens); !errors.Is(err, registry.ErrStale) {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestDirectoryCredentialsNotFound: an AGENT source that is gone is forgotten. A managed
// one that has its sourceId by now is none of these writes' business.
func TestDirectoryCredentialsNotFound(t *testing.T) {
	for name, write := range map[string]func(ctx context.Context, d *registry.Directory, sourceID string) (*registry.Source, error){
		"EndConsent": func(ctx context.Context, d *registry.Directory, sourceID string) (*registry.Source, error) {
			return d.EndConsent(ctx, customer, sourceID, registry.Consent{}, tokens)
		},
		"ReplaceCredential": func(ctx context.Context, d *registry.Directory, sourceID string) (*registry.Source, error) {
			return d.ReplaceCredential(ctx, customer, sourceID, "id", nil)
		},
		"MarkRefused": func(ctx context.Context, d *registry.Directory, sourceID string) (*registry.Source, error) {
			return d.MarkRefused(ctx, customer, sourceID, "id", time.Now())
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, registry.DirectoryOptions{Fresh: time.Hour}, func(t *testing.T, d *registry.Directory, f *faulty) {
				pair(t, d, f)
				get(t, d, "m")
				allManaged(t, d)
				must(t)(elsewhere(f).DeleteSource(t.Context(), "a", allow))
				for _, id := range []string{"a", "m"} {
					wantNotFound(t)(write(t.Context(), d, id))
				}
				f.count("read")
				get(t, d, "m")
				reads(t, f, "the copy stays", 0)
				f.is(failing, 0)
				wantNotFound(t)(d.Source(t.Context(), customer, "a"))
				if page := all(t, d); len(page) != 1 || page[0].SourceID != "m" {
					t.Errorf("%v", ids(page))
				}
				listed(t, d, "with the store away", 0, 50, "m")
			})
		})
	}
}
