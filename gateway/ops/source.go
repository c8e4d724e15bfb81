package ops

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"esagate/api"
	"esagate/transform"
)

// SourceView is what the page of one source shows.
type SourceView struct {
	Page
	Storefront Storefront
	Item       api.OverviewItem // how it stands, with its states of the last 24 hours
	Connection *api.Connection
	Status     *api.Status // nil: there is none that counts
	Reading    bool        // the sales agent is being asked, and has not answered yet
	Trouble    string      // why there is no status, or no newer one, as a sentence; "": there is no trouble
	Document   string      // Status as the API gives it
	Command    string      // for a shell: it reads Document
	Audit      []api.AuditEntry
	NoAudit    string // why Audit can't be shown, as a sentence; "": it can, to those who may write
	Form       ActionForm
	Outcome    *Outcome // of an action; nil: none was asked for
}

var sourceTemplate = parse("source.html", "sourceparts.html", "sourcefigures.html", "action.html")

// Source gives the page of a source.
func Source(v SourceView) []byte { return render(sourceTemplate, &v) }

// Place gives where the source's page is.
func (v *SourceView) Place() Place { return Place{v.Item.CustomerID, v.Item.SourceID} }

// Events gives the address of the source's events.
func (v *SourceView) Events() string {
	return "/ops/events?" + url.Values{
		"customer": {strconv.FormatInt(v.Item.CustomerID, 10)}, "sourceId": {v.Item.SourceID},
	}.Encode()
}

// State gives how the source's state is shown.
func (v *SourceView) State() StateLook { return LookOf(v.Item.State) }

// Advice says what is wrong, and what is to be done.
func (v *SourceView) Advice() Advice {
	item := v.Item
	item.Stale = false // the page says so elsewhere
	advice := v.Storefront.OfItem(v.Now, &item)
	if v.Trouble != "" && v.Status != nil && item.State != transform.StateDeactivated {
		advice.Text = "As last known: " + advice.Text
	}
	if v.Status == nil || item.State != transform.StateDegraded || item.Issue == nil {
		return advice
	}
	for _, is := range v.Status.Operational.Issues { // more is known here of how a sync is mended
		if is.Code == item.Issue.Code && strings.HasPrefix(is.Code, syncPrefix) {
			advice.Link = v.IssueAdvice(is).Link
		}
	}
	return advice
}

// IssueAdvice says what an issue means.
func (v *SourceView) IssueAdvice(is api.OperationalIssue) Advice {
	return v.Storefront.OfIssue(v.Now, v.Place(), &is, v.Status)
}

// SyncAdvice says how a stream stands.
func (v *SourceView) SyncAdvice(name string, sync api.SyncBlock) Advice {
	return v.Storefront.OfSync(v.Now, v.Place(), name, &sync)
}

// OpenTasks gives the setup tasks that are to be done, the blockers first.
func (v *SourceView) OpenTasks() []api.SetupTask { return v.tasks(false) }

// DoneTasks gives those that are done.
func (v *SourceView) DoneTasks() []api.SetupTask { return v.tasks(true) }

func (v *SourceView) tasks(complete bool) (tasks []api.SetupTask) {
	for _, task := range v.Status.SetupTasks.Items {
		if task.IsComplete == complete {
			tasks = append(tasks, task)
		}
	}
	slices.SortStableFunc(tasks, func(a, b api.SetupTask) int { return weight(b) - weight(a) })
	return tasks
}

// weight says how much depends on a task.
func weight(task api.SetupTask) int {
	return slices.Index([]string{"warning", "blocker"}, task.Severity)
}

// taskRow is a setup task as it is shown.
type taskRow struct {
	api.SetupTask
	Look   StateLook
	Advice Advice
	Next   next
}

// Task gives a setup task as it is shown.
func (v *SourceView) Task(task api.SetupTask) taskRow {
	advice := v.Storefront.OfTask(v.Place(), &task)
	return taskRow{task, severityLook(task.Severity), advice, v.Next(advice.Link)}
}

// next is what a person can do next: something on this page, or to follow a link.
type next struct {
	Link   Link
	Action string // of this page, which does what the link says; "": there is none
	Leads  bool   // the link leads anywhere but to the page that it stands on
}

// SyncNext is Next for what is said of a stream, which does not lead to the streams.
func (v *SourceView) SyncNext(l Link) next {
	n := v.Next(l)
	n.Leads = n.Leads && l.URL != v.Place().at("streams")
	return n
}

// Next gives what a person can do next, by its link.
func (v *SourceView) Next(l Link) next {
	return next{l, v.actionOf(l), l.URL != "" && l.URL != v.Place().Path()}
}

// Answered gives when the sales agent's answer came; null where there is none.
func (v *SourceView) Answered() api.Timestamp {
	if v.Item.Age == nil {
		return api.Timestamp{}
	}
	return api.TimestampOf(v.Now.Add(-time.Duration(*v.Item.Age) * time.Second))
}

// MayAudit reports whether the viewer may read the audit, as through the API.
func (v *SourceView) MayAudit() bool { return v.Viewer != nil && v.Viewer.Write }

// Changes gives the states of the last 24 hours, the newest first.
func (v *SourceView) Changes() []api.StateSpan {
	changes := slices.Clone(v.Item.History)
	slices.Reverse(changes)
	return changes
}

// field is one line of a list of what is known.
type field struct {
	Name  string
	Value any // shown as text
	Code  bool
}

// AdServer gives what may be shown of the ad server's configuration.
func (v *SourceView) AdServer() (fields []field) {
	for _, member := range v.Connection.AdServer {
		value := member.Value
		if value == nil || value == "" {
			value = "not set"
		}
		if p, ok := value.(*string); ok && p == nil {
			value = "not set"
		}
		if member.Name == "type" {
			fields = append(fields, field{Name: "Ad server", Value: AdServerName(fmt.Sprint(value))})
			continue
		}
		fields = append(fields, field{Name: label(member.Name), Value: fmt.Sprint(value), Code: true})
	}
	return fields
}
