package operations_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"esagate/internal/operations"
)

// step is a call that the sales agent is to be asked, and what it answers.
type step struct {
	asked  string
	code   int
	answer string
}

// scene is a request of an operation, and all that is to come of it.
type scene struct {
	name      string
	operation string
	source    string // "": coast, on Google Ad Manager
	query     string
	body      string
	vars      []string // names and values in turn
	steps     []step
	code      int    // 0: it is refused
	answer    string // the document, or the refusal as told gives it
}

// play has the scenes played one after the other in one world. Nothing that is kept outlives a scene.
func play(t *testing.T, cfg operations.Config, scenes []scene) {
	t.Helper()
	inWorldWith(t, cfg, func(w *world) {
		for _, s := range scenes {
			w.play(s)
			time.Sleep(time.Minute)
		}
	})
}

func (w *world) play(s scene) {
	w.Helper()
	next := 0
	w.answersBy(func(r *http.Request) (int, string) {
		if next == len(s.steps) {
			return http.StatusTeapot, `{"error":"not_in_the_scene"}`
		}
		next++
		return s.steps[next-1].code, s.steps[next-1].answer
	})
	if s.source == "" {
		s.source = "coast"
	}
	code, document, err := w.do(s.operation, w.request(s.source, s.query, s.body, s.vars...))
	if got := told(err); err != nil && (s.code != 0 || got != s.answer) || err == nil && (code != s.code || document != s.answer) {
		w.Errorf("%s: %s\n got %d %s%s\nwant %d %s", s.operation, s.name, code, document, got, s.code, s.answer)
	}
	asked := w.calls()
	for i := range max(len(asked), len(s.steps)) {
		switch {
		case i >= len(asked):
			w.Errorf("%s: %s: %s was not asked", s.operation, s.name, s.steps[i].asked)
		case i >= len(s.steps):
			w.Errorf("%s: %s: %s was asked", s.operation, s.name, asked[i])
		case asked[i] != s.steps[i].asked:
			w.Errorf("%s: %s: call %s\n got %s\nwant %s", s.operation, s.name, strconv.Itoa(i), asked[i], s.steps[i].asked)
		}
	}
}

// wait lets all that is kept grow old.
func (w *world) wait() { time.Sleep(time.Minute) }

// now is the time as the sales agent writes it.
func (w *world) now() string { return time.Now().UTC().Format(time.RFC3339) }

// learn has the gateway read a status of a source.
func (w *world) learn(id, status string) {
	w.Helper()
	w.answers(http.StatusOK, status)
	if err := w.status.Refresh(w.Context(), w.source(id)); err != nil {
		w.Fatal(err)
	}
	w.calls()
}
