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
		must(t)(err)
		time.Sleep(time.Second)
		second, err := d.BeginAudit(t.Context(), customer, registry.AuditEntry{Actor: "storefront", Operation: "delete", SourceID: "radio"})
		must(t)(err)
		must(t)(d.FinishAudit(t.Context(), customer, first, registry.AuditResult{SourceID: "video", ESAID: 7, Outcome: registry.AuditSucceeded, Status: 201}))
		page, more, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1})
		if err != nil || !more || len(page) != 1 || page[0].ID != second || page[0].Outcome != registry.AuditBegun {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		page, more, err = d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: second})
		if err != nil || more || len(page) != 1 || page[0].ID != first || page[0].SourceID != "video" || page[0].Status != 201 {
			t.Fatalf("%+v, %t, %v", page, more, err)
		}
		for _, cursor := range []string{"garbage", strings.Repeat("z", 32), "\x00"} {
			_, _, err := d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1, Before: cursor})
			says(t, "a cursor of garbage", err, fault.BadRequest, "The cursor is not one that was given out here.", registry.ErrInvalid)
		}
		// The record is the store's alone.
		for mode, wait := range map[mode]time.Duration{failing: 0, hanging: 2 * time.Second} {
			f.is(mode, 0)
			took(t, "a page", wait, func() {
				wantUnavailable(t)(d.Audit(t.Context(), customer, registry.AuditQuery{Take: 1}))
			})
		}
	})
}
