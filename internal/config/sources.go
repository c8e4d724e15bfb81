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
	SourceID            string            `config:"source_id"`
	ESAID               *bigID            `config:"esa_id"`
	CustomerID          *int64            `config:"customer_id"`
	Name                *string           `config:"name"`
	TenantID            *string           `config:"tenant_id"`
	AdServer            *adServerEntry    `config:"ad_server"`
	ServiceAccountEmail *string           `config:"service_account_email"`
	Labels              map[string]string `config:"labels"`
}

// seenSources is what entries must not share.
type seenSources struct{ ids, tenants, esaIDs map[string]string }

func (v *validator) sources(entries []sourceEntry) []registry.ConfigSource {
	out := make([]registry.ConfigSource, 0, len(entries))
	seen := seenSources{map[string]string{}, map[string]string{}, map[string]string{}}
	for i, e := range entries {
		out = append(out, v.source(e, item("sources", i), seen))
	}
	return out
}

func (v *validator) source(e sourceEntry, path string, seen seenSources) registry.ConfigSource {
	idPath, customerPath := child(path, "source_id"), child(path, "customer_id")
	if v.required(idPath, e.SourceID != "") {
		v.text(idPath, e.SourceID, pathID)
	}
	customer := v.customer(customerPath, e.CustomerID)
	if v.good(idPath, customerPath) {
		key := strconv.FormatInt(customer, 10) + "/" + e.SourceID
		v.unique(seen.ids, key, path, "source_id", "the same source_id of the same customer_id as")
	}

	s := registry.ConfigSource{
		SourceID:   e.SourceID,
		CustomerID: customer,
		Name:       e.SourceID,
		TenantID:   v.optional(child(path, "tenant_id"), e.TenantID, pathID),
		Labels:     e.Labels,
	}
	if e.Name != nil {
		s.Name = v.optional(child(path, "name"), e.Name, plainText(1, 255))
	}
	if e.ServiceAccountEmail != nil {
		s.ServiceAccountEmail = v.optional(child(path, "service_account_email"), e.ServiceAccountEmail, email)
	}
	if e.ESAID != nil {
		s.ESAID = int64(*e.ESAID)
		within(v, child(path, "esa_id"), s.ESAID, 1, registry.MaxESAID)
		if v.good(child(path, "esa_id")) {
			v.unique(seen.esaIDs, strconv.FormatInt(s.ESAID, 10), path, "esa_id", "the same esa_id as")
		}
	}
	// A tenant belongs to one connection (contract, "Config sources").
	if s.TenantID != "" && v.good(child(path, "tenant_id")) {
		v.unique(seen.tenants, s.TenantID, path, "tenant_id", "the same tenant as")
	}
	if e.AdServer != nil {
		s.AdServer = v.adServer(e.AdServer, child(path, "ad_server"))
	}
	v.labels(e.Labels, child(path, "labels"))
	return s
}

func (v *validator) labels(labels map[string]string, path string) {
	if len(labels) > mostLabels {
		v.add(path, "must have at most %d entries", mostLabels)
	}
	for name, value := range labels {
		at := child(path, shown(name))
		if plainText(1, mostLabelKey)(name) != "" {
			v.add(at, "the name of a label must be 1 to %d characters, no control characters", mostLabelKey)
		}
		v.text(at, value, plainText(0, mostLabelValue))
	}
}
