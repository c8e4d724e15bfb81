package gateway

import (
	"esagate/api"
	"esagate/gateway/ops"
)

// machine gives how the gateway does, as somebody may see it: what is of all customers together, operators alone.
func (g *Gateway) machine(operator bool) *ops.Machine {
	health := g.deps.Upstream.Health()
	m := &ops.Machine{Agent: agentState(health), Breaker: health.Breaker, Since: api.TimestampOf(health.Since)}
	if operator {
		f := g.ins.Recent.Figures()
		m.Replica = &ops.Replica{
			OpenTenants: int64(health.OpenTenants), Over: f.Over, CallsPerSecond: f.CallsPerSecond, CallP95: f.CallP95, StaleShare: f.StaleShare,
			DeliveriesOver: f.DeliveriesOver, Taken: f.Taken, Refused: f.Refused,
		}
	}
	return m
}
