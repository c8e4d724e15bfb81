package transform

import (
	"cmp"
	"slices"

	"esagate/api"
)

// side is a setup task on its way into the merged list (contract 4.7). An empty Name, Severity or
// Description, and a nil path, are not set.
type side struct {
	api.SetupTask
	fixed     bool   // Severity was set by a platform definition and always counts
	undecided bool   // says nothing of completion
	decides   bool   // whether the other side is complete does not matter
	openText  string // Description where only the other side is open
}

// merge takes over what another side of the same task says. The words of s come first.
func (s *side) merge(o *side) {
	// The severity of a complete side says nothing of how bad it is that the other one is open.
	switch {
	case s.fixed:
	case s.undecided, s.Severity == "" && !(o.IsComplete && !s.IsComplete), s.IsComplete && !o.IsComplete:
		s.Severity = o.Severity
	}
	switch {
	case s.undecided:
		s.IsComplete, s.undecided = o.IsComplete, false
	case !s.decides:
		if s.IsComplete && !o.IsComplete && s.openText != "" {
			s.Description = s.openText
		}
		s.IsComplete = s.IsComplete && o.IsComplete
	}
	s.Name, s.Description = cmp.Or(s.Name, o.Name), cmp.Or(s.Description, o.Description)
	s.ConfigurePath = cmp.Or(s.ConfigurePath, o.ConfigurePath)
}

// mergeTasks merges the platform's tasks with upstream's, one item per id, and orders and counts
// them. It does not modify upstream.
func mergeTasks(platform []side, upstream []api.SetupTask) api.SetupTasks {
	theirs := distinct(upstream)
	for i := range platform {
		if at := findSide(theirs, platform[i].ID); at >= 0 {
			platform[i].merge(&theirs[at])
			theirs = slices.Delete(theirs, at, at+1)
		}
	}
	out := api.SetupTasks{Items: make([]api.SetupTask, 0, len(platform)+len(theirs))}
	for _, list := range [][]side{platform, theirs} {
		for i := range list {
			item := list[i].finished()
			switch rank(&item) / 2 {
			case 0:
				out.BlockerCount++
			case 1:
				out.WarningCount++
			}
			out.Items = append(out.Items, item)
		}
	}
	slices.SortStableFunc(out.Items, func(a, b api.SetupTask) int { return rank(&a) - rank(&b) })
	return out
}

// distinct gives upstream's items with those of the same id merged, in the order of first mention.
// Of two, one of scope platform is the platform's side.
func distinct(items []api.SetupTask) []side {
	sides := make([]side, 0, len(items))
	for i := range items {
		next := side{SetupTask: items[i]}
		if next.Name == next.ID { // the name of a task that came without one
			next.Name = ""
		}
		at := findSide(sides, next.ID)
		if at < 0 {
			sides = append(sides, next)
			continue
		}
		first := &sides[at]
		if next.Scope == scopePlatform && first.Scope != scopePlatform {
			*first, next = next, *first
		}
		first.merge(&next)
	}
	return sides
}

// findSide gives the index of the task of an id, or -1.
func findSide(sides []side, id string) int {
	return slices.IndexFunc(sides, func(s side) bool { return s.ID == id })
}

// finished gives the task with what no side has set.
func (s *side) finished() api.SetupTask {
	item := s.SetupTask
	item.Name = cmp.Or(item.Name, item.ID)
	item.Severity = cmp.Or(item.Severity, severityWarning)
	if item.IsComplete {
		item.Severity = severityInfo
	}
	return item
}

// rank orders the list: open blockers (0), open warnings (2), the rest (4), the platform's before
// the publisher's (+1).
func rank(t *api.SetupTask) int {
	rank := 4
	switch {
	case t.IsComplete:
	case t.Severity == severityBlocker:
		rank = 0
	case t.Severity == severityWarning:
		rank = 2
	}
	if t.Scope != scopePlatform {
		rank++
	}
	return rank
}
