package transform

import (
	"strings"
	"sync"

	"cel.dev/cel-go/cel"

	"esagate/api"
)

// costLimit bounds one evaluation of a complete_when; a plain condition costs
// some ten units, one that looks at a thousand tasks some ten thousand.
const costLimit = 100_000

// environment is made at the first use: it takes milliseconds, and most gateways need none.
var environment = sync.OnceValues(func() (*cel.Env, error) {
	return cel.NewEnv(
		cel.Variable("source", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("connection", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("snapshot", cel.DynType), // a map, or null
		cel.CrossTypeNumericComparisons(true),
	)
})

// compile compiles a complete_when.
func compile(expression string) (cel.Program, *TaskFault) {
	env, err := environment()
	if err != nil {
		return nil, faultAt(nil, "can't be compiled")
	}
	checked, issues := env.Parse(expression)
	if issues.Err() != nil {
		return nil, faultAt(issues.Errors(), "does not parse")
	}
	if checked, issues = env.Check(checked); issues.Err() != nil {
		return nil, faultAt(issues.Errors(), checkMessage(issues.Errors()[0].Message))
	}
	if t := checked.OutputType(); !t.IsExactType(cel.BoolType) && !t.IsExactType(cel.DynType) {
		return nil, faultAt(nil, "is not true or false")
	}
	program, err := env.Program(checked, cel.CostLimit(costLimit))
	if err != nil {
		return nil, faultAt(nil, "can't be compiled")
	}
	return program, nil
}

// checkMessage puts the checker's complaint, which quotes the expression, into
// words of ours.
func checkMessage(complaint string) string {
	switch {
	case strings.HasPrefix(complaint, "undeclared reference"), strings.HasPrefix(complaint, "undefined field"):
		return "names something that is not there"
	case strings.HasPrefix(complaint, "found no matching overload"):
		return "applies an operator or a function to values that it does not take"
	}
	return "does not fit together"
}

// faultAt gives a fault at the position of the first issue.
func faultAt(issues []*cel.Error, message string) *TaskFault {
	f := &TaskFault{Field: "complete_when", Message: message, Line: 1, Column: 1}
	if len(issues) > 0 && issues[0].Location.Line() > 0 {
		f.Line, f.Column = issues[0].Location.Line(), issues[0].Location.Column()+1
	}
	return f
}

// evaluate runs a complete_when. It is not ok where that fails, or is neither true nor false.
func evaluate(program cel.Program, vars map[string]any) (done, ok bool) {
	value, _, err := program.Eval(vars)
	if err != nil {
		return false, false
	}
	done, ok = value.Value().(bool)
	return done, ok
}

// celVars gives what expressions see. The snapshot is the document before the
// platform's tasks: it has upstream's own, counted, and no operational state.
func celVars(in *StatusInput, doc *api.Status) map[string]any {
	labels := in.Source.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	vars := map[string]any{
		"source":     map[string]any{"id": in.Source.SourceID, "name": in.Source.Name, "labels": labels},
		"connection": celDocument(api.Encode(Connection(in.Source))),
		"snapshot":   nil,
	}
	if in.Snapshot != nil {
		before := *doc
		before.SetupTasks = mergeTasks(nil, before.SetupTasks.Items)
		snapshot, _ := celDocument(api.Encode(&before)).(map[string]any)
		delete(snapshot, "operational")
		vars["snapshot"] = snapshot
	}
	return vars
}
