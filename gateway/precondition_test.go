package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"esagate/gateway"
	"esagate/internal/operations"
	"esagate/upstream/upstreamtest"
)

// state is what a GET says of the state of a resource.
type state struct{ tag, zipTag, modified, body string }

func (w *world) state(path string) state {
	w.Helper()
	plain, zipped := w.get(path), w.get(path, "Accept-Encoding", "gzip")
	return state{plain.header.Get("Etag"), zipped.header.Get("Etag"), plain.header.Get("Last-Modified"), string(plain.body)}
}

func TestPreconditionsOfAWrite(t *testing.T) {
	tests := []struct {
		headers string // A and B stand for the tags of the earlier and the present state, B-gzip for that of the coding
		holds   bool
	}{
		{"If-Match: A", false},
		{"If-Match: B", true},
		{"If-Match: B-gzip", true},
		{"If-Match: W/B", false},
		{"If-Match: *", true},
		{`If-Match: "x, y" ,, A,B`, true},
		{"If-Match: A|If-Match: B", true},
		{`If-Match: "x", *`, false},
		{`If-Match: "*"`, false},
		{"If-Match: ", false},
		{"If-Match: bare", false},
		{`If-Match: "unended, B`, false},
		{"If-Match: Bx", false},
		{"If-None-Match: *", false},
		{"If-None-Match: A", true},
		{"If-None-Match: B", false},
		{"If-None-Match: W/B", false},
		{"If-None-Match: B-gzip", false},
		{"If-None-Match: ", true},
		{`If-None-Match: "*"`, true},
		{"If-Unmodified-Since: Mon, 06 Nov 1995 08:49:37 GMT", false},
		{"If-Unmodified-Since: Mon Nov  6 08:49:37 1995", false},
		{"If-Unmodified-Since: EARLIER", false},
		{"If-Unmodified-Since: MODIFIED", true},
		{"If-Unmodified-Since: 1995-11-06", true},
		{"If-Unmodified-Since: Mon, 06 Nov 1995 08:49:37 GMT|If-Unmodified-Since: Mon, 06 Nov 1995 08:49:37 GMT", true},
		{"If-Match: B|If-Unmodified-Since: Mon, 06 Nov 1995 08:49:37 GMT", true},
		{"If-Match: A|If-Unmodified-Since: MODIFIED", false},
		{"If-Match: B|If-None-Match: *", false},
		{"If-Unmodified-Since: MODIFIED|If-None-Match: B", false},
		{"If-Modified-Since: Thu, 06 Nov 2098 08:49:37 GMT", true}, // for reads alone
	}
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			w.write("POST", sourcesPath, agentBody())
			path := sourcesPath + "/harbour-direct"
			earlier := w.state(path)
			for i, test := range tests {
				w.pass(2 * time.Second)
				w.write("PUT", path, fmt.Sprintf(`{"name":"Name %d"}`, i))
				now := w.state(path)
				replacer := strings.NewReplacer("A", earlier.tag, "B-gzip", now.zipTag, "B", now.tag,
					"EARLIER", earlier.modified, "MODIFIED", now.modified)
				var headers []string
				for line := range strings.SplitSeq(test.headers, "|") {
					name, value, _ := strings.Cut(line, ": ")
					headers = append(headers, name, replacer.Replace(value))
				}
				a := w.write("PUT", path, `{"description":"written"}`, headers...)
				if after := w.state(path); test.holds != (a.status == 200) || !test.holds && (a.status != 412 || after != now) {
					w.Errorf("%s: %d %s", test.headers, a.status, a.body)
				}
			}
		})
	}
}

