package api_test

import (
	"testing"
	"time"

	"esagate/api"
)

func TestEncode(t *testing.T) {
	at := time.Date(2026, 3, 9, 15, 4, 5, 120_000_000, time.FixedZone("", 3600))
	text := "x"
	for want, document := range map[string]any{
		// Text stands as it is: HTML, line separators, what is no UTF-8.
		`{"path":"","message":"<a href=\"x\">&</a>"}`:                   api.ErrorIssue{Message: `<a href="x">&</a>`},
		`{"path":"","message":"a` + "\ufffd" + `b"}`:                    api.ErrorIssue{Message: "a\xffb"},
		`{"path":"\u0000\u001f` + "\x7f\u2028" + `","message":"é\n\\"}`: api.ErrorIssue{Path: "\x00\x1f\x7f\u2028", Message: "é\n\\"},
		// Timestamps keep their fraction (contract 4.3).
		`{"a":null,"b":"2026-03-09T14:04:05Z","c":"2026-03-09T14:04:05.1Z","d":"2026-03-09T14:04:05.120000000Z"}`: api.Members[api.Timestamp]{
			{Name: "a"}, {Name: "b", Value: api.Timestamp{Time: at}}, {Name: "c", Value: api.Timestamp{Time: at, Digits: 1}}, {Name: "d", Value: api.Timestamp{Time: at, Digits: 9}},
		},
		`"2026-03-09T14:04:05.12Z"`: api.TimestampOf(at),
		`null`:                      api.TimestampOf(time.Time{}),
		// Members keep their order, and names are data.
		`{"b":1,"a_b":2,"<":3,"b":4,"` + "\ufffd" + `":5}`: api.ByKind{{Name: "b", Value: 1}, {Name: "a_b", Value: 2}, {Name: "<", Value: 3}, {Name: "b", Value: 4}, {Name: "\xff", Value: 5}},
		`{}`: api.SyncRunIDs(nil),
		// A list that is nil is null, an empty one is not.
		`{"runs":null,"count":0,"nextCursor":null}`:                     api.SyncRunPage{},
		`{"runs":[],"count":9007199254740993,"nextCursor":"x"}`:         &api.SyncRunPage{Runs: []api.SyncRun{}, Count: 9007199254740993, NextCursor: &text},
		`{"delivered":0,"failed":0,"successRate":0.1}`:                  api.WebhookCounts{SuccessRate: 0.1},
		`{"delivered":0,"failed":0,"successRate":1e+21}`:                api.WebhookCounts{SuccessRate: 1e21},
		`[{"type":"mock"},null]`:                                        []api.AdServer{{{Name: "type", Value: "mock"}}, nil},
		`{"code":"","severity":"","message":"","affects":["delivery"]}`: api.OperationalIssue{Affects: []string{"delivery"}},
	} {
		if got := string(api.Encode(document)); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}
