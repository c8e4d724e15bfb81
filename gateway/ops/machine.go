package ops

import (
	"time"

	"esagate/api"
)

// Machine is how the gateway itself does, and the sales agent behind it.
type Machine struct {
	Agent   string        // ok, circuit_open, key_refused or unknown, as /readyz says
	Breaker string        // of the whole sales agent: closed or open
	Since   api.Timestamp // when it opened; null while it is closed

	// Replica says more, to operators; nil to customers, whose it is only in part.
	Replica *Replica
}

// Replica is what one process of the gateway did of late.
type Replica struct {
	OpenTenants int64 // tenants whose own breaker is open

	Over           time.Duration // how long the next are counted
	CallsPerSecond float64       // of the sales agent
	CallP95        time.Duration // of the time that a call took; 0 without a call
	StaleShare     float64       // of the statuses served: those that could not be refreshed

	DeliveriesOver time.Duration // how long the next are counted
	Taken, Refused int64         // deliveries of the sales agent
}

// AgentWord says how the sales agent does.
func (m *Machine) AgentWord() string {
	switch m.Agent {
	case "ok":
		return "answering"
	case "circuit_open":
		return "away"
	case "key_refused":
		return "refuses the gateway's key"
	}
	return "not asked yet"
}

// Webhooks says what became of the sales agent's deliveries, and over which time.
func (r *Replica) Webhooks() string {
	over := Short(r.DeliveriesOver)
	if r.DeliveriesOver >= day {
		over = "24 h"
	}
	return "in " + over + ", " + Count(r.Refused) + " refused"
}
