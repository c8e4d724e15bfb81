package transform

import (
	"strings"

	"esagate/api"
	"esagate/internal/redact"
	"esagate/upstream/wire"
)

// Statuses and severities of a stream, as upstream words them.
const (
	statusFailed   = "failed"
	statusNeverRun = "never_run"
	statusRunning  = "running"
	statusSuccess  = "success"

	severityOK       = "ok"
	severityWarning  = "warning"
	severityCritical = "critical"
)

// The streams that every document has, in this order (rule 4).
var required = [...]string{"inventory", "customTargeting", "advertisers"}

const (
	maxStreams    = 64
	maxStreamName = 64 // bytes
)

// emptySyncs gives the required streams, none of which has run: that is what
// stands for one that upstream says nothing of.
func emptySyncs(room int) api.Syncs {
	syncs := make(api.Syncs, 0, max(room, len(required)))
	syncs = syncs[:len(required)]
	for i, name := range required {
		syncs[i].Name = name
		syncs[i].Block.Status, syncs[i].Block.Severity = statusNeverRun, severityWarning
	}
	return syncs
}

// syncs gives the required streams first and the others by name.
func (j *judge) syncs(streams []wire.Stream) api.Syncs {
	out := emptySyncs(len(streams))
	// The item counts share one allocation, which never grows.
	counts := make([]int64, 0, len(streams))
	var written [maxStreams]string // by position in out: the spelling that filled it
	for i := range streams {
		s := &streams[i]
		name, ok := streamName(s.Name)
		if !ok {
			j.note("syncs.?")
			continue
		}
		at := findStream(out, name)
		switch {
		case at < 0 && len(out) == maxStreams:
			j.note("syncs")
			continue
		case at < 0:
			at = len(out)
			out = append(out, api.Stream{Name: name})
		case isSnake(written[at]) && !isSnake(s.Name):
			continue // both spellings: the snake_case one is upstream's own
		}
		written[at] = s.Name
		j.block(s, &out[at].Block)
		if s.ItemCount.Set {
			counts = append(counts, s.ItemCount.Value)
			out[at].Block.ItemCount = &counts[len(counts)-1]
		}
	}
	sortStreams(out[len(required):])
	return out
}

// streamName gives the name that a stream has here, if it is a plain word.
func streamName(name string) (camel string, ok bool) {
	if camel, ok = camelNames[name]; ok {
		return camel, true
	}
	return camelCase(name), len(name) <= maxStreamName && redact.Word(name) && !strings.ContainsAny(name, ".:")
}

// findStream gives the index of the stream of a name, or -1.
func findStream(syncs api.Syncs, name string) int {
	for i := range syncs {
		if syncs[i].Name == name {
			return i
		}
	}
	return -1
}

// sortStreams orders by name. There are few streams, nearly in order, and they
// are too large to be handed to a comparing function.
func sortStreams(s api.Syncs) {
	for i := range s {
		for k := i; k > 0 && s[k].Name < s[k-1].Name; k-- {
			s[k], s[k-1] = s[k-1], s[k]
		}
	}
}

// isSnake reports whether a name is spelled in snake_case; "" is not spelled.
func isSnake(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' })
}

// block writes a stream's block, but for its item count.
func (j *judge) block(s *wire.Stream, b *api.SyncBlock) {
	// never_run is upstream's own default. A run that is told of without a status
	// ended nobody knows how.
	status := statusNeverRun
	if !s.LastRunAt.Time.IsZero() || !s.LastSuccessAt.Time.IsZero() {
		status = unknownWord
	}
	if s.Status.Set {
		status = s.Status.Value
		if !redact.Word(status) {
			status = unknownWord
			j.note(streamPath(s, "status"))
		}
	}
	*b = api.SyncBlock{
		Status:        status,
		Severity:      statusSeverity(status),
		LastSuccessAt: api.Timestamp(s.LastSuccessAt),
		LastRunAt:     api.Timestamp(s.LastRunAt),
	}
	if s.Severity.Set {
		switch b.Severity = s.Severity.Value; b.Severity {
		case severityOK, severityWarning, severityCritical:
		default:
			b.Severity = severityWarning
			j.note(streamPath(s, "severity"))
		}
	}
	category := ""
	if s.Issue.Set {
		if b.Issue = j.issue(s); b.Issue != nil {
			category = b.Issue.Category
		}
	}
	if s.Error.Set {
		b.Error = freeText(s.Error, syncText(category))
	}
}

// statusSeverity is the severity of a status that came without one (rule 4).
func statusSeverity(status string) string {
	switch status {
	case statusFailed:
		return severityCritical
	case statusNeverRun:
		return severityWarning
	}
	return severityOK
}

// issue gives a stream's issue, or nil for one without a code that can be read.
func (j *judge) issue(s *wire.Stream) *api.SyncIssue {
	in := &s.Issue.Value
	if !redact.Word(in.Code.Value) {
		j.note(streamPath(s, "issue.code"))
		return nil
	}
	out := &api.SyncIssue{Code: in.Code.Value, Category: unknownWord, Retryable: in.Retryable.Value}
	if in.Category.Set {
		if redact.Word(in.Category.Value) {
			out.Category = in.Category.Value
		} else {
			j.note(streamPath(s, "issue.category"))
		}
	}
	out.Message = shown(in.Message.Value, syncText(out.Category))
	out.Action = j.optionalWord(s, in.Action, "issue.action")
	out.Capability = j.optionalWord(s, in.Capability, "issue.capability")
	return out
}

func (j *judge) optionalWord(s *wire.Stream, o wire.Opt[string], field string) *string {
	if !o.Set {
		return nil
	}
	if !redact.Word(o.Value) {
		j.note(streamPath(s, field))
		return nil
	}
	word := o.Value
	return &word
}

// streamPath is the path of a stream's field. The stream's name is a plain word.
func streamPath(s *wire.Stream, field string) string { return "syncs." + s.Name + "." + field }
