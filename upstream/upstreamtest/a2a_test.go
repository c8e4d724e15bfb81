package upstreamtest_test

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	ut "esagate/upstream/upstreamtest"
)

// a2a makes a call of A2A and gives the answer.
func (d *door) a2a(t *testing.T, method, params string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", d.at+"/a2a",
		strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":"r1","method":%q,"params":%s}`, method, params)))
	must(t, err)
	res, err := d.Do(r)
	must(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func (d *door) a2aText(t *testing.T, method, params string) string {
	t.Helper()
	text, err := io.ReadAll(d.a2a(t, method, params).Body)
	must(t, err)
	return string(text)
}

// event reads the data of the next event of a stream; "" at its end.
func event(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			return ""
		}
		must(t, err)
		if data, is := strings.CutPrefix(line, "data: "); is {
			return data
		}
	}
}

var taskID = regexp.MustCompile(`task_[0-9a-f]+`)

func TestA2A(t *testing.T) {
	for version, c := range map[string]struct {
		send, stream, get, list, cancel, subscribe, part string
		task, working, completed, canceled               string
	}{
		"0.3": {"message/send", "message/stream", "tasks/get", "tasks/list", "tasks/cancel", "tasks/resubscribe", `"kind":"data",`,
			`"result":{"kind":"task"`, `"working"`, `"completed"`, `"canceled"`},
		"1.0": {"SendMessage", "SendStreamingMessage", "GetTask", "ListTasks", "CancelTask", "SubscribeToTask", "",
			`"result":{"task":{"id"`, `"TASK_STATE_WORKING"`, `"TASK_STATE_COMPLETED"`, `"TASK_STATE_CANCELED"`},
	} {
		t.Run(version, func(t *testing.T) {
			w := newWorld(t, ut.Options{}, ut.Healthy())
			tenant := gam("tnt_a", ut.Healthy())
			tenant.Stocked = true
			w.SetTenant(tenant)
			d := newDoor(t, w, buyers())
			message := func(skill, parameters string) string {
				return fmt.Sprintf(`{"message":{"parts":[{%s"data":{"skill":%q,"parameters":%s}}]}}`, c.part, skill, parameters)
			}
			has(t, d.a2aText(t, c.send, `{"message":{"parts":[{"text":"video, please"}]}}`), c.task, c.completed, "name_of_tnt_a_video", `"id":"r1"`)
			has(t, d.a2aText(t, c.send, message("create_media_buy", `{"product_id":"none"}`)), "no such product")
			has(t, d.a2aText(t, c.send, message("no_skill", `{}`)), "-32602")
			has(t, d.a2aText(t, c.get, `{"id":"task_0"}`), "-32001")

			follow := message("follow_media_buy", `{"media_buy_id":"`+tenant.PendingBuyID()+`"}`)
			stream := bufio.NewReader(d.a2a(t, c.stream, follow).Body)
			first := event(t, stream)
			has(t, first, c.task, c.working)
			id := taskID.FindString(first)
			for !strings.Contains(event(t, stream), "It is pending_approval.") {
			}
			again := bufio.NewReader(d.a2a(t, c.subscribe, `{"id":"`+id+`"}`).Body)
			has(t, event(t, again), c.task, c.working)
			has(t, d.a2aText(t, c.get, `{"id":"`+id+`"}`), c.working)
			w.SetMediaBuy("tnt_a", tenant.PendingBuyID(), "active", "")
			for _, lines := range []*bufio.Reader{stream, again} {
				last, all := "", ""
				for e := event(t, lines); e != ""; e = event(t, lines) {
					last, all = e, all+e
				}
				has(t, all, `"artifactId"`)
				has(t, last, c.completed)
			}
			has(t, d.a2aText(t, c.list, `{}`), `"totalSize":3`, id)

			stream = bufio.NewReader(d.a2a(t, c.stream, follow).Body)
			id = taskID.FindString(event(t, stream))
			has(t, d.a2aText(t, c.cancel, `{"id":"`+id+`"}`), c.canceled)
			d.header = buyers("X-Principal-Id", "prin_marble")
			has(t, d.a2aText(t, c.get, `{"id":"`+id+`"}`), "-32001")
		})
	}
}
