package registry_test

import (
	"strings"
	"testing"
	"time"

	"esagate/internal/fault"
	"esagate/registry"
)

func TestDirectoryAudit(t *testing.T) {
	bubble(t, registry.DirectoryOptions{}, func(t *testing.T, d *registry.Directory, f *faulty) {
		first, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "storefront", Operation: "connect"})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		second, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "storefront", Operation: "delete", SourceID: "radio"})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.FinishAudit(t.Context(), customer, first, registry.AuditResult{SourceID: "video", ESAID: 7, Outcome: registry.AuditSucceeded, Status: 201}); err != nil {
			t.Fatal(err)
		}
		page, more, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1})
		if err != nil || !more || len(page) != 1 || page[0].ID != second || page[0].Outcome != registry.AuditBegun {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		page, more, err = d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: second})
		if err != nil || more || len(page) != 1 || page[0].ID != first || page[0].SourceID != "video" || page[0].Status != 201 {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		if page, _, err := d.Audit(t.Context(), customer+1, registry.AuditQuery{Take: 5}); err != nil || len(page) != 0 {
			t.Fatalf("%+v, %v", page, err)
		}
		err = d.FinishAudit(t.Context(), customer+1, first, registry.AuditResult{Outcome: registry.AuditFailed})
		says(t, "a foreign entry", err, fault.NotFound, "There is no audit entry with this id.", registry.ErrNotFound)
		for _, cursor := range []string{"garbage", strings.Repeat("z", 32), "\x00"} {
			_, _, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: cursor})
			says(t, "a cursor of garbage", err, fault.BadRequest, "The cursor is not one that was given out here.", registry.ErrInvalid)
		}
		// The record is the store's alone.
		f.is(failing, 0)
		_, _, err = d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1})
		unavailable(t, err)
		f.is(hanging, 0)
		took(t, "a page", 2*time.Second, func() {
			_, _, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1})
			unavailable(t, err)
		})
	})
}