// 400, 401, 403, 404, 413 and 415 are answered whatever the precondition; 412 goes before 409.
func TestThePlaceOfAPrecondition(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		w.create()
		agent, managed := sourcesPath+"/harbour-direct", sourcesPath+"/"+source
		for _, test := range []struct {
			method, path, body string
			status             int
		}{
			{"PUT", sourcesPath + "/nobody", `{}`, 404},
			{"PUT", agent, `{"name":5}`, 400},
			{"PUT", agent, `{`, 400},
			{"PUT", agent + "?x=1", `{}`, 400},
			{"PUT", managed + "?x=1", `{"status":"DISABLED"}`, 400},
			{"PUT", agent, strings.Repeat(" ", 2<<20), 413},
			{"PUT", managed, `{"status":"DISABLED"}`, 412},
			{"PUT", agent, `{}`, 412},
			{"DELETE", sourcesPath + "/nobody", "", 404},
			{"DELETE", agent + "?x=1", "", 400},
			{"DELETE", managed, "", 412},
			{"POST", sourcesPath, `{}`, 400},
			{"POST", sourcesPath, agentBody("sourceId", `"harbour-direct"`), 412},
			{"POST", esaPath, `{}`, 400},
			{"PUT", sourcesPath + "/nobody/ad-server", `{"type":"mock"}`, 404},
			{"PUT", managed + "/ad-server", `{"type":"x"}`, 400},
			{"PUT", managed + "/ad-server", `{"type":"mock"}`, 412}, // another type
			{"POST", sourcesPath + "/" + unplanned + "/refresh", "", 412},
			{"POST", managed + "/refresh", "{", 400},
		} {
			if a := w.write(test.method, test.path, test.body, "If-Match", `"old"`); a.status != test.status {
				w.Errorf("%s %s %.40s: %d %s", test.method, test.path, test.body, a.status, a.body)
			}
			w.writeAs("nobody's", test.method, test.path, test.body, "If-Match", `"old"`).failure(t, 401, "UNAUTHORIZED")
			w.writeAs(readKey, test.method, test.path, test.body, "If-Match", `"old"`).failure(t, 403, "FORBIDDEN")
		}
		plain := request("PUT", agent, writeKey, "{}", "If-Match", `"old"`)
		plain.Header.Set("Content-Type", "text/plain")
		w.send(plain).failure(t, 415, "BAD_REQUEST")
		w.write("PUT", managed, `{"status":"DISABLED"}`, "If-Match", w.state(managed).tag).failure(t, 409, "CONFLICT")
		if n := w.agent.Calls(""); n != 0 {
			w.Errorf("the sales agent was called %d times", n)
		}
	})
}

func TestDeleteOnAPrecondition(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		name, _ := w.connected("pier")
		path := sourcesPath + "/" + name
		w.pass(time.Second) // it is subscribed to
		active := w.state(path)
		w.agent.Fault("", upstreamtest.Fault{Only: upstreamtest.RouteDeleteWebhook, Status: 503})
		w.write("POST", path+"/deactivate", "")
		w.pass(time.Minute) // it is subscribed to still
		w.agent.Fault("", upstreamtest.Fault{})
		calls := w.agent.Calls("")
		for _, header := range [][]string{{"If-Match", active.tag}, {"If-None-Match", "*"}} {
			w.write("DELETE", path, "", header...).failure(t, 412, "PRECONDITION_FAILED")
		}
		if w.get(path).status != 200 || w.agent.Calls("") != calls {
			w.Errorf("it is gone, or there were %d calls", w.agent.Calls("")-calls)
		}
		if a := w.write("DELETE", path, "", "If-Match", w.state(path).zipTag); a.status != 204 || w.agent.Calls("") == calls {
			w.Errorf("%d %s, after %d calls", a.status, a.body, w.agent.Calls("")-calls)
		}
	})
}

// ofAdServers are the operations of the table of operations, which change nothing of a connection.
var ofAdServers = func() map[string]bool {
	all := map[string]bool{}
	for _, o := range operations.Table() {
		all[o.ID] = true
	}
	return all
}()

