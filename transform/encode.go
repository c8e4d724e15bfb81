package transform

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/api"
)

// AppendStatus appends the document as JSON, byte for byte what encoding/json
// would write of the same value without escaping HTML (but U+2028 and U+2029,
// which it leaves alone). It is written by hand because encoding/json takes
// longer over this than everything else together: see BenchmarkStages.
func AppendStatus(dst []byte, s *api.Status) []byte {
	dst = append(dst, `{"operational":`...)
	dst = appendOperational(dst, &s.Operational)
	dst = append(dst, `,"adapter":{"type":`...)
	dst = appendString(dst, s.Adapter.Type)
	dst = append(dst, `,"connected":`...)
	dst = strconv.AppendBool(dst, s.Adapter.Connected)
	dst = append(dst, `,"lastTestedAt":`...)
	dst = appendTime(dst, s.Adapter.LastTestedAt)
	dst = append(dst, `,"lastTestError":`...)
	dst = appendOptional(dst, s.Adapter.LastTestError)
	dst = append(dst, `},"syncs":{`...)
	for i := range s.Syncs {
		dst = appendName(dst, i, s.Syncs[i].Name)
		dst = appendBlock(dst, &s.Syncs[i].Block)
	}
	dst = append(dst, `},"workflows":{"openCount":`...)
	dst = strconv.AppendInt(dst, s.Workflows.OpenCount, 10)
	dst = append(dst, `,"oldestOpenedAt":`...)
	dst = appendTime(dst, s.Workflows.OldestOpenedAt)
	dst = append(dst, `,"byKind":{`...)
	for i, k := range s.Workflows.ByKind {
		dst = appendName(dst, i, k.Kind)
		dst = strconv.AppendInt(dst, k.Count, 10)
	}
	dst = append(dst, `}},"packages":{"activeCount":`...)
	dst = strconv.AppendInt(dst, s.Packages.ActiveCount, 10)
	dst = appendCount(dst, `,"pausedCount":`, s.Packages.PausedCount)
	dst = appendCount(dst, `,"last24hImpressions":`, s.Packages.Last24hImpressions)
	dst = appendCount(dst, `},"creatives":{"activeCount":`, s.Creatives.ActiveCount)
	dst = appendCount(dst, `,"pendingReviewCount":`, s.Creatives.PendingReviewCount)
	dst = appendCount(dst, `,"rejectedLast24hCount":`, s.Creatives.RejectedLast24hCount)
	dst = append(dst, `},"webhooks":`...)
	dst = appendWebhooks(dst, s.Webhooks)
	dst = append(dst, `,"fetchedAt":`...)
	dst = appendTime(dst, s.FetchedAt)
	if p := s.Products; p != nil {
		dst = appendCount(dst, `,"products":{"activeCount":`, p.ActiveCount)
		dst = appendCount(dst, `,"draftCount":`, p.DraftCount)
		dst = appendCount(dst, `,"archivedCount":`, p.ArchivedCount)
		dst = append(dst, '}')
	}
	if p := s.InventoryProfiles; p != nil {
		dst = appendCount(dst, `,"inventoryProfiles":{"totalCount":`, p.TotalCount)
		dst = appendCount(dst, `,"completeCount":`, p.CompleteCount)
		dst = appendCount(dst, `,"incompleteCount":`, p.IncompleteCount)
		dst = appendCount(dst, `,"wholesaleOwnedCount":`, p.WholesaleOwnedCount)
		dst = append(dst, '}')
	}
	dst = append(dst, `,"setupTasks":`...)
	dst = appendSetupTasks(dst, &s.SetupTasks)
	return append(dst, '}')
}

func appendOperational(dst []byte, o *api.Operational) []byte {
	dst = append(dst, `{"isLive":`...)
	dst = strconv.AppendBool(dst, o.IsLive)
	dst = append(dst, `,"discoveryDegraded":`...)
	dst = strconv.AppendBool(dst, o.DiscoveryDegraded)
	dst = append(dst, `,"deliveryDegraded":`...)
	dst = strconv.AppendBool(dst, o.DeliveryDegraded)
	dst = append(dst, `,"summary":`...)
	dst = appendString(dst, o.Summary)
	dst = append(dst, `,"issues":`...)
	if o.Issues == nil {
		return append(dst, `null}`...)
	}
	dst = append(dst, '[')
	for i := range o.Issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendIssue(dst, &o.Issues[i])
	}
	return append(dst, `]}`...)
}

