package events_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"esagate/api"
	"esagate/internal/events"
)

// subject is what only the latest event counts of.
type subject struct {
	customer    int64
	source, key string
}

// view is what a client knows: the number of the latest event of each subject.
type view map[subject]int

// client reads events as a program does that follows sources.
type client struct {
	*events.Reader
	subscription events.Subscription
	view         view
	lastID       string
}

// sees reports whether the client follows a subject.
func (c *client) sees(s subject) bool {
	if c.subscription.Customer != events.Operators && c.subscription.Customer != s.customer {
		return false
	}
	if len(c.subscription.Names) > 0 && c.subscription.Names[0] != s.key {
		return false
	}
	return len(c.subscription.Sources) == 0 || slices.Contains(c.subscription.Sources, s.source)
}

// take takes once. After a resync the client reads how everything stands.
func (c *client) take(t *rapid.T, now view) {
	for _, d := range c.Take() {
		c.lastID = d.ID
		if d.Name == api.EventResync {
			c.view = maps.Clone(now)
			continue
		}
		var s subject
		var n int
		if _, err := fmt.Sscan(string(d.Data), &s.customer, &s.source, &s.key, &n); err != nil {
			t.Fatal(err)
		}
		if !c.sees(s) || d.Name != s.key {
			t.Fatalf("%+v got %s %s", c.subscription, d.Name, d.Data)
		}
		if n <= c.view[s] {
			t.Fatalf("%+v: event %d after %d", s, n, c.view[s])
		}
		c.view[s] = n
	}
}

// drain takes all, and holds it against how everything stands.
func (c *client) drain(t *rapid.T, now view) {
	for len(c.Ready()) > 0 {
		<-c.Ready()
		c.take(t, now)
	}
	for s, n := range now {
		if c.sees(s) && c.view[s] != n {
			t.Fatalf("%+v knows event %d of %+v, and the latest is %d", c.subscription, c.view[s], s, n)
		}
	}
}

// TestNoReaderGoesBack: whatever the order of events, takes and new subscriptions, no reader gets
// an older event of a subject after a newer one, and in the end each knows the latest of all.
func TestNoReaderGoesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, now := events.NewHub(), view{}
		var clients []*client
		publish := func(s subject) {
			now[s]++
			h.Publish(events.Event{Customer: s.customer, SourceID: s.source, Name: s.key, Key: s.key,
				Data: []byte(fmt.Sprint(s.customer, " ", s.source, " ", s.key, " ", now[s]))})
		}
		one := func() *client { return clients[rapid.IntRange(0, len(clients)-1).Draw(t, "client")] }
		customer, sources, keys := rapid.Int64Range(1, 2), rapid.SampledFrom([]string{"a", "b", "c"}), rapid.SampledFrom([]string{"x", "y"})
		steps := map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				publish(subject{customer.Draw(t, "customer"), sources.Draw(t, "source"), keys.Draw(t, "key")})
			},
			"much": func(t *rapid.T) {
				c := customer.Draw(t, "customer")
				for i := range rapid.SampledFrom([]int{70, 1030}).Draw(t, "events") {
					publish(subject{c, "s" + strconv.Itoa(i), "x"})
				}
			},
			"subscribe": func(t *rapid.T) {
				s := events.Subscription{Customer: rapid.Int64Range(0, 2).Draw(t, "customer")}
				if rapid.Bool().Draw(t, "some") {
					s.Sources = []string{sources.Draw(t, "source"), "s1"}
				}
				if rapid.Bool().Draw(t, "named") {
					s.Names = []string{keys.Draw(t, "key")}
				}
				c := &client{Reader: h.Subscribe(s), subscription: s, view: maps.Clone(now)}
				c.lastID = c.Position()
				clients = append(clients, c)
			},
			"take": func(t *rapid.T) {
				if len(clients) > 0 {
					one().take(t, now)
				}
			},
			"drain": func(t *rapid.T) {
				if len(clients) > 0 {
					one().drain(t, now)
				}
			},
			"come back": func(t *rapid.T) {
				if len(clients) == 0 {
					return
				}
				c := one()
				c.Close()
				again := c.subscription
				again.After = c.lastID
				if rapid.Bool().Draw(t, "with another's id") {
					again.After = one().lastID
				}
				c.Reader = h.Subscribe(again)
				if epoch, _, _ := strings.Cut(c.lastID, "-"); !strings.HasPrefix(again.After, epoch) {
					if d := c.Take(); len(d) != 1 || d[0].Name != api.EventResync {
						t.Fatalf("another topic's id gave %v", d)
					}
					c.view, c.lastID = maps.Clone(now), c.Position()
				} else if again.After != c.lastID { // it is another client now
					c.view = view{}
					c.drainBlind()
					c.view, c.lastID = maps.Clone(now), c.Position()
				}
			},
		}
		t.Repeat(steps)
		for _, c := range clients {
			c.drain(t, now)
			c.Close()
		}
		if n := len(h.Watched()); n > 0 {
			t.Fatalf("%d watches without readers", n)
		}
	})
}

// drainBlind takes all and forgets it.
func (c *client) drainBlind() {
	for len(c.Ready()) > 0 {
		<-c.Ready()
		c.Take()
	}
}
