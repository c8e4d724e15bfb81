package transform

import (
	"cmp"

	"esagate/api"
	"esagate/internal/word"
	"esagate/upstream/wire"
)

// Statuses and severities of a stream, as upstream words them.
const (
	statusFailed   = "failed"
	statusNeverRun = "never_run"
	statusRunning  = "running"
	statusSuccess  = "success"
	statusStalled  = "stalled" // ours, in an issue's code: running for too long

	severityOK       = "ok"
	severityWarning  = "warning"
	severityCritical = "critical"
)

const nameOfInventory = "inventory"

// The streams that every document has, in this order (contract 4.4).
var required = [...]string{nameOfInventory, "customTargeting", "advertisers"}

// emptySyncs gives the required streams, as they are where upstream has none of that name (contract
// 4.4).
func emptySyncs() api.Syncs {
	syncs := make(api.Syncs, 0, 2*len(required))
	for _, name := range required {
		syncs = append(syncs, api.Member[api.SyncBlock]{
			Name: name, Value: api.SyncBlock{Status: statusNeverRun, Severity: severityWarning},
		})
	}
	return syncs
}

// syncs gives the required streams first and the others by name: at most as many as package wire keeps
// names, the required ones among them.
func (c *checker) syncs(streams wire.Members[wire.Stream]) api.Syncs {
	out, names := emptySyncs(), StreamNamesOf(streams)
	for i := range streams {
		s := &streams[i]
		name, ok := streamName(s.Name)
		switch {
		case !ok:
			c.note("syncs", "?")
			continue
		case names[name][0] != s.Name:
			continue
		}
		at := out.Index(name)
		if at < 0 {
			at = len(out)
			out = append(out, api.Member[api.SyncBlock]{Name: name})
		}
		out[at].Value = c.block("syncs."+s.Name, &s.Value)
	}
	out[len(required):].Sort()
	return out
}

// streamName gives the name that a stream has here, if it is a plain word, which may begin with underscores.
func streamName(name string) (camel string, ok bool) {
	return word.Camel(name), word.Stream.Is(name)
}

// block gives a stream's block, which stands at path.
func (c *checker) block(path string, s *wire.Stream) api.SyncBlock {
	// never_run is upstream's own default. A stream that has run and has no status has an unknown one.
	status := statusNeverRun
	if !s.LastRunAt.Time.IsZero() || !s.LastSuccessAt.Time.IsZero() {
		status = unknownWord
	}
	if s.Status.Set {
		status = c.word(s.Status.Value, unknownWord, path, "status")
	}
	b := api.SyncBlock{
		Status:        status,
		Severity:      cmp.Or(statusSeverities[status], severityOK),
		LastSuccessAt: api.Timestamp(s.LastSuccessAt),
		LastRunAt:     api.Timestamp(s.LastRunAt),
		ItemCount:     pointer(s.ItemCount),
	}
	if s.Severity.Set {
		b.Severity = c.oneOf(s.Severity, severityWarning, path, "severity", severityOK, severityWarning, severityCritical)
	}
	category := ""
	if s.Issue.Set {
		if b.Issue = c.issue(path, &s.Issue.Value); b.Issue != nil {
			category = b.Issue.Category
		}
	}
	b.Error = freeText(s.Error, syncText(category))
	return b
}

// statusSeverities are the severities of statuses that came without one, if not ok (contract 4.4).
var statusSeverities = map[string]string{statusFailed: severityCritical, statusNeverRun: severityWarning}

// issue gives a stream's issue, or nil for one without a code that can be read.
func (c *checker) issue(path string, in *wire.Issue) *api.SyncIssue {
	if !word.Name.Is(in.Code.Value) {
		c.note(path, "issue.code")
		return nil
	}
	out := &api.SyncIssue{Code: in.Code.Value, Category: unknownWord, Retryable: in.Retryable.Value}
	if in.Category.Set {
		out.Category = c.word(in.Category.Value, unknownWord, path, "issue.category")
	}
	out.Message = safeText(in.Message.Value, syncText(out.Category))
	out.Action = c.optionalWord(in.Action, path, "issue.action")
	out.Capability = c.optionalWord(in.Capability, path, "issue.capability")
	return out
}