func TestChangesOfAConnectionOnAPrecondition(t *testing.T) {
	for _, envelope := range []bool{false, true} {
		inWorld(t, setup{envelope: envelope}, func(w *world) {
			older := w.state(esaOf)
			w.pass(time.Second)
			w.write("POST", sourcesPath+"/"+source+"/test-connection", "")
			now, calls, tried := w.state(esaOf), w.agent.Calls(""), 0
			for _, route := range gateway.Routes() {
				if route.Method == http.MethodGet || !strings.Contains(route.Path, "Id}/") || ofAdServers[route.Operation] || isLaunch(route) {
					continue
				}
				tried++
				path := strings.NewReplacer("{sourceId}", source, "{esaId}", "1000", "{capability}", "reporting").Replace(route.Path)
				body := ""
				if route.Method != http.MethodPost {
					body = `{"type":"google_ad_manager","networkCode":"2"}`
				}
				for _, header := range [][]string{
					{"If-Match", older.tag}, {"If-None-Match", "*"}, {"If-None-Match", now.zipTag},
					{"If-Unmodified-Since", older.modified},
				} {
					w.write(route.Method, path, body, header...).failure(t, 412, "PRECONDITION_FAILED")
				}
				if after := w.state(esaOf); after != now || w.agent.Calls("") != calls {
					w.Errorf("%s %s: %+v after %d calls", route.Method, path, after, w.agent.Calls("")-calls)
				}
				if strings.HasSuffix(path, "/reactivate") {
					w.write("POST", sourcesPath+"/"+source+"/deactivate", "")
					now = w.state(esaOf)
				}
				if a := w.write(route.Method, path, body, "If-Match", `"x", `+now.zipTag); a.status != 200 {
					w.Errorf("%s %s: %d %s", route.Method, path, a.status, a.body)
				}
				if strings.HasSuffix(path, "/deactivate") {
					w.write("POST", sourcesPath+"/"+source+"/reactivate", "")
				}
				w.pass(time.Second)
				now, calls = w.state(esaOf), w.agent.Calls("")
			}
			if tried != 12 {
				w.Errorf("%d writes", tried)
			}
		})
	}
}

func TestAdditionsOnAPrecondition(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for path, body := range map[string]string{
			sourcesPath: agentBody(), esaPath: `{"type":"springserve","email":"a@b.example","password":"CANARY-pw"}`,
		} {
			before := w.state(path)
			for _, header := range [][]string{{"If-None-Match", "*"}, {"If-None-Match", before.tag}, {"If-Match", `"old"`}} {
				w.write("POST", path, body, header...).failure(t, 412, "PRECONDITION_FAILED")
				w.write("POST", path, body, append(header, "Idempotency-Key", path)...).failure(t, 412, "PRECONDITION_FAILED")
			}
			if after := w.state(path); after != before {
				w.Errorf("%s became %s", before.body, after.body)
			}
			// The key is still free. A repetition gets the first answer, although the list is another by now.
			on := []string{"Idempotency-Key", path, "If-Match", before.zipTag}
			first, again := w.write("POST", path, body, on...), w.write("POST", path, body, on...)
			if first.status != 201 || again.status != 201 || string(first.body) != string(again.body) {
				w.Errorf("%s: %d %s, %d %s", path, first.status, first.body, again.status, again.body)
			}
			w.write("POST", path, body, "If-Match", before.tag).failure(t, 412, "PRECONDITION_FAILED")
			for _, header := range [][]string{
				{"If-Match", "*"}, {"If-None-Match", before.tag}, {"If-Unmodified-Since", "Mon, 06 Nov 1995 08:49:37 GMT"},
			} {
				if a := w.write("POST", path, body, header...); a.status != 201 {
					w.Errorf("%s, %q: %d %s", path, header, a.status, a.body)
				}
			}
		}
	})
}

func TestARepetitionIsAnsweredWithoutItsPrecondition(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		path := sourcesPath + "/" + source + "/test-connection"
		once := []string{"Idempotency-Key", "k", "If-Match"}
		w.write("POST", path, "", append(once, `"old"`)...).failure(t, 412, "PRECONDITION_FAILED")
		tag := w.state(esaOf).tag
		first := w.write("POST", path, "", append(once, tag)...)
		w.pass(time.Second)
		again := w.write("POST", path, "", append(once, tag)...)
		if first.status != 200 || string(first.body) != string(again.body) || w.state(esaOf).tag == tag {
			w.Errorf("%d %s, %d %s", first.status, first.body, again.status, again.body)
		}
	})
}