func appendIssue(dst []byte, i *api.OperationalIssue) []byte {
	dst = append(dst, `{"code":`...)
	dst = appendString(dst, i.Code)
	dst = append(dst, `,"severity":`...)
	dst = appendString(dst, i.Severity)
	dst = append(dst, `,"message":`...)
	dst = appendString(dst, i.Message)
	dst = append(dst, `,"affects":`...)
	if i.Affects == nil {
		dst = append(dst, `null`...)
	} else {
		dst = append(dst, '[')
		for n, what := range i.Affects {
			if n > 0 {
				dst = append(dst, ',')
			}
			dst = appendString(dst, what)
		}
		dst = append(dst, ']')
	}
	if i.ConfigurePath != nil {
		dst = append(dst, `,"configurePath":`...)
		dst = appendString(dst, *i.ConfigurePath)
	}
	return append(dst, '}')
}

func appendBlock(dst []byte, b *api.SyncBlock) []byte {
	dst = append(dst, `{"status":`...)
	dst = appendString(dst, b.Status)
	dst = append(dst, `,"severity":`...)
	dst = appendString(dst, b.Severity)
	dst = append(dst, `,"lastSuccessAt":`...)
	dst = appendTime(dst, b.LastSuccessAt)
	dst = append(dst, `,"issue":`...)
	if i := b.Issue; i == nil {
		dst = append(dst, `null`...)
	} else {
		dst = append(dst, `{"code":`...)
		dst = appendString(dst, i.Code)
		dst = append(dst, `,"category":`...)
		dst = appendString(dst, i.Category)
		dst = append(dst, `,"message":`...)
		dst = appendString(dst, i.Message)
		dst = append(dst, `,"retryable":`...)
		dst = strconv.AppendBool(dst, i.Retryable)
		dst = append(dst, `,"action":`...)
		dst = appendOptional(dst, i.Action)
		if i.Capability != nil {
			dst = append(dst, `,"capability":`...)
			dst = appendString(dst, *i.Capability)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `,"lastRunAt":`...)
	dst = appendTime(dst, b.LastRunAt)
	dst = append(dst, `,"lastStartedAt":`...)
	dst = appendTime(dst, b.LastStartedAt)
	dst = append(dst, `,"itemCount":`...)
	dst = appendNumber(dst, b.ItemCount)
	dst = append(dst, `,"error":`...)
	dst = appendOptional(dst, b.Error)
	dst = appendHistory(dst, &b.History)
	return append(dst, '}')
}

func appendWebhooks(dst []byte, w *api.Webhooks) []byte {
	if w == nil {
		return append(dst, `null`...)
	}
	dst = appendCount(dst, `{"last24h":{"delivered":`, w.Last24h.Delivered)
	dst = appendCount(dst, `,"failed":`, w.Last24h.Failed)
	dst = append(dst, `,"successRate":`...)
	dst = jsontext.AppendFloat(dst, w.Last24h.SuccessRate, 64)
	dst = append(dst, `},"lastFailureAt":`...)
	dst = appendTime(dst, w.LastFailureAt)
	return append(dst, '}')
}

func appendSetupTasks(dst []byte, s *api.SetupTasks) []byte {
	dst = appendCount(dst, `{"blockerCount":`, s.BlockerCount)
	dst = appendCount(dst, `,"warningCount":`, s.WarningCount)
	dst = append(dst, `,"items":`...)
	if s.Items == nil {
		return append(dst, `null}`...)
	}
	dst = append(dst, '[')
	for i := range s.Items {
		if i > 0 {
			dst = append(dst, ',')
		}
		t := &s.Items[i]
		dst = append(dst, `{"id":`...)
		dst = appendString(dst, t.ID)
		dst = append(dst, `,"name":`...)
		dst = appendString(dst, t.Name)
		dst = append(dst, `,"severity":`...)
		dst = appendString(dst, t.Severity)
		dst = append(dst, `,"scope":`...)
		dst = appendString(dst, t.Scope)
		dst = append(dst, `,"description":`...)
		dst = appendString(dst, t.Description)
		dst = append(dst, `,"isComplete":`...)
		dst = strconv.AppendBool(dst, t.IsComplete)
		dst = append(dst, `,"configurePath":`...)
		dst = appendOptional(dst, t.ConfigurePath)
		dst = append(dst, '}')
	}
	return append(dst, `]}`...)
}
