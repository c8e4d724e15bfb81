package transform

import (
	"strconv"

	"esagate/api"
)

// noHistory is what a history is that was not asked for, as nearly always.
const noHistory = `,"history":{"recentRunCount":0,"recentFailureCount":0,"consecutiveFailureCount":0,"latestFailureAt":null,"latestError":null}`

func appendHistory(dst []byte, h *api.SyncHistory) []byte {
	if h.RecentRuns == nil && h.LatestError == nil && h.LatestFailureAt.IsZero() &&
		h.RecentRunCount|h.RecentFailureCount|h.ConsecutiveFailureCount == 0 {
		return append(dst, noHistory...)
	}
	dst = appendCount(dst, `,"history":{"recentRunCount":`, h.RecentRunCount)
	dst = appendCount(dst, `,"recentFailureCount":`, h.RecentFailureCount)
	dst = appendCount(dst, `,"consecutiveFailureCount":`, h.ConsecutiveFailureCount)
	dst = append(dst, `,"latestFailureAt":`...)
	dst = appendTime(dst, h.LatestFailureAt)
	dst = append(dst, `,"latestError":`...)
	dst = appendOptional(dst, h.LatestError)
	if h.RecentRuns != nil {
		dst = append(dst, `,"recentRuns":[`...)
		for i := range h.RecentRuns {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendRun(dst, &h.RecentRuns[i])
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func appendRun(dst []byte, r *api.SyncRun) []byte {
	dst = append(dst, `{"syncId":`...)
	dst = appendString(dst, r.SyncID)
	dst = append(dst, `,"syncType":`...)
	dst = appendString(dst, r.SyncType)
	dst = append(dst, `,"startedAt":`...)
	dst = appendTime(dst, r.StartedAt)
	dst = append(dst, `,"completedAt":`...)
	dst = appendTime(dst, r.CompletedAt)
	dst = append(dst, `,"status":`...)
	dst = appendString(dst, r.Status)
	dst = append(dst, `,"durationSeconds":`...)
	dst = appendNumber(dst, r.DurationSeconds)
	dst = appendCount(dst, `,"itemsProcessed":`, r.ItemsProcessed)
	dst = appendCount(dst, `,"itemsFailed":`, r.ItemsFailed)
	dst = append(dst, `,"errorSummary":`...)
	dst = appendOptional(dst, r.ErrorSummary)
	dst = append(dst, `,"errorCategory":`...)
	dst = appendOptional(dst, r.ErrorCategory)
	return append(dst, '}')
}

func appendNumber(dst []byte, n *int64) []byte {
	if n == nil {
		return append(dst, `null`...)
	}
	return strconv.AppendInt(dst, *n, 10)
}
