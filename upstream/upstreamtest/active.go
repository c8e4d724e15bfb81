package upstreamtest

// setActive deactivates or reactivates a tenant. Doing it twice is doing it once.
func (t *held) setActive(active bool) answer {
	if t.Active != active {
		t.Active = active
		t.uncache()
	}
	return ok(t.detail())
}
