package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"esagate/internal/pgtest"
)

// TestSQLiteFileAway takes the folder of the database's file away under a running gateway.
func TestSQLiteFileAway(t *testing.T) {
	config, env := write(t, "http://127.0.0.1:1")
	p := start(t, env, "serve", "--config", config)
	folder := filepath.Dir(config)
	must(t, os.Rename(folder, folder+"-moved"))
	if code, body := p.send("POST", sources, clearKey, agentBody); code != 503 {
		t.Errorf("%d %s", code, body)
	}
	p.saysWhy(t, "was moved, deleted or replaced", "the registry can't be reached", "the API keys of the store can't be read")
	must(t, os.Rename(folder+"-moved", folder))
	eventually(t, "writes work again", func() bool {
		code, _ := p.send("POST", sources, clearKey, agentBody)
		return code == 201
	})
	p.stop()
}

// saysWhy waits until the log holds lines that begin with each of some messages, and wants the cause in
// the error of each, and no error that says nothing.
func (p *process) saysWhy(t *testing.T, cause string, messages ...string) {
	t.Helper()
	for _, message := range messages {
		said := regexp.MustCompile(`"msg":"` + message + `[^"]*",.*"error":"([^"]*)"`)
		var found [][]string
		eventually(t, message+": is logged", func() bool {
			found = said.FindAllStringSubmatch(p.errs.String(), -1)
			return found != nil
		})
		for _, line := range found {
			if !strings.Contains(line[1], cause) {
				t.Errorf("%s: the log says %q", message, line[1])
			}
		}
	}
	if strings.Contains(p.errs.String(), `"error":"[redacted]"`) {
		t.Errorf("an error without a cause:\n%s", p.errs.String())
	}
}

// TestKilledInTheMiddleOfWrites: whatever was answered is there afterwards, in the
// form in which it was answered last.
func TestKilledInTheMiddleOfWrites(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		config, env := write(t, "http://127.0.0.1:1")
		killedInTheMiddle(t, config, env)
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		config, env := write(t, "http://127.0.0.1:1")
		killedInTheMiddle(t, config, append(env, "ESAGATE_STORE_URL="+pgtest.Database(t)))
	})
}

func killedInTheMiddle(t *testing.T, config string, env []string) {
	env = append(env, "ESAGATE_LIMITS_WRITES_RATE=0")
	const writers = 4
	type answered struct {
		mu    sync.Mutex
		names map[string]string // by sourceId: the name of the last answer
		gone  map[string]bool
	}
	kept := answered{names: map[string]string{}, gone: map[string]bool{}}
	for round := range 3 {
		p := start(t, env, "serve", "--config", config)
		var wg sync.WaitGroup
		for writer := range writers {
			wg.Go(func() {
				for n := 0; ; n++ {
					id := fmt.Sprintf("r%d-w%d-%d", round, writer, n)
					body := strings.Replace(agentBody, "{", `{"sourceId":"`+id+`",`, 1)
					if code, _ := p.send("POST", sources, clearKey, body); code != 201 {
						return
					}
					kept.mu.Lock()
					kept.names[id] = "Harbour Direct"
					enough := len(kept.names) >= (round+1)*40
					kept.mu.Unlock()
					code, _ := p.send("PUT", sources+"/"+id, clearKey, `{"name":"Second"}`)
					kept.mu.Lock()
					if code == 200 {
						kept.names[id] = "Second"
					} else {
						kept.names[id] = "" // not known
					}
					kept.mu.Unlock()
					if code != 200 {
						return
					}
					if n%5 == 4 {
						code, _ := p.send("DELETE", sources+"/"+id, clearKey, "")
						kept.mu.Lock()
						delete(kept.names, id)
						kept.gone[id] = code == 204
						kept.mu.Unlock()
					}
					if enough {
						_ = p.cmd.Process.Kill() // others are in the middle of theirs
					}
				}
			})
		}
		wg.Wait()
		<-p.exited
	}
	p := start(t, env, "serve", "--config", config)
	for id, name := range kept.names {
		code, body := p.send("GET", sources+"/"+id, clearKey, "")
		if code != 200 || !strings.Contains(body, `"authConfigured":true`) {
			t.Errorf("%s was answered and is not there: %d", id, code)
		} else if name != "" && !strings.Contains(body, `"name":"`+name+`"`) {
			t.Errorf("%s is not what was answered: %s", id, body)
		}
	}
	for id, sure := range kept.gone {
		if code, _ := p.send("GET", sources+"/"+id, clearKey, ""); sure && code != 404 {
			t.Errorf("%s was deleted and is there: %d", id, code)
		}
	}
	t.Logf("%d sources answered, %d deleted", len(kept.names), len(kept.gone))
	p.stop()
}
