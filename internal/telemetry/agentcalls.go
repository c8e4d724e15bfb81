package telemetry

import (
	"go.opentelemetry.io/otel/attribute"

	"esagate/internal/word"
)

// agentCallsLimit bounds the combinations of protocol, method, name and outcome. A caller makes names up.
const agentCallsLimit = 500

// agentCall is what one series of the calls of agents' protocols is about.
type agentCall struct {
	door                  Door
	method, name, outcome string
}

// agentCalls counts calls of agents' protocols by what they asked for. The method must be one of the protocol's; a name
// is shown if it is a plain word.
func (b *builder) agentCalls(name, description string) func(door Door, method, name string, passed bool) {
	c := b.counter(name, description)
	known := newOptionCache(agentCallsLimit, agentCallAttributes(agentCall{method: otherLabel, name: otherLabel}), agentCallAttributes)
	return func(door Door, method, name string, passed bool) {
		call := agentCall{door, method, name, "passed"}
		if name != "" && !word.Name.Is(name) {
			call.name = otherLabel
		}
		if !passed {
			call.outcome = "refused"
		}
		c.Add(detached, 1, known.get(call).add...)
	}
}

func agentCallAttributes(c agentCall) attribute.Set {
	return attribute.NewSet(attribute.String("door", string(c.door)), attribute.String("method", c.method),
		attribute.String("name", c.name), attribute.String("outcome", c.outcome))
}
