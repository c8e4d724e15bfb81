package terminal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"esagate/api"
)

// When a watch reads again.
const (
	settle  = time.Second     // after a change, for the headline that goes with it
	reread  = 5 * time.Minute // whatever has come meanwhile
	redraw  = time.Second / 2 // of a screen
	tryRead = 5 * time.Second // after a read that failed
)

// Watch follows how sources stand, and shows each change.
type Watch struct {
	Client *Client
	Source string    // sourceId or esaId of the one that is wanted; empty: all
	States []string  // that are wanted; none: all
	JSON   bool      // events as lines of JSON
	Out    io.Writer // what is shown
	Err    io.Writer // what keeps it from being followed
	Screen *Screen   // nil: changes are lines, one after the other
	Colour bool

	wall      *Wall
	source    *Row // the one that is wanted
	trouble   string
	needAll   bool // the wall has to be read again
	needWords bool // so has what is said of it
	moved     bool // rows have changed: their order and their counts have not followed yet
}

// Run follows until ctx ends or that can't go on, which is so too where nothing can be written any more. It reports whether what was asked for was blocked
// or down in the end.
func (w *Watch) Run(ctx context.Context) (bad bool, err error) {
	var sources []string
	if w.Source != "" {
		row, err := w.Client.Source(ctx, w.Source)
		if err != nil {
			return false, err
		}
		w.source, sources = row, []string{row.SourceID}
	}
	out := &sink{to: w.Out}
	w.Out = out
	following, stop := context.WithCancel(ctx)
	happened, ended := w.follow(following, sources)
	over := false
	defer func() {
		if stop(); !over {
			<-ended
		}
		if w.Screen != nil {
			w.Screen.leave()
			if w.wall != nil {
				w.show(w.Out, View{Width: w.Screen.width(), Colour: w.Colour, Live: true, Now: time.Now()})
			}
		}
	}()
	ticks := time.NewTicker(redraw)
	defer ticks.Stop()
	next := time.NewTimer(reread)
	defer next.Stop()
	for out.err == nil {
		select {
		case <-ctx.Done():
			return w.bad(), w.interrupted()
		case err := <-ended:
			if over = true; ctx.Err() != nil {
				return w.bad(), w.interrupted()
			}
			return false, err
		case n := <-happened:
			all, words := w.needAll, w.needWords
			w.hear(n)
			switch { // what is needed for longer has its time
			case w.needAll && !all:
				next.Reset(0)
			case w.needWords && !words && !all:
				next.Reset(settle)
			}
		case <-next.C:
			wait, err := w.read(ctx)
			if err != nil && ctx.Err() == nil {
				return false, err
			}
			next.Reset(wait)
		case <-ticks.C:
			w.draw()
		}
	}
	return false, out.err
}

// follow follows the sources in a goroutine of its own, which says in the end why it has ended.
func (w *Watch) follow(ctx context.Context, sources []string) (<-chan news, <-chan error) {
	happened, ended := make(chan news), make(chan error, 1)
	go func() {
		ended <- w.Client.follow(ctx, sources, func(n news) {
			select {
			case happened <- n:
			case <-ctx.Done():
			}
		})
	}()
	return happened, ended
}

// sink writes until that fails, and remembers why it did.
type sink struct {
	to  io.Writer
	err error
}

// Write implements io.Writer.
func (s *sink) Write(p []byte) (n int, err error) {
	if s.err == nil {
		n, s.err = s.to.Write(p)
	}
	return n, s.err
}

// interrupted is an error where there was no answer before the end.
func (w *Watch) interrupted() error {
	if w.wall == nil {
		return &Problem{text: "interrupted"}
	}
	return nil
}

func (w *Watch) bad() bool { return w.wall != nil && w.wall.Only(w.States).Bad() }

// hear takes over what has happened to the stream.
func (w *Watch) hear(n news) {
	switch {
	case n.opened:
		if w.trouble != "" {
			w.tell("following again")
		}
		w.trouble = ""
		w.needAll = w.needAll || n.fresh
	case n.ended != nil:
		w.trouble = fmt.Sprintf("not following: %s (again in %s)", n.ended, n.again.Round(time.Second))
		w.tell(w.trouble)
		w.needAll = w.needAll || w.wall == nil
	case n.event.name == api.EventResync:
		w.needAll = true
	case w.wall != nil:
		w.apply(n)
	}
}

// tell says what keeps the stream from being followed, where no screen shows it.
func (w *Watch) tell(text string) {
	if w.Screen == nil {
		fmt.Fprintln(w.Err, "esagate: "+text)
	}
}

// read reads what has to be read again, and gives the time until the next read.
func (w *Watch) read(ctx context.Context) (time.Duration, error) {
	var err error
	if w.needWords && !w.needAll && w.Source == "" {
		var headline string
		if headline, err = w.Client.headline(ctx); err == nil {
			w.wall.Headline = headline
		}
	} else {
		err = w.readAll(ctx)
	}
	var p *Problem
	switch {
	case err == nil:
		w.needAll, w.needWords = false, false
		return reread, nil
	case errors.As(err, &p) && p.passes:
		w.tell(p.text)
		return max(tryRead, p.after), nil
	}
	return reread, err
}

// readAll reads all that is wanted, and shows what is new of it.
func (w *Watch) readAll(ctx context.Context) error {
	before := w.wall
	if w.source != nil {
		row, err := w.Client.Source(ctx, w.source.SourceID)
		if err != nil {
			return err
		}
		w.source, w.wall = row, &Wall{Rows: []Row{*row}}
	} else {
		wall, err := w.Client.Overview(ctx, nil, "", false)
		if err != nil {
			return err
		}
		w.wall = wall
	}
	switch {
	case w.JSON && w.source != nil:
		w.event("source", "", w.source.JSON())
	case w.JSON:
		w.event("overview", "", w.wall.Only(w.States).JSON())
	case w.Screen != nil:
	case before == nil:
		w.show(w.Out, View{Colour: w.Colour, Live: true, Now: time.Now()})
	default:
		w.compare(before)
	}
	return nil
}

// show writes all that is wanted as it stands.
func (w *Watch) show(to io.Writer, v View) {
	if w.source != nil {
		_ = w.source.Details(to, v)
		return
	}
	w.arrange()
	_ = w.wall.Only(w.States).Table(to, v)
}

// draw brings the screen up to date.
func (w *Watch) draw() {
	if w.Screen == nil || w.wall == nil {
		return
	}
	foot := "following; Ctrl-C ends"
	if w.trouble != "" {
		foot = w.trouble
	}
	w.Screen.draw(foot, func(to io.Writer, width, rows int) {
		// The headline, the counts, a blank line, the titles, and what is said of rows that are left out.
		w.show(to, View{Width: width, Colour: w.Colour, Live: true, Most: max(rows-5, 1), Now: time.Now()})
	})
}

// wanted reports whether something that happened to a row is to be shown: it was or is in a state
// that is wanted.
func (w *Watch) wanted(states ...string) bool {
	return len(w.States) == 0 || slices.ContainsFunc(states, func(s string) bool { return slices.Contains(w.States, s) })
}

// event writes an event as a line of JSON.
func (w *Watch) event(name, id string, data []byte) {
	out := fmt.Appendf(nil, `{"event":%s,`, api.Encode(Safe(name)))
	if id != "" {
		out = fmt.Appendf(out, `"id":%s,`, api.Encode(Safe(id)))
	}
	out = append(append(append(out, `"data":`...), data...), '}', '\n')
	_, _ = w.Out.Write(out)
}
