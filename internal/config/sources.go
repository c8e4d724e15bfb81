package config

import (
	"strconv"

	"esagate/registry"
)

// Bounds of a source's labels.
const (
	mostLabels     = 64
	mostLabelKey   = 64
	mostLabelValue = 256
)

// sourceEntry is a source as the file has it.
type sourceEntry struct {
	SourceID            string             `config:"source_id" rule:"required id"`
	ESAID               *int64             `config:"esa_id" rule:"quoted 1..9007199254740991"`
	CustomerID          *int64             `config:"customer_id" rule:"required 1..9007199254740991"`
	Name                *string            `config:"name" rule:"text 1..255"`
	TenantID            *string            `config:"tenant_id" rule:"id"`
	AdServer            *registry.AdServer `config:"ad_server"`
	ServiceAccountEmail *string            `config:"service_account_email" rule:"email"`
	Labels              map[string]string  `config:"labels"`
}

// sources checks what entries must not share, and what is in each.
func (l *loader) sources(entries []sourceEntry) []registry.ConfigSource {
	out := make([]registry.ConfigSource, 0, len(entries))
	ids, tenants, esaIDs := map[string]string{}, map[string]string{}, map[string]string{}
	for i, e := range entries {
		path := item("sources", i)
		s := registry.ConfigSource{
			SourceID: e.SourceID, ESAID: deref(e.ESAID), CustomerID: deref(e.CustomerID), Name: e.SourceID,
			TenantID: deref(e.TenantID), AdServer: e.AdServer, ServiceAccountEmail: deref(e.ServiceAccountEmail), Labels: e.Labels,
		}
		if e.Name != nil {
			s.Name = *e.Name
		}
		if l.good(child(path, "customer_id")) {
			key := strconv.FormatInt(s.CustomerID, 10) + "/" + s.SourceID
			l.unique(ids, key, child(path, "source_id"), path, "the same source_id of the same customer_id as")
		}
		if e.ESAID != nil {
			l.unique(esaIDs, strconv.FormatInt(s.ESAID, 10), child(path, "esa_id"), path, "the same esa_id as")
		}
		if e.TenantID != nil { // a tenant belongs to one connection (contract 5.13)
			l.unique(tenants, s.TenantID, child(path, "tenant_id"), path, "the same tenant as")
		}
		if s.AdServer != nil {
			l.adServer(s.AdServer, child(path, "ad_server"))
		}
		l.labels(e.Labels, child(path, "labels"))
		out = append(out, s)
	}
	return out
}

func (l *loader) labels(labels map[string]string, path string) {
	if len(labels) > mostLabels {
		l.add(path, "must have at most %d entries", mostLabels)
	}
	for name, value := range labels {
		at := child(path, shown(name))
		if plainText(1, mostLabelKey)(name) != "" {
			l.add(at, "the name of a label must be 1 to %d characters, no control characters", mostLabelKey)
		}
		if problem := plainText(0, mostLabelValue)(value); problem != "" {
			l.add(at, "%s", problem)
		}
	}
}
