package clustertest_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// bound says how many calls of a tenant an interval of a phase may have, and how many the phase may have besides.
type bound struct{ perInterval, besides int }

// judge holds what came of a load against what was promised, and prints its figures.
// It gives how many looks at Redis failed: what depends on these is not promised then.
func (l *load) judge(apart bool, bounds map[string]bound) (looksFailed int) {
	t := l.w.t
	t.Helper()
	var calls strings.Builder
	for i, m := range l.marks[:len(l.marks)-1] {
		next := l.marks[i+1]
		took, made := next.at.Sub(m.at), next.calls-m.calls
		fmt.Fprintf(&calls, ", %s %.2f", m.phase, float64(made)/tenants/(float64(took)/float64(fresh)))
		b, ok := bounds[m.phase]
		if !ok {
			b = bound{1, 0}
		}
		// A copy may be fresh for a tenth less than an interval (contract 4.12), and each phase begins within one.
		most := tenants * (b.perInterval*(int(math.Ceil(float64(took)/(0.9*float64(fresh))))+1) + b.besides)
		if made > most {
			t.Errorf("%s: %d calls of %d tenants in %s, want %d at most", m.phase, made, tenants, took, most)
		}
	}
	lost, alone := l.lost(), make([]bool, len(l.w.replicas))
	for i, r := range l.w.replicas {
		n := r.looksThatFailed()
		looksFailed += n
		// On a machine that is busy with other things an exchange can take longer than its budget.
		alone[i] = apart || n > 0
	}
	t.Logf("%d reads, %d failed; calls per tenant and interval%s; oldest answer %s; %d writes, %d lost; %d looks at Redis failed",
		l.reads, len(l.failed), &calls, l.oldest.Round(time.Millisecond), len(l.created), len(lost), looksFailed)
	for i, f := range l.failed {
		if i < 5 {
			t.Errorf("a read failed %s", f)
		}
	}
	for i, name := range lost {
		if i < 5 {
			t.Errorf("not there, or there twice: %s", name)
		}
	}
	l.checkOrder(alone)
	l.checkIdempotency()
	return looksFailed
}

// lost gives what was answered as created and is not at each replica exactly once.
func (l *load) lost() (names []string) {
	for _, r := range l.w.replicas {
		base := r.base.Load()
		if base == nil {
			continue
		}
		var all strings.Builder
		for skip := 0; ; skip += 200 {
			status, page, _, err := ask(context.Background(), "GET", fmt.Sprintf("%s%s?take=200&skip=%d", *base, sources, skip), "", "")
			if err != nil || status != http.StatusOK {
				l.w.t.Fatalf("%d %s %v", status, page, err)
			}
			all.WriteString(page)
			if strings.Count(page, `"sourceId":`) < 200 {
				break
			}
		}
		for name, id := range l.created {
			if strings.Count(all.String(), fmt.Sprintf("%q:%q", "name", name)) != 1 || !strings.Contains(all.String(), fmt.Sprintf("%q:%q", "sourceId", id)) {
				names = append(names, fmt.Sprintf("%s at replica %d", name, r.number))
			}
		}
	}
	return names
}

// inOrder is a tenant's document as its readers see it: never an older one after a newer one.
var inOrder = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, _, output any) (bool, any) {
		newest, read := state.(int64), output.(int64)
		return read >= newest, read
	},
}

// checkOrder checks the documents that were read: of all replicas together that always knew of each other, and of
// each process of those that were alone for a time: a process that starts alone knows what is in the database.
func (l *load) checkOrder(alone []bool) {
	model := inOrder
	model.Partition = func(history []porcupine.Operation) [][]porcupine.Operation {
		parts := map[process][]porcupine.Operation{}
		for _, o := range history {
			by := o.Input.(process)
			if !alone[by.replica] {
				by = process{}
			}
			parts[by] = append(parts[by], o)
		}
		return slices.Collect(maps.Values(parts))
	}
	for id, history := range l.byTenant {
		if result := porcupine.CheckOperationsTimeout(model, history, patience); result != porcupine.Ok {
			l.w.t.Errorf("order of the documents of %s: %v", id, result)
			for _, part := range model.Partition(history) {
				l.explainOrder(part)
			}
			return
		}
	}
}

// explainOrder names a first pair of reads that are out of order.
func (l *load) explainOrder(history []porcupine.Operation) {
	for _, a := range history {
		for _, b := range history {
			if a.Return < b.Call && a.Output.(int64) > b.Output.(int64) {
				l.w.t.Errorf("replica %v answered %s after replica %v had answered one that is %s newer, %s later, %s after the beginning", b.Input,
					time.Unix(0, b.Output.(int64)).UTC().Format("05.000"), a.Input, time.Duration(a.Output.(int64)-b.Output.(int64)),
					time.Duration(b.Call-a.Return), time.Unix(0, b.Call).Sub(l.began).Round(time.Millisecond))
				return
			}
		}
	}
}

// once is what an Idempotency-Key stands for: all who are told of a source are told of the same. What was not
// told may have been done.
var once = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, _, output any) (bool, any) {
		made, told := state.(string), output.(string)
		if told == "" || made == told {
			return true, made
		}
		return made == "", told
	},
}

func (l *load) checkIdempotency() {
	for name, history := range l.byKey {
		if result := porcupine.CheckOperationsTimeout(once, history, patience); result != porcupine.Ok {
			l.w.t.Errorf("Idempotency-Key %s: %v", name, result)
		}
	}
}
