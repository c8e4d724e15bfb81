package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"esagate/gateway/proxy"
)

// answersAtOnce reads nothing of a request.
func answersAtOnce(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "close") // else this server waits for the rest
	_, _ = io.WriteString(w, "answer")
}

// reads takes a request in whole.
func reads(w http.ResponseWriter, q *http.Request) {
	if _, err := io.Copy(io.Discard, q.Body); err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = io.WriteString(w, "answer")
}

// TestAClientHasATime for each piece that it sends or takes, and for no more than its share of memory.
func TestAClientHasATime(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: x\r\n"
	for name, test := range map[string]struct {
		say    string
		behind http.HandlerFunc
		want   error
		took   time.Duration // until the exchange ended
		status int
	}{
		"half a body":             {head + "Content-Length: 4\r\n\r\n{}", reads, proxy.ErrRequest, limits.Client, 502},
		"half a body in pieces":   {head + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", reads, proxy.ErrRequest, limits.Client, 502},
		"what is no body":         {head + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", reads, proxy.ErrRequest, 0, 502},
		"a large body, announced": {head + fmt.Sprintf("Content-Length: %d\r\n\r\n{}", limits.Request+1), reads, proxy.ErrRequestTooLarge, 0, 502},
		"a large body": {head + "Transfer-Encoding: chunked\r\n\r\n200000\r\n" + repeat(0x200000) + "\r\n0\r\n\r\n", reads,
			proxy.ErrRequestTooLarge, 0, 502},
		"half a body, which nobody waits for": {head + "Content-Length: 4\r\n\r\n{}", answersAtOnce, nil, 0, 200},
	} {
		t.Run(name, func(t *testing.T) {
			inRig(t, limits, test.behind, func(r *rig) {
				begun := time.Now()
				c := r.say("%s", test.say)
				status, _, cut := c.whole()
				if took := time.Since(begun); status != test.status || cut || took != test.took {
					r.Errorf("%d after %s, cut: %t", status, took, cut)
				}
				// The server neither waits for the rest nor takes it for a request.
				if _, err := c.ReadByte(); err != io.EOF || time.Since(begun) > test.took+1100*time.Millisecond {
					r.Errorf("closed after %s: %v", time.Since(begun), err)
				}
				time.Sleep(time.Second)
				synctest.Wait()
				if len(r.errs) != 1 || !errors.Is(r.errs[0], test.want) || !errors.Is(r.outcome().Err, test.want) {
					r.Errorf("%v, %+v", r.errs, r.outcome())
				}
			})
		})
	}
}

// TestSendingTakesItsTime: what counts is how long nothing comes, and the server is waited for from the end on.
func TestSendingTakesItsTime(t *testing.T) {
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		time.Sleep(limits.FirstByte - time.Second)
		_, _ = io.WriteString(w, "answer")
	}, func(r *rig) {
		c := r.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n")
		for range 30 {
			time.Sleep(limits.Client - time.Second)
			_, _ = io.WriteString(c, "x")
		}
		if status, body, cut := c.whole(); status != 200 || body != "answer" || cut {
			r.Errorf("%d %q, cut: %t: %v", status, body, cut, r.outcome().Err)
		}
		if x := r.outcome(); x.Sent != 30 || !x.SentAll {
			r.Errorf("%+v", x)
		}
	})
}

// TestAClientThatDoesNotRead holds nothing for long: neither the server nor the proxy.
func TestAClientThatDoesNotRead(t *testing.T) {
	var left time.Duration
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		begun, say := time.Now(), stream(w)
		time.Sleep(time.Second) // until the header is flushed: ReverseProxy holds a lock for that, which a bubble's clock waits for
		for q.Context().Err() == nil {
			say("data: %s\n", repeat(1<<10))
		}
		left = time.Since(begun)
	}, func(r *rig) {
		r.get("").answer()
		time.Sleep(limits.Client + time.Second)
		if x := r.outcome(); !errors.Is(x.Err, proxy.ErrClient) || x.Took > limits.Client+time.Second || left > limits.Client+time.Second {
			r.Errorf("after %s, and the server's %s: %v", x.Took, left, x.Err)
		}
	})
}

// TestAnEndWaitsForNobody: whose request is ended need not read for that.
func TestAnEndWaitsForNobody(t *testing.T) {
	over := errors.New("over")
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		say := stream(w)
		time.Sleep(time.Second) // as above
		for q.Context().Err() == nil {
			say("data: %s\n", repeat(1<<10))
		}
	}, func(r *rig) {
		r.get("").answer()
		time.Sleep(2 * time.Second)
		r.end(over)
		if x := r.outcome(); x.Err != over || x.Took != 2*time.Second {
			r.Errorf("after %s: %v", x.Took, x.Err)
		}
	})
}

// TestAClientLeaves: the server learns of it at once, before its answer and in it.
func TestAClientLeaves(t *testing.T) {
	for _, begins := range []bool{false, true} {
		var left <-chan struct{}
		inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
			left = q.Context().Done()
			if begins {
				stream(w)
			}
			<-left
		}, func(r *rig) {
			c := r.get("")
			synctest.Wait()
			_ = c.Close()
			synctest.Wait()
			select {
			case <-left:
			default:
				r.Error("the server goes on")
			}
			if x := r.outcome(); !errors.Is(x.Err, context.Canceled) {
				r.Errorf("%+v", x)
			}
		})
	}
}

// TestConnectionsGoOn after an answer that came whole.
func TestConnectionsGoOn(t *testing.T) {
	inRig(t, limits, reads, func(r *rig) {
		c := r.post("{}")
		for range 3 {
			if status, body, cut := c.whole(); status != 200 || body != "answer" || cut {
				r.Errorf("%d %q, cut: %t", status, body, cut)
			}
			time.Sleep(limits.Client)
			go func() { _, _ = io.WriteString(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}") }()
		}
		synctest.Wait()
	})
}

// TestABegunAnswerIsNoError: where a websocket ends for a reason, nobody answers its request once more.
func TestABegunAnswerIsNoError(t *testing.T) {
	inRig(t, limits, upgraded("websocket", echo), func(r *rig) {
		r.target.Upgrade = true
		r.get(asksUpgrade).answer()
		time.Sleep(2 * limits.Idle)
		if x := r.outcome(); !errors.Is(x.Err, proxy.ErrIdle) || len(r.errs) != 1 || r.errs[0] != nil {
			r.Errorf("it ended as %+v, and Serve gave %v", x, r.errs)
		}
	})
}
