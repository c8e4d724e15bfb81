package transform

import "esagate/api"

// side is a setup task on its way into the merged list (rule 7). An empty Name,
// Severity or Description, and a nil path, are not set.
type side struct {
	api.SetupTask
	fixed     bool   // Severity was set by a platform definition and always counts
	noOpinion bool   // says nothing of completion
	reopened  string // description to use where only the other side is open
	merged    bool   // taken up by its counterpart, which stands for both
	rank      int    // its place in the merged list
}

// roomForTasks is enough for the tasks of every build known: a list that long
// needs no allocation while it is merged.
const roomForTasks = 16

// take merges another side of the same task into s, whose words come first.
func (s *side) take(o *side) {
	// The severity of a side that is complete says nothing of how bad it is that
	// this one is open.
	done := o.IsComplete && !s.IsComplete && !s.noOpinion
	if s.noOpinion {
		s.IsComplete, s.noOpinion = o.IsComplete, false
		if !s.fixed {
			s.Severity = o.Severity
		}
	} else {
		// "info" on a complete side says nothing of how bad it is that the other
		// one is open.
		if !s.fixed && (s.Severity == "" && !done || s.IsComplete && !o.IsComplete) {
			s.Severity = o.Severity
		}
		if s.IsComplete && !o.IsComplete && s.reopened != "" {
			s.Description = s.reopened
		}
		s.IsComplete = s.IsComplete && o.IsComplete
	}
	if s.Name == "" {
		s.Name = o.Name
	}
	if s.Description == "" {
		s.Description = o.Description
	}
	if s.ConfigurePath == nil {
		s.ConfigurePath = o.ConfigurePath
	}
}

// mergeTasks merges the platform's tasks with upstream's, one item per id, and
// orders and counts them. It does not modify upstream.
func mergeTasks(platform []side, upstream []api.SetupTask) api.SetupTasks {
	var room [roomForTasks]side
	theirs := distinct(room[:0], upstream)
	for i := range platform {
		p := &platform[i]
		if at := findSide(theirs, p.ID); at >= 0 {
			p.take(&theirs[at])
			theirs[at].merged = true
		}
	}
	out := api.SetupTasks{Items: make([]api.SetupTask, 0, len(platform)+len(theirs))}
	for i := range platform {
		platform[i].finish(&out)
	}
	for i := range theirs {
		if !theirs[i].merged {
			theirs[i].finish(&out)
		}
	}
	for rank := range ranks {
		for i := range platform {
			if platform[i].rank == rank {
				out.Items = append(out.Items, platform[i].SetupTask)
			}
		}
		for i := range theirs {
			if theirs[i].rank == rank && !theirs[i].merged {
				out.Items = append(out.Items, theirs[i].SetupTask)
			}
		}
	}
	return out
}

// distinct appends upstream's items with those of the same id merged, in the
// order of first mention. Of two, one of scope platform is the platform's side.
func distinct(sides []side, items []api.SetupTask) []side {
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
		first.take(&next)
	}
	return sides
}

// findSide gives the index of the task of an id, or -1.
func findSide(sides []side, id string) int {
	for i := range sides {
		if sides[i].ID == id {
			return i
		}
	}
	return -1
}

// Ranks order the list: open blockers, open warnings, the rest; in each the
// platform's before the publisher's.
const (
	rankBlocker = 0
	rankWarning = 2
	rankRest    = 4
	ranks       = 6
)

// finish puts in what no side has set, ranks the task, and counts it if it is
// open.
func (s *side) finish(out *api.SetupTasks) {
	if s.Name == "" {
		s.Name = s.ID
	}
	switch {
	case s.IsComplete:
		s.Severity = severityInfo
	case s.Severity == "":
		s.Severity = severityWarning
	}
	s.rank = rankRest
	switch {
	case s.IsComplete:
	case s.Severity == severityBlocker:
		s.rank = rankBlocker
		out.BlockerCount++
	case s.Severity == severityWarning:
		s.rank = rankWarning
		out.WarningCount++
	}
	if s.Scope != scopePlatform {
		s.rank++
	}
}
