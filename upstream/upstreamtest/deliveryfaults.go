package upstreamtest

import (
	"slices"
	"time"
)

// DeliveryFault is what goes wrong with the deliveries of an event. Its fields
// combine. The zero DeliveryFault is none.
type DeliveryFault struct {
	Lose   bool          // nothing is sent
	Hold   bool          // sent only behind the tenant's next event: the order is wrong
	Repeat int           // sent that many times more, with the same event_id
	Delay  time.Duration // before it is sent; later ones wait behind it
	Skew   time.Duration // X-AdCP-Timestamp is off by that; the signature fits it
	Forge  bool          // signed with a secret that nobody was told
}

// FaultDeliveries makes every event of a tenant meet f; the zero DeliveryFault
// clears it. It and a script last until SetTenant.
func (a *Agent) FaultDeliveries(tenantID string, f DeliveryFault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tenants[tenantID]; t != nil {
		t.fate = f
	}
}

// ScriptDeliveries gives the next events of a tenant one fault each, in order,
// before that of FaultDeliveries; the zero DeliveryFault in a script stands for an
// event that goes well. An event without subscribers takes none. A script set
// before is replaced.
func (a *Agent) ScriptDeliveries(tenantID string, faults ...DeliveryFault) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if t := a.tenants[tenantID]; t != nil {
		t.fates = slices.Clone(faults)
	}
}

// dispatch queues the deliveries of one event. a.mu is held.
func (a *Agent) dispatch(t *held, due []parcel) {
	f := t.fate
	if len(t.fates) > 0 {
		f, t.fates = t.fates[0], t.fates[1:]
	}
	for i := range due {
		due[i].fault = f
	}
	behind := t.kept
	t.kept = nil
	switch {
	case f.Hold:
		t.kept = due
	case !f.Lose:
		behind = append(due, behind...)
	}
	for _, p := range behind {
		a.courier.take(a, p)
	}
}