// Of many that change one state at once, on two replicas, one succeeds.
func TestOneOfManyChangesAState(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		other := w.replica()
		defer other.stop()
		replicas := []*world{w, other}
		path := sourcesPath + "/" + source
		for _, test := range []struct{ path, read, body string }{
			{path, path, `{"name":"Writer %d"}`}, {path + "/ad-server", esaOf, `{"type":"google_ad_manager","networkCode":"9%d"}`},
		} {
			tag := w.state(test.read).tag
			var statuses [8]int
			var writers sync.WaitGroup
			for i := range statuses {
				writers.Go(func() {
					statuses[i] = replicas[i%2].write("PUT", test.path, fmt.Sprintf(test.body, i), "If-Match", tag).status
				})
			}
			writers.Wait()
			counts := map[int]int{}
			for _, status := range statuses {
				counts[status]++
			}
			// A change of config that is under way is no other state yet: it is a conflict.
			if counts[200] != 1 || counts[412]+counts[409] != len(statuses)-1 || test.path == path && counts[409] > 0 {
				w.Errorf("%s: %v", test.path, statuses)
			}
		}
		if n := w.calls(upstreamtest.RoutePutAdapterConfig); n != 1 {
			w.Errorf("%d configs were sent", n)
		}
	})
}

// A replica that refused a write for the present state shows that state from then on.
func TestAReadAfterA412ShowsTheState(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		other := w.replica()
		defer other.stop()
		known := w.state(esaOf)
		other.write("POST", sourcesPath+"/"+source+"/test-connection", "")
		w.write("POST", sourcesPath+"/"+source+"/deactivate", "", "If-Match", known.tag).failure(t, 412, "PRECONDITION_FAILED")
		if now := w.state(esaOf); now == known || now != other.state(esaOf) {
			w.Errorf("%+v", now)
		}
	})
}

// Times of the sales agent, whose clock may be minutes ahead, do not count as changes.
func TestTimesOfTheSalesAgentAreNoChanges(t *testing.T) {
	ahead := func() time.Time { return time.Now().Add(4 * time.Minute) }
	inWorld(t, setup{agent: upstreamtest.Options{Now: ahead}}, func(w *world) {
		before := w.state(esaOf)
		w.get(statusOf)
		now := w.state(esaOf)
		if now.body == before.body || now.modified != before.modified {
			w.Errorf("%+v became %+v", before, now)
		}
		a := w.write("POST", sourcesPath+"/"+source+"/test-connection", "", "If-Unmodified-Since", now.modified)
		if a.status != 200 {
			w.Errorf("%d %s", a.status, a.body)
		}
	})
}

func TestPreconditionsOfARead(t *testing.T) {
	inWorld(t, setup{}, func(w *world) {
		for _, path := range []string{
			statusOf, esaOf, esaPath, sourcesPath, sourcesPath + "/" + source, sourcesPath + "/" + source + "/sync-history",
		} {
			now := w.state(path)
			w.get(path, "If-Match", `"old"`).failure(t, 412, "PRECONDITION_FAILED")
			w.get(path, "If-Match", "W/"+now.tag).failure(t, 412, "PRECONDITION_FAILED")
			if a := w.do("HEAD", path, "Authorization", "Bearer "+readKey, "If-Match", `"old"`); a.status != 412 {
				w.Errorf("HEAD %s: %d", path, a.status)
			}
			if a := w.get(path, "If-Match", "*"); a.status != 200 || string(a.body) != now.body {
				w.Errorf("%s: %d", path, a.status)
			}
			a := w.get(path, "If-Match", now.tag, "If-None-Match", now.tag)
			if a.status != 304 || a.header.Get("Last-Modified") != "" {
				w.Errorf("%s: %d", path, a.status)
			}
			want := 200 // where the time is not known
			if now.modified != "" {
				want = 412
			}
			if a := w.get(path, "If-Unmodified-Since", "Mon, 06 Nov 1995 08:49:37 GMT"); a.status != want {
				w.Errorf("%s: %d", path, a.status)
			}
		}
		for _, path := range []string{esaOf, sourcesPath + "/" + source} {
			if w.state(path).modified == "" {
				w.Errorf("%s says not when it changed", path)
			}
		}
	})
}
