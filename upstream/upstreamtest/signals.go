package upstreamtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"unicode/utf8"
)

// Widths of the columns that signals are kept in: what is longer is an error of the database.
const (
	providerWidth  = 200
	dimensionWidth = 64
	boundDigits    = 14 // before the point
	boundDecimals  = 6
)

// signal is what the rules look at.
type signal struct {
	ID            string                     `json:"signal_id"`
	ValueType     string                     `json:"value_type"`
	Categories    []string                   `json:"categories"`
	Range         *signalRange               `json:"range"`
	AdapterConfig map[string]json.RawMessage `json:"adapter_config"`
	DataProvider  *string                    `json:"data_provider"`
	Dimension     *string                    `json:"targeting_dimension"`
}

type signalRange struct {
	Min json.RawMessage `json:"min"`
	Max json.RawMessage `json:"max"`
}

func (q *inquiry) signal() (s signal) {
	mustRead(q.body, &s)
	return s
}

func listSignals(q *inquiry) answer {
	docs := q.signals.all(nil)
	for i, doc := range docs {
		docs[i] = complete(doc, element("listEsaSignals"), q.owner.Status.Build)
	}
	return says200(listed("signals", docs, true))
}

func getSignal(q *inquiry) answer {
	doc := q.signals.get(q.part)
	if doc == nil {
		return noSignal(q.part)
	}
	return q.gives(http.StatusOK, doc, document("getEsaSignal"))
}

func noSignal(id string) answer {
	return problem(http.StatusNotFound, "signal_mapping_not_found", fmt.Sprintf("There is no signal mapping '%s'.", id), nil)
}

func validateSignal(q *inquiry) answer { return q.signalIssues(q.signal()).verdict() }

func createSignal(q *inquiry) answer {
	s := q.signal()
	if found := q.signalIssues(s); !found.valid() {
		return found.refusal("invalid_signal_mapping", "The signal mapping is not valid.")
	}
	if q.signals.get(s.ID) != nil {
		return problem(http.StatusConflict, "signal_mapping_exists", fmt.Sprintf("There is a signal mapping '%s' already.", s.ID), nil)
	}
	return q.saveSignal(http.StatusCreated, s, stamp(q.now, q.owner.zone()))
}

// putSignal replaces one. As upstream does, it looks for it last.
func putSignal(q *inquiry) answer {
	s := q.signal()
	if s.ID != q.part {
		return problem(http.StatusBadRequest, "signal_id_mismatch", "The signal_id of the body is not that of the path.", nil)
	}
	if found := q.signalIssues(s); !found.valid() {
		return found.refusal("invalid_signal_mapping", "The signal mapping is not valid.")
	}
	old := q.signals.get(s.ID)
	if old == nil {
		return noSignal(s.ID)
	}
	return q.saveSignal(http.StatusOK, s, member(old, "created_at"))
}

// saveSignal keeps a signal that is valid.
func (q *inquiry) saveSignal(status int, s signal, created string) answer {
	if s.tooWide() {
		return crash(http.StatusInternalServerError, "internal_error")
	}
	now := stamp(q.now, q.owner.zone())
	doc := with(q.body, named{"etag", idOf("", string(q.body), now)}, named{"updated_at", now}, named{"created_at", created})
	if r := s.Range; r != nil {
		doc = with(doc, named{"range", json.RawMessage(fmt.Sprintf(`{"min":%s,"max":%s}`, bound(r.Min), bound(r.Max)))})
	}
	if !q.signals.put(s.ID, doc) {
		return full()
	}
	return q.gives(status, doc, document("getEsaSignal"))
}

func deleteSignal(q *inquiry) answer {
	if q.signals.get(q.part) == nil {
		return noSignal(q.part)
	}
	if n := q.references(q.part); n > 0 && q.query.Get("confirm_referenced") != "true" {
		return problem(http.StatusConflict, "signal_mapping_in_use",
			fmt.Sprintf("Signal mapping '%s' is referenced by %d active media buy(s).", q.part, n),
			struct {
				ActiveReferences int `json:"active_references"`
			}{n})
	}
	q.signals.drop(q.part)
	return gone("The signal mapping was deleted.")
}

// references counts the active media buys whose targeting names a signal.
func (q *inquiry) references(id string) int {
	return len(q.buys.all(func(doc json.RawMessage) bool {
		var buy struct {
			Status    string          `json:"status"`
			Targeting json.RawMessage `json:"targeting"`
		}
		mustRead(doc, &buy)
		return buy.Status == "active" && bytes.Contains(buy.Targeting, fmt.Appendf(nil, "%q", id))
	}))
}

// tooWide reports whether a column can't hold the signal.
func (s signal) tooWide() bool {
	wider := func(text *string, most int) bool { return text != nil && utf8.RuneCountInString(*text) > most }
	if wider(s.DataProvider, providerWidth) || wider(s.Dimension, dimensionWidth) {
		return true
	}
	if s.Range == nil {
		return false
	}
	most := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(boundDigits), nil))
	for _, raw := range []json.RawMessage{s.Range.Min, s.Range.Max} {
		if d := decimal(raw); d != nil && d.Abs(d).Cmp(most) >= 0 {
			return true
		}
	}
	return false
}

// bound writes a bound as its column has it.
func bound(raw json.RawMessage) string {
	d := decimal(raw)
	if d == nil {
		return "null"
	}
	return `"` + d.FloatString(boundDecimals) + `"`
}
