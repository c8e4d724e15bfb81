package upstreamtest_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ut "esagate/upstream/upstreamtest"
)

var update = flag.Bool("update", false, "write the stories anew")

// TestStories plays the stories of testdata: calls, and what a test does to the agent. What comes
// of each stands in the line behind it.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.story")
	if err != nil || len(files) < 6 {
		t.Fatal("too few stories", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".story"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			must(t, err)
			s := &story{key: key}
			synctest.Test(t, func(t *testing.T) { // whose clock stands: no run ends but by the story's own
				for line := range strings.Lines(string(want)) {
					s.play(t, strings.TrimSpace(line))
				}
			})
			got := strings.Split(s.told.String(), "\n")
			for i, line := range strings.Split(string(want), "\n") {
				if i >= len(got) || got[i] != line {
					t.Errorf("line %d (run with -update and read the difference):\n got %s\nwant %s", i+1, got[min(i, len(got)-1)], line)
					break
				}
			}
			if *update {
				must(t, os.WriteFile(file, []byte(s.told.String()), 0o644))
			}
		})
	}
}

// story is a story that is played.
type story struct {
	*world
	told strings.Builder

	key        string // of the calls
	id, cursor string // the last ones in an answer: $id, $cursor
}

// states are the states of a tenant, by their names in stories.
var states = map[string]ut.Status{
	"healthy": ut.Healthy(), "provisioned": ut.Provisioned(), "never-run": ut.NeverRun(), "failed": ut.InventoryFailed(),
	"disconnected": ut.Disconnected(), "older": ut.OlderBuild(), "newer": ut.NewerBuild(),
	"wholesale": {Products: ut.Products{Active: 1, Wholesale: 1}, Tasks: ut.Healthy().Tasks[2:3]},
	"counted":   {Webhooks: json.RawMessage(`{"last_24h":{"delivered":7,"failed":1,"success_rate":0.875}}`)},
}

// play plays a line.
func (s *story) play(t *testing.T, line string) {
	if strings.HasPrefix(line, "<") || strings.HasPrefix(line, "=") {
		return // what came of a line, when the story was written
	}
	s.told.WriteString(line + "\n")
	verb, rest, _ := strings.Cut(strings.NewReplacer("$id", s.id, "$cursor", s.cursor).Replace(line), " ")
	words := append(strings.Fields(rest), "", "", "")
	switch verb {
	case "", "#":
	case "options": // in JSON; begins a story
		var opts ut.Options
		must(t, json.Unmarshal([]byte(rest), &opts))
		s.world = newWorld(t, opts, ut.Healthy())
	case ">": // METHOD PATH BODY
		parts := append(strings.SplitN(rest, " ", 3), "")
		s.tell(s.send(parts[0], parts[1], parts[2], s.key))
	case "key": // of the calls that follow
		s.key = rest
	case "accept": // of the calls that follow
		s.accept = rest
	case "at": // the time since the start
		d, err := time.ParseDuration(rest)
		must(t, err)
		s.now = start.Add(d)
	case "tenant": // ID STATE
		s.SetTenant(gam(words[0], states[words[1]]))
	case "stocked": // ID TYPE: a tenant on that type of ad server, with the stock
		t := gam(words[0], ut.Healthy())
		t.AdServer.Type, t.Stocked = words[1], true
		s.SetTenant(t)
	case "task": // ID TASK: a tenant that lacks nothing but that
		t := gam(words[0], ut.Healthy())
		for i := range t.Status.Tasks {
			t.Status.Tasks[i].Complete = t.Status.Tasks[i].ID != words[1]
		}
		s.SetTenant(t)
	case "buy": // ID MEDIABUY STATUS
		if !s.SetMediaBuy(words[0], words[1], words[2], "") {
			t.Fatalf("no media buy %s", words[1])
		}
	case "type": // of what calls send
		s.contentType = rest
	case "bare": // ID: a tenant without an ad server
		s.SetTenant(ut.Tenant{ID: rest})
	case "fault": // ID, or * for all, and the fault in JSON
		s.Fault(strings.TrimPrefix(words[0], "*"), faults(t, "["+strings.TrimPrefix(rest, words[0])+"]")[0])
	case "script": // likewise, with some faults
		s.Script(strings.TrimPrefix(words[0], "*"), faults(t, "["+strings.TrimPrefix(rest, words[0])+"]")...)
	case "adserver": // ACCOUNT OUTCOME, or nothing for the rules
		var script []ut.Probe
		if words[1] != "" {
			script = []ut.Probe{{Outcome: ut.Outcome(words[1])}}
		}
		s.AdServer(words[0], script...)
	case "finish": // ID STREAM ITEMS
		items, err := strconv.Atoi(words[2])
		must(t, err)
		s.FinishRun(words[0], words[1], items)
	case "fail": // ID STREAM REASON
		s.FailRun(words[0], words[1], words[2])
	case "settings": // ID and settings in JSON, those that no endpoint shows among them
		var v ut.Values
		must(t, json.Unmarshal([]byte(strings.TrimPrefix(rest, words[0])), &v))
		s.SetSettings(words[0], v)
	case "config": // ID: what the agent keeps
		c, _ := s.Config(rest)
		values, err := json.Marshal(c.Values)
		must(t, err)
		fmt.Fprintf(&s.told, "= %s %s; %d probes\n", c.Type, values, s.Probes(""))
	case "subscriptions": // ID
		for _, sub := range s.Subscriptions(rest) {
			fmt.Fprintf(&s.told, "= %s active %t secret %q\n", sub.URL, sub.Active, sub.Secret)
		}
	default:
		t.Fatalf("%s is no line of a story", line)
	}
}

func faults(t *testing.T, text string) (all []ut.Fault) {
	t.Helper()
	must(t, json.Unmarshal([]byte(text), &all))
	return all
}

var (
	idForm     = regexp.MustCompile(`"(?:(?:tenant|webhook)_id|id)":"((?:tenant|wh|rule)_[^"]+)"`)
	cursorForm = regexp.MustCompile(`"next_cursor":"([^"]+)"`)
)

// tell tells an answer on one line.
func (s *story) tell(a *httptest.ResponseRecorder) {
	fmt.Fprintf(&s.told, "< %d", a.Code)
	for _, name := range []string{"Content-Type", "Allow", "Location", "Retry-After"} {
		if value := a.Header().Get(name); value != "" && value != "application/json" {
			fmt.Fprintf(&s.told, " [%s: %s]", name, value)
		}
	}
	body := strings.TrimSuffix(a.Body.String(), "\n")
	s.told.WriteString(strings.TrimRight(" "+strings.ReplaceAll(body, "\n", `\n`), " ") + "\n")
	if m := idForm.FindStringSubmatch(body); m != nil {
		s.id = m[1]
	}
	if m := cursorForm.FindStringSubmatch(body); m != nil {
		s.cursor = m[1]
	}
}
