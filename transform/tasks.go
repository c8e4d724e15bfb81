package transform

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"esagate/api"
	"esagate/internal/adserver"
	"esagate/internal/redact"
	"esagate/registry"
)

// Severities and scopes of setup tasks; "warning" is severityWarning.
const (
	severityBlocker = "blocker"
	severityInfo    = "info"

	scopePlatform  = "platform"
	scopePublisher = "publisher"
)

// TaskDefinition is one platform task of the operator's, or an override of a
// built-in one by id. A nil field is not set.
type TaskDefinition struct {
	ID                                         string
	Name, Severity, Description, ConfigurePath *string
	Enabled                                    *bool  // false switches the task off
	CompleteWhen                               string // CEL; "" is none
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
	expressions bool // some task has a complete_when
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
	fault := func(i int, field, message string) {
		faults = append(faults, TaskFault{Index: i, Field: field, Message: message})
	}
	compile := compiler()
	seen := make(map[string]bool, len(defs))
	for i, d := range defs {
		switch {
		case !redact.Word(d.ID):
			fault(i, "id", "must be a word of at most 128 letters, digits, '_', '.', ':' and '-', beginning with a letter or a digit; no part between '_', '.' and ':' that has a digit may be longer than 15")
		case seen[d.ID]:
			fault(i, "id", "is defined twice")
		}
		seen[d.ID] = true
		if s := d.Severity; s != nil && *s != severityBlocker && *s != severityWarning && *s != severityInfo {
			fault(i, "severity", "must be blocker, warning or info")
		}
		if p := d.ConfigurePath; p != nil && !safePath(*p) {
			fault(i, "configure_path", "must be a path of the host's pages, beginning with one '/'")
		}
		task := platformTask{id: d.ID, set: d}
		if strings.TrimSpace(d.CompleteWhen) != "" {
			program, bad := compile(d.CompleteWhen)
			if bad != nil {
				bad.Index = i
				faults = append(faults, *bad)
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
	t.list = slices.DeleteFunc(t.list, func(p platformTask) bool { return p.set.Enabled != nil && !*p.set.Enabled })
	t.expressions = slices.ContainsFunc(t.list, func(p platformTask) bool { return p.complete != nil })
	return t, nil
}

// StatusInput is what a status document is made of.
type StatusInput struct {
	Source     *registry.Source // a managed one
	Snapshot   *api.Status      // nil when no tenant exists yet (rule 9); never modified
	Webhooks   api.Webhooks     // the gateway's own count, used when Snapshot has none
	Stale      bool             // a refresh has failed and the copy is older than its freshness
	Subscribed *bool            // whether a live webhook subscription exists; nil: not known yet
	Now        time.Time
}

// Status gives the document as it is served: the snapshot with setup tasks
// merged (rule 7), operational state derived (rule 8) and webhooks filled in
// (rule 6). It shares what it does not change with the snapshot. evalErrors
// names the tasks whose complete_when failed; they count as not complete.
func (t *Tasks) Status(in StatusInput) (doc *api.Status, evalErrors []string) {
	doc = new(api.Status)
	if in.Snapshot != nil {
		*doc = *in.Snapshot
	} else {
		*doc = emptySnapshot(&in)
	}
	if doc.Webhooks == nil {
		w := in.Webhooks
		if w.Last24h.Delivered == 0 && w.Last24h.Failed == 0 {
			w.Last24h.SuccessRate = 1
		}
		doc.Webhooks = &w
	}
	var room [roomForTasks]side
	sides, evalErrors := t.platform(room[:0], &in, doc)
	doc.SetupTasks = mergeTasks(sides, doc.SetupTasks.Items)
	doc.Operational = operational(&in, doc)
	return doc, evalErrors
}

// emptySnapshot is the document of a source without a tenant (rule 9).
func emptySnapshot(in *StatusInput) api.Status {
	adapter := api.Adapter{Type: "none"}
	if saved := in.Source.Connection.AdServer; saved != nil {
		adapter.Type = adserver.TypeName(saved)
	}
	return api.Status{
		Adapter:    adapter,
		Syncs:      emptySyncs(),
		FetchedAt:  api.TimestampOf(in.Now.Truncate(time.Millisecond)),
		SetupTasks: api.SetupTasks{Items: []api.SetupTask{}},
	}
}

// platform evaluates the platform tasks, and appends them to sides.
func (t *Tasks) platform(sides []side, in *StatusInput, doc *api.Status) (_ []side, evalErrors []string) {
	var vars map[string]any // built once, and only for an expression
	if t.expressions {
		vars = celVars(in, doc)
	}
	for i := range t.list {
		p := &t.list[i]
		stand, description := noOpinion, ""
		switch {
		case p.complete != nil:
			done, err := evaluate(p.complete, vars)
			if err != nil {
				evalErrors = append(evalErrors, p.id)
			}
			stand = verdictOf(done)
		case p.builtin != nil:
			stand, description = p.builtin.judge(in, doc)
		}
		if stand != leftOut {
			sides = append(sides, p.side(stand, description))
		}
	}
	return sides, evalErrors
}

// side gives the task as one side of a merge.
func (p *platformTask) side(stand verdict, description string) side {
	s := side{
		SetupTask: api.SetupTask{
			ID: p.id, Scope: scopePlatform, IsComplete: stand == complete, ConfigurePath: p.set.ConfigurePath,
		},
		noOpinion: stand == noOpinion,
	}
	if b := p.builtin; b != nil {
		s.Name, s.Severity, s.fixed = b.name, b.severity, true
		s.reopened = b.open
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
		s.Description, s.reopened = *p.set.Description, ""
	}
	return s
}
