package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// told gives the story that a demo prints: the source that it is about, what to set first, and its commands.
func (d *demo) told() (source, settings string, commands []string) {
	d.t.Helper()
	text := d.process.printed(`# 10 `) // and what follows
	eventually(d.t, "the story is told", func() bool {
		text = d.out.String()
		_, after, ok := strings.Cut(text, "# 10 ")
		return ok && strings.Contains(after, "\n\n")
	})
	text = text[strings.Index(text, "\nThe story of "):]
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			d.t.Errorf("a line of %d columns: %s", n, line)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^  # \d+ .+\n((?:.+\n)+)`).FindAllStringSubmatch(text, -1) {
		commands = append(commands, strings.TrimSpace(m[1]))
	}
	return found(d.t, text, `The story of (.+), to paste`), found(d.t, text, `(?m)^  (export .+)$`), commands
}

// wall gives the wall as a person sees it who has signed in with a key.
func (d *demo) wall(key string) string {
	d.t.Helper()
	jar, err := cookiejar.New(nil)
	must(d.t, err)
	client := &http.Client{Jar: jar}
	r, err := http.NewRequest("POST", d.base+"/ops/sign-in", strings.NewReader(url.Values{"key": {key}, "next": {"/ops"}}.Encode()))
	must(d.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", d.base)
	resp, err := client.Do(r)
	must(d.t, err)
	defer func() { _ = resp.Body.Close() }()
	page, err := io.ReadAll(resp.Body)
	must(d.t, err)
	if resp.StatusCode != 200 || resp.Request.URL.Path != "/ops" {
		d.t.Fatalf("%s: %d", resp.Request.URL, resp.StatusCode)
	}
	return string(page)
}

// blockers gives the names of what keeps a source from selling, as the overview has them.
func (d *demo) blockers(source string) (names []string) {
	d.t.Helper()
	var answer struct {
		Items []struct {
			Name     string
			Blockers []struct{ Name string }
		}
	}
	code, _, body := d.get(storefront+"/overview", demoKey)
	if err := json.Unmarshal([]byte(body), &answer); code != 200 || err != nil {
		d.t.Fatalf("overview: %d %s", code, body)
	}
	for _, item := range answer.Items {
		if item.Name == source {
			for _, b := range item.Blockers {
				names = append(names, b.Name)
			}
		}
	}
	return names
}

// TestDemoStory: the story's commands do what they say when they are pasted one after the other, in either form, and
// with jq or without; the blocker that is set aside leaves the overview and the wall.
func TestDemoStory(t *testing.T) {
	for _, c := range []struct {
		form string
		env  []string
	}{{"call", nil}, {"curl", nil}, {"call", []string{"PATH=" + t.TempDir()}}, {"curl", []string{"PATH=" + t.TempDir()}}} {
		name := c.form + " with jq"
		tool := "jq"
		if c.env != nil {
			name = c.form + " without"
			tool = "sh"
		}
		t.Run(name, func(t *testing.T) {
			for _, tool := range []string{tool, c.form} {
				if _, err := exec.LookPath(tool); err != nil && tool != "call" {
					t.Skip("no " + tool)
				}
			}
			d := startDemo(t, nil, c.env, "--address", "127.0.0.1:0", "--story", c.form)
			source, settings, commands := d.told()
			const blocker = "Advertiser for new buyers"
			eventually(t, source+" is blocked", func() bool { return strings.Join(d.blockers(source), ", ") == blocker })
			const leads = `href="/ops/sources/4210/alder-press#task-gam_default_advertiser"`
			eventually(t, "the wall leads to it", func() bool { return strings.Contains(d.wall(demoKey), leads) })
			wants := []string{blocker, "Northgate Tea", "gamAdvertiserId", "wholesaleProductId", `adapterConfig`, "section_sport", "pending_approval", "set by hand",
				"/launch/", "Front page, mornings"}
			if len(commands) != len(wants) {
				t.Fatalf("%d commands", len(commands))
			}
			for i, want := range wants {
				out, err := exec.CommandContext(t.Context(), "sh", "-c", settings+"\n"+commands[i]).CombinedOutput()
				if err != nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(want)) || strings.Contains(string(out), "VALIDATION_ERROR") ||
					strings.Contains(string(out), "CANARY") || !strings.HasSuffix(string(out), "\n") {
					t.Errorf("%s\n%v %s\nwant %s", commands[i], err, out, want)
				}
				if i != 2 {
					continue
				}
				eventually(t, source+" has no blocker", func() bool { return len(d.blockers(source)) == 0 && !strings.Contains(d.wall(demoKey), leads) })
			}
			d.stop()
		})
	}
}
