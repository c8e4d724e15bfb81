package sqlstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"esagate/internal/pgtest"
)

// listener receives a database's notices until the test ends or it is stopped.
type listener struct {
	listening chan struct{}
	got       chan string
	ended     chan error
	stop      context.CancelFunc
}

func listen(t *testing.T, n *Notices) *listener {
	ctx, stop := context.WithCancel(t.Context())
	l := &listener{make(chan struct{}, 1), make(chan string, 256), make(chan error, 1), stop}
	go func() {
		l.ended <- n.Receive(ctx, func() { l.listening <- struct{}{} }, func(m string) { l.got <- m })
	}()
	return l
}

// TestNotices: each message reaches all that listen, in its order and letter for letter, and none that use another
// schema.
func TestNotices(t *testing.T) {
	url := pgtest.Database(t)
	must(t)(pgtest.Shared(t).Exec(t.Context(), url, "CREATE SCHEMA another"))
	a, b, another := opened(t, url), opened(t, url), opened(t, url+"&search_path=another")
	var here []*listener
	for _, s := range []*Store{a, b} {
		here = append(here, listen(t, NoticesOf(s)))
	}
	there := listen(t, NoticesOf(another))
	for _, l := range append(here, there) {
		<-l.listening
	}
	sent := []string{"", `{"a":"'; --\"\\"}`, strings.Repeat("é", 3999)}
	for range 80 {
		sent = append(sent, "m")
	}
	must(t)(NoticesOf(another).Publish(t.Context(), []string{"another's"}))
	must(t)(NoticesOf(b).Publish(t.Context(), sent[:3]))
	for _, m := range sent[3:] { // equal ones of one transaction would be one
		must(t)(NoticesOf(a).Publish(t.Context(), []string{m}))
	}
	for _, l := range here {
		var got []string
		for range sent {
			got = append(got, <-l.got)
		}
		if !slices.Equal(got, sent) {
			t.Errorf("got %.100q", got)
		}
		l.stop()
		if err := <-l.ended; err == nil {
			t.Error("it ended without an error")
		}
	}
	if m := <-there.got; m != "another's" || len(there.got) > 0 {
		t.Errorf("got %q", m)
	}
	there.stop()
	<-there.ended
	if err := NoticesOf(a).Publish(t.Context(), []string{strings.Repeat("x", 8000)}); err == nil || strings.Contains(err.Error(), "xxx") {
		t.Errorf("too much: %v", err)
	}
}

// TestNoticesOfALostConnection: it is told, so that another can be made.
func TestNoticesOfALostConnection(t *testing.T) {
	url := pgtest.Database(t)
	s := opened(t, url)
	l := listen(t, NoticesOf(s))
	<-l.listening
	must(t)(pgtest.Shared(t).Exec(t.Context(), url,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()`))
	if err := <-l.ended; err == nil {
		t.Error("it ended without an error")
	}
}

// TestNoticesBehindAPooler: a pooler gives each transaction some connection to the server. Nothing is listened for on one,
// whose next user would be told, and that is no error to come back from again and again.
func TestNoticesBehindAPooler(t *testing.T) {
	url := pgtest.PooledDatabase(t)
	s := opened(t, url)
	if _, err := NoticesOf(s).listen(t.Context()); !errors.Is(err, errPooled) {
		t.Errorf("got %v", err)
	}
	must(t)(NoticesOf(s).Publish(t.Context(), []string{"m"})) // to replicas that reach the server itself
	l := listen(t, NoticesOf(s))
	l.stop()
	if err := <-l.ended; err == nil || len(l.listening) > 0 {
		t.Errorf("it ended with %v", err)
	}
}

// TestSQLiteHasNoNotices: one process alone uses such a file.
func TestSQLiteHasNoNotices(t *testing.T) {
	if NoticesOf(fileStore(t)) != nil {
		t.Error("there are some")
	}
}
