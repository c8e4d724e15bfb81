package upstreamtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// signalKinds is what an ad server's capabilities say of signals, as far as the rules look at it.
type signalKinds struct {
	MappingKinds []mappingKind `json:"mapping_kinds"`
	Semantics    struct {
		Modes []string `json:"supported_modes"`
	} `json:"targeting_semantics"`
}

type mappingKind struct {
	Kind   string `json:"mapping_kind"`
	Schema struct {
		Required []string `json:"required"`
	} `json:"adapter_config_schema"`
}

// signalIssues holds a signal against the rules of its value type and of the tenant's ad server.
func (q *inquiry) signalIssues(s signal) (found issues) {
	switch s.ValueType {
	case "categorical":
		if len(s.Categories) == 0 {
			found.wrong("missing_categories", "categories", "A signal with value_type='categorical' needs categories.")
		}
	case "numeric":
		s.Range.issues(&found)
	}
	var kinds signalKinds
	mustRead(q.server().Signals, &kinds)
	switch kind := member(s.config(), "type"); kind {
	case "composed":
		var criteria []map[string]json.RawMessage
		if json.Unmarshal(s.AdapterConfig["criteria"], &criteria) != nil || len(criteria) == 0 {
			found.wrong("missing_signal_mapping_field", "adapter_config.criteria", "A composed signal mapping needs criteria.")
		}
		for i, c := range criteria {
			kinds.criterion(&found, "adapter_config.criteria."+strconv.Itoa(i), c)
		}
	case "", "passthrough":
		kinds.criterion(&found, "adapter_config", s.AdapterConfig)
	default:
		found.wrong("unsupported_signal_mapping_type", "adapter_config.type", "A signal mapping is passthrough or composed.")
	}
	return found
}

func (s signal) config() json.RawMessage { return encode(s.AdapterConfig) }

func (r *signalRange) issues(found *issues) {
	if r == nil || decimal(r.Min) == nil && decimal(r.Max) == nil {
		found.wrong("missing_range", "range", "A signal with value_type='numeric' needs a range.")
		return
	}
	if decimal(r.Min) == nil {
		found.wrong("missing_range_bound", "range.min", "A range needs both bounds.")
		return
	}
	if decimal(r.Max) == nil {
		found.wrong("missing_range_bound", "range.max", "A range needs both bounds.")
		return
	}
	if decimal(r.Min).Cmp(decimal(r.Max)) > 0 {
		found.wrong("invalid_range", "range.min", "The lower bound of a range is above the upper one.")
	}
}

// criterion holds one way to target a signal against what the ad server can do.
func (k signalKinds) criterion(found *issues, path string, c map[string]json.RawMessage) {
	doc := encode(c)
	kind := member(doc, "kind")
	i := slices.IndexFunc(k.MappingKinds, func(of mappingKind) bool { return of.Kind == kind })
	switch {
	case kind == "":
		found.wrong("missing_signal_mapping_kind", path+".kind", "A signal mapping needs a kind.")
		return
	case i < 0:
		found.wrong("unsupported_signal_mapping_kind", path+".kind", fmt.Sprintf("This ad server has no signal mapping kind '%s'.", kind))
		return
	}
	for _, name := range k.MappingKinds[i].Schema.Required {
		if raw := c[name]; name != "kind" && (raw == nil || slices.Contains([]string{"null", `""`, "[]"}, string(raw))) {
			found.wrong("missing_signal_mapping_field", path+"."+name, fmt.Sprintf("Signal mapping kind '%s' requires %s.", kind, name))
		}
	}
	if mode := member(doc, "mode"); mode != "" && !slices.Contains(k.Semantics.Modes, mode) {
		found.wrong("unsupported_signal_mapping_mode", path+".mode",
			fmt.Sprintf("Signal mapping kind '%s' supports mode(s): %s.", kind, strings.Join(k.Semantics.Modes, ", ")))
	}
}
