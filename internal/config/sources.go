package config

import (
	"cmp"
	"fmt"

	"esagate/registry"
)

// Bounds of a source's labels.
const (
	mostLabels     = 64
	mostLabelKey   = 64
	mostLabelValue = 256
)

// sourceEntry is registry.ConfigSource with the tags of this package.
type sourceEntry struct {
	CustomerID          int64              `config:"customer_id" rule:"required 1..9007199254740991"`
	SourceID            string             `config:"source_id" rule:"required id"`
	Name                string             `config:"name" rule:"text 255"`
	ESAID               int64              `config:"esa_id" rule:"quoted 1..9007199254740991"`
	TenantID            string             `config:"tenant_id" rule:"id"`
	AdServer            *registry.AdServer `config:"ad_server"`
	ServiceAccountEmail string             `config:"service_account_email" rule:"email"`
	Labels              map[string]string  `config:"labels"`
}

// sources checks what entries must not share, and what is in each.
func (l *loader) sources(entries []sourceEntry) []registry.ConfigSource {
	type key struct {
		customerID int64
		sourceID   string
	}
	out := make([]registry.ConfigSource, 0, len(entries))
	ids, tenants, esaIDs := map[any]string{}, map[any]string{}, map[any]string{}
	for i, e := range entries {
		path := item("sources", i)
		if l.good(child(path, "customer_id")) {
			l.unique(ids, key{e.CustomerID, e.SourceID}, child(path, "source_id"), path, "the same source_id of the same customer_id as")
		}
		if e.ESAID != 0 {
			l.unique(esaIDs, e.ESAID, child(path, "esa_id"), path, "the same esa_id as")
		}
		if e.TenantID != "" { // a tenant belongs to one connection (contract 5.13)
			l.unique(tenants, e.TenantID, child(path, "tenant_id"), path, "the same tenant as")
		}
		if e.AdServer != nil {
			l.adServer(e.AdServer, child(path, "ad_server"))
		}
		l.labels(e.Labels, child(path, "labels"))
		e.Name = cmp.Or(e.Name, e.SourceID)
		out = append(out, registry.ConfigSource(e))
	}
	return out
}

func (l *loader) labels(labels map[string]string, path string) {
	if len(labels) > mostLabels {
		l.add(path, fmt.Sprintf("must have at most %d entries", mostLabels))
	}
	for name, value := range labels {
		at := child(path, shown(name))
		if plainText(name, 1, mostLabelKey) != "" {
			l.add(at, fmt.Sprintf("the name of a label must be 1 to %d characters, no control characters", mostLabelKey))
		}
		l.add(at, plainText(value, 0, mostLabelValue))
	}
}
