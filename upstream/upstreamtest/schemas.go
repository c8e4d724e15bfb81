package upstreamtest

import (
	"iter"

	"esagate/api"
	"esagate/internal/word"
)

// The documents of the operations on an ad server have the agent's names for what the gateway's contract has
// under its own, so that their schemas are read from there. Where the agent's own differ, it is said here.
var (
	// wide are members that the agent does not hold to the contract's length: its columns do, or its own rules.
	wide = map[string]bool{"data_provider": true, "targeting_dimension": true}
	// optional are members that the agent's schema does not require: its own rules do.
	optional = map[string]bool{"adapter_config": true}
	// open are lists whose objects may have any members.
	open = map[string]bool{"format_options": true}
	// patterned is the one member with a pattern.
	patterned = map[string]bool{"signal_id": true}
	// ours are members of an object that the agent does not have.
	ours = map[string]string{"RecentBuyer": "principal_id"}
	// preset are the members with a default that is not null, "", an empty list or an empty object.
	preset = map[string]string{
		"status": `"active"`, "delivery_type": `"non_guaranteed"`, "required": "true", "severity": `"error"`, "is_fixed": "true",
		"supports_search": "true", "supports_pagination": "true",
	}
)

// bodyOf gives the schema of an operation's body; nil for no operation of the contract.
func bodyOf(operationID string) *api.Schema {
	if op := api.Operations()[operationID]; op != nil {
		return op.Body
	}
	return nil
}

// document gives the schema of what an operation answers first.
func document(operationID string) *api.Schema {
	return api.Operations()[operationID].Successes[0].Schema
}

// element gives the schema of the elements of the first list of an operation's answer.
func element(operationID string) *api.Schema {
	for _, p := range document(operationID).Properties {
		if p.Schema.Items != nil && !p.Schema.Upstream.Given {
			return p.Schema.Items
		}
	}
	return nil
}

// members gives the members of an object that the agent has too, by its names.
func members(s *api.Schema) iter.Seq2[string, *api.Schema] {
	return func(yield func(string, *api.Schema) bool) {
		for _, p := range s.Properties {
			up := p.Schema.Upstream
			if up.Given || up.Sent != nil && !*up.Sent {
				continue
			}
			name := up.Name
			if name == "" {
				name = word.Snake(p.Name)
			}
			if ours[s.Name] != name && !yield(name, p.Schema) {
				return
			}
		}
	}
}

// required gives the names of the members that the agent requires.
func required(s *api.Schema) map[string]bool {
	names := map[string]bool{}
	for _, name := range s.Required {
		if name = word.Snake(name); !optional[name] {
			names[name] = true
		}
	}
	return names
}

// isMap reports whether an object's members are data.
func isMap(s *api.Schema) bool { return s.Type == "object" && len(s.Properties) == 0 }
