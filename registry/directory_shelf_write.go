package registry

// created puts a new source, or with anew false one that an earlier create made,
// into what is remembered of its customer.
func (h *shelf) created(s *Source, began moment, anew bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	customer := s.CustomerID
	end := h.wrote(customer)
	h.recount(customer, +1, began, end, anew)
	if s.Connection != nil {
		// A page that may have it in its total already is forgotten, like such a count.
		h.managed.each(customer, func(_ listKey, p *page) bool {
			if !anew || !began.after(p.until) {
				return false
			}
			p.total, p.until = p.total+1, end
			return true
		})
	}
	if h.graves.holds(s.ID) { // deleted before its create was answered
		return
	}
	h.pages.insert(s, end)
	if s.Connection != nil {
		h.managed.insert(s, end)
	}
}

// changed puts a source's new state in the place of the old one; m is a managed one's.
func (h *shelf) changed(s *Source, m *Source, began moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	end := h.wrote(s.CustomerID)
	h.pages.replace(s, began, end, func(a, b *Source) bool { return compare(a, b) > 0 })
	if m != nil {
		h.managed.replace(m, began, end, func(a, b *Source) bool { return a.Connection.Version > b.Connection.Version })
	}
}

// deleted takes a source out of all that is remembered.
func (h *shelf) deleted(s *Source, began moment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	customer, key := s.CustomerID, keyOf(s)
	end := h.wrote(customer)
	if held, ok := h.agents.Peek(key); ok && held.s.ID == s.ID {
		h.agents.Remove(key)
	}
	h.pages.each(customer, func(_ listKey, p *page) bool {
		p.without(func(row *Source) bool { return row.ID == s.ID })
		return true
	})
	h.recount(customer, -1, began, end, true)
	if s.Connection == nil {
		return
	}
	h.managed.each(customer, func(_ listKey, p *page) bool {
		if !began.after(p.until) {
			return false // whether its total counts the source isn't known
		}
		p.without(func(row *Source) bool { return row.ID == s.ID })
		p.total, p.until = p.total-1, end
		return true
	})
}

// recount moves a count by what a write did, and forgets one that may or may not
// have it in it.
func (h *shelf) recount(customer int64, by int, began, end moment, sure bool) {
	t, ok := h.counts.Peek(customer)
	switch {
	case !ok:
	case sure && began.after(t.until):
		h.counts.Add(customer, tally{t.n + by, end})
	default:
		h.counts.Remove(customer)
	}
}

// missing forgets a source, or only one of AGENT kind, that was not found by what
// began at a moment, except where it was seen later.
func (h *shelf) missing(key sourceKey, began moment, agentOnly bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if held, ok := h.agents.Peek(key); ok && !(held.wrote && held.until.after(began)) {
		h.agents.Remove(key)
	}
	gone := func(s *Source) bool { return s.SourceID == key.sourceID && (s.Agent != nil || !agentOnly) }
	h.pages.each(key.customer, func(_ listKey, p *page) bool {
		if began.after(p.until) {
			p.without(func(row *Source) bool { return gone(row) })
		}
		return true
	})
	h.managed.each(key.customer, func(_ listKey, p *page) bool {
		if began.after(p.until) && p.without(func(row *Source) bool { return gone(row) }) {
			p.total--
		}
		return true
	})
}

// doubt marks the end of a write that may have done something or nothing: who comes
// now joins no read from before it. What is remembered stays, as what was last known.
func (h *shelf) doubt(customer int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrote(customer)
}

// forsaken marks the end of a write that did not find its source: an earlier one, of
// unknown outcome, may have deleted it.
func (h *shelf) forsaken(customer int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wrote(customer)
	h.counts.Remove(customer)
}
