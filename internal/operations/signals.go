package operations

import (
	"context"
	"math/big"
	"net/http"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"esagate/internal/fault"
	"esagate/transform/shape"
)

// takenSignalIDs are ids whose paths are other operations.
var takenSignalIDs = []string{"adapter-capabilities", "candidates"}

// checkSignal gives what is wrong with a signal beside its shape. Of a dry run that is little: the sales agent is asked
// for its opinion of the rest (contract 12.22).
func checkSignal(x *exchange) (issues []fault.Issue) {
	id := text(member(x.body, "signalId"))
	if path, ok := x.vars["signalId"]; ok && id != "" && id != path {
		issues = append(issues, fault.Issue{Path: "signalId", Message: "signalId must be the id in the path."})
	} else if slices.Contains(takenSignalIDs, id) {
		issues = append(issues, fault.Issue{Path: "signalId", Message: "signalId can't be this word: its path is another operation's."})
	}
	if x.dryRun {
		return issues
	}
	switch text(member(x.body, "valueType")) {
	case "categorical":
		if !says(member(x.body, "categories")) {
			issues = append(issues, fault.Issue{Path: "categories", Message: "categories is required where valueType is categorical."})
		}
	case "numeric":
		if bounds := member(x.body, "range"); len(bounds) == 0 || bounds.Kind() == 'n' {
			issues = append(issues, fault.Issue{Path: "range", Message: "range is required where valueType is numeric."})
		} else if low, high := number(member(bounds, "min")), number(member(bounds, "max")); low != nil && high != nil && low.Cmp(high) > 0 {
			issues = append(issues, fault.Issue{Path: "range", Message: "range.min can't be above range.max."})
		}
	}
	return append(issues, mappingKindIssues(member(x.body, "adapterConfig"))...)
}

// mappingKindIssues: a config names the kind of its mapping; a composed one names those of its criteria. What else it
// holds is for the sales agent to judge.
func mappingKindIssues(config jsontext.Value) (issues []fault.Issue) {
	const path = "adapterConfig"
	need := func(path string, config jsontext.Value) {
		if text(member(config, "kind")) == "" {
			issues = append(issues, fault.Issue{Path: path, Message: path + " is required."})
		}
	}
	switch criteria := member(config, "criteria"); {
	case len(config) == 0 || config.Kind() != '{':
	case text(member(config, "type")) != "composed":
		need(path+".kind", config)
	case !says(criteria) || criteria.Kind() != '[':
		issues = append(issues, fault.Issue{Path: path + ".criteria", Message: path + ".criteria is required where type is composed."})
	default:
		for i, criterion := range entries(criteria) {
			if len(issues) == shape.MaxIssues {
				break
			}
			if criterion.Kind() == '{' { // the sales agent passes over others
				need(at(path+".criteria", i, "kind"), criterion)
			}
		}
	}
	return issues
}

// bound is a number that is short enough to be compared exactly. The shape refuses others.
var bound = regexp.MustCompile(`^[+-]?(\d{1,40}\.?\d{0,40}|\.\d{1,40})([eE][+-]?\d{1,2})?$`)

// number reads a bound of a range, exactly; nil for none, and for what is no bound.
func number(value jsontext.Value) *big.Rat {
	written := text(value)
	if len(value) > 0 && value.Kind() == '0' {
		written = string(value)
	}
	if !bound.MatchString(written) {
		return nil
	}
	n, _ := new(big.Rat).SetString(written)
	return n
}

// prepareSignal has a dry run ask elsewhere, and answer otherwise (contract 12.22).
func prepareSignal(_ context.Context, x *exchange) ([]byte, error) {
	if x.dryRun {
		x.call, x.status, x.answer = post("signals:validate"), http.StatusOK, x.answers("SignalValidation")
	} else {
		x.answer = x.answers("Signal")
	}
	return nil, nil
}

// composeSignalVerdict gives what a dry run brought.
func composeSignalVerdict(_ context.Context, x *exchange, document []byte) ([]shape.Given, error) {
	if !x.dryRun {
		return nil, nil
	}
	v, err := readVerdict(document, x.request)
	if err != nil {
		return nil, err
	}
	return v.given(), nil
}
