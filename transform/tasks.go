package transform

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"esagate/api"
	"esagate/internal/word"
)

// Severities and scopes of setup tasks; "warning" is severityWarning.
const (
	severityBlocker = "blocker"
	severityInfo    = "info"

	scopePlatform  = "platform"
	scopePublisher = "publisher"
)

const (
	decidesBoth     = "both"
	decidesPlatform = "platform"
)

// TaskDefinition is one platform task of the operator's, or an override of a
// built-in one by id. A nil field is not set.
type TaskDefinition struct {
	ID                                         string
	Name, Severity, Description, ConfigurePath *string
	Enabled                                    *bool  // false switches the task off, upstream's too
	CompleteWhen                               string // CEL; "" is none
	// Decides says who judges a task that upstream has too: "both", also where it is "", or "platform", which is
	// CompleteWhen alone.
	Decides string
}

// TaskFault is one thing wrong with the definitions. Message never holds a value
// of them. Line and Column, from 1, are a position within complete_when, else 0.
type TaskFault struct {
	Index        int // into the definitions
	Field        string
	Message      string
	Line, Column int
}

// Tasks are the platform tasks, compiled. They are safe for concurrent use.
type Tasks struct {
	list        []platformTask
	off         []string // ids of the tasks that are switched off
	expressions bool     // some task has a complete_when
}

// platformTask is one platform task: a built-in one, the operator's, or both.
type platformTask struct {
	id       string
	set      TaskDefinition // the operator's part; zero for a plain built-in
	builtin  *builtin
	complete cel.Program // nil: without a complete_when
}

// NewTasks compiles the built-in tasks and the operator's, and names every fault
// of the definitions at once. The tasks are nil if there is one.
func NewTasks(defs []TaskDefinition) (*Tasks, []TaskFault) {
	t := new(Tasks)
	for i := range builtins {
		t.list = append(t.list, platformTask{id: builtins[i].id, builtin: &builtins[i]})
	}
	var faults []TaskFault
	seen := make(map[string]bool, len(defs))
	for i, d := range defs {
		for _, fault := range check(d, seen[d.ID]) {
			fault.Index = i
			faults = append(faults, fault)
		}
		seen[d.ID] = true
		task := platformTask{id: d.ID, set: d}
		if strings.TrimSpace(d.CompleteWhen) != "" {
			program, fault := compile(d.CompleteWhen)
			if fault != nil {
				fault.Index = i
				faults = append(faults, *fault)
			}
			task.complete = program
		}
		if at := slices.IndexFunc(t.list, func(have platformTask) bool { return have.id == d.ID }); at >= 0 {
			task.builtin = t.list[at].builtin
			t.list[at] = task
		} else {
			t.list = append(t.list, task)
		}
	}
	if faults != nil {
		return nil, faults
	}
	t.list = slices.DeleteFunc(t.list, func(p platformTask) bool {
		off := p.set.Enabled != nil && !*p.set.Enabled
		if off {
			t.off = append(t.off, p.id)
		}
		return off
	})
	t.expressions = slices.ContainsFunc(t.list, func(p platformTask) bool { return p.complete != nil })
	return t, nil
}

// check gives the faults of a definition, but for those within its complete_when.
func check(d TaskDefinition, twice bool) (faults []TaskFault) {
	fault := func(field, message string) { faults = append(faults, TaskFault{Field: field, Message: message}) }
	switch {
	case !word.Name.Is(d.ID):
		fault("id", "must be a word of at most 128 letters, digits, '_', '.', ':' and '-', beginning with a letter or a digit; "+
			"no part between '_', '.' and ':' that has a digit may be longer than 15")
	case twice:
		fault("id", "is defined twice")
	}
	if s := d.Severity; s != nil && *s != severityBlocker && *s != severityWarning && *s != severityInfo {
		fault("severity", "must be blocker, warning or info")
	}
	if p := d.ConfigurePath; p != nil && !word.Path.Is(*p) {
		fault("configure_path", "must be a path of the host's pages, beginning with one '/'")
	}
	switch d.Decides {
	case "", decidesBoth:
	case decidesPlatform:
		if strings.TrimSpace(d.CompleteWhen) == "" {
			fault("decides", "must not be platform without a complete_when")
		}
	default:
		fault("decides", "must be both or platform")
	}
	return faults
}

// platform evaluates the platform tasks.
func (t *Tasks) platform(in *StatusInput, doc *api.Status) (sides []side, evalErrors []string) {
	var vars map[string]any // built once, and only for an expression
	if t.expressions {
		vars = celVars(in, doc)
	}
	for i := range t.list {
		p := &t.list[i]
		state, description := undecided, ""
		switch {
		case p.complete != nil:
			done, ok := evaluate(p.complete, vars)
			if !ok {
				evalErrors = append(evalErrors, p.id)
			}
			state = open
			if done {
				state = complete
				if p.builtin != nil {
					description = p.builtin.completeText(in, doc)
				}
			}
		case p.builtin != nil:
			state, description = p.builtin.state(*in, doc)
		}
		if state != hidden {
			sides = append(sides, p.side(state, description))
		}
	}
	return sides, evalErrors
}

// wanted gives upstream's items without those that the operator has switched off. It does not modify them.
func (t *Tasks) wanted(items []api.SetupTask) []api.SetupTask {
	if len(t.off) == 0 {
		return items
	}
	return slices.DeleteFunc(slices.Clone(items), func(item api.SetupTask) bool { return slices.Contains(t.off, item.ID) })
}

// side gives the task as one side of a merge.
func (p *platformTask) side(state taskState, description string) side {
	s := side{
		SetupTask: api.SetupTask{
			ID: p.id, Scope: scopePlatform, IsComplete: state == complete, ConfigurePath: p.set.ConfigurePath,
		},
		undecided: state == undecided,
		decides:   p.set.Decides == decidesPlatform,
	}
	if b := p.builtin; b != nil {
		s.Name, s.Severity, s.fixed = b.name, b.severity, true
		s.openText = b.open
		if s.Description = description; description == "" {
			s.Description = b.open
		}
	}
	if p.set.Name != nil {
		s.Name = *p.set.Name
	}
	if p.set.Severity != nil {
		s.Severity, s.fixed = *p.set.Severity, true
	}
	if p.set.Description != nil {
		s.Description, s.openText = *p.set.Description, ""
	}
	return s
}
