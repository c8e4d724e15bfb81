package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esagate/gateway/proxy"
)

// TestARequestPasses as its target says, and nothing else of it; its answer as it comes.
func TestARequestPasses(t *testing.T) {
	const content = "some\x00content\xff"
	var asked *http.Request
	var got string
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		asked, got = q, string(body)
		w.Header().Set("Content-Encoding", "gzip") // which it is not: nobody looks
		w.Header().Add("X-Theirs", "1")
		w.Header().Add("X-Theirs", "2")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, content)
	}, func(r *rig) {
		r.target.URL.Path, r.target.URL.RawPath, r.target.URL.RawQuery = "/a/b c", "/a%2Fb%20c", "q=%zz;&x"
		c := r.say("POST /other HTTP/1.1\r\nHost: front.example\r\nContent-Length: %d\r\nX_Ours: 2\r\nX-Ours: 3\r\nConnection: X-Ours\r\n"+
			"Te: trailers\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nCookie: a=b\r\nAuthorization: Bearer x\r\n\r\n%s", len(content), content)
		resp := c.answer()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusTeapot || string(body) != content || len(resp.Header["X-Theirs"]) != 2 ||
			resp.Header.Get("Content-Encoding") != "gzip" {
			r.Errorf("answered %d %v %q (%v)", resp.StatusCode, resp.Header, body, err)
		}
		if asked.Method != "POST" || asked.RequestURI != "/a%2Fb%20c?q=%zz;&x" || asked.Host != "behind.example" || got != content {
			r.Errorf("asked %s %s at %s with %q", asked.Method, asked.RequestURI, asked.Host, got)
		}
		want := http.Header{"X-Ours": {"1"}, "Content-Length": {fmt.Sprint(len(content))}}
		if fmt.Sprint(asked.Header) != fmt.Sprint(want) {
			r.Errorf("asked with %v", asked.Header)
		}
		x := r.outcome()
		if x.Sent != int64(len(content)) || x.Received != x.Sent || !x.SentAll || x.Status != http.StatusTeapot || x.Err != nil || x.Stream {
			r.Errorf("%+v", x)
		}
	})
}

// TestStreamsAreFlushedAtOnce: each piece arrives while the server waits to send the next.
func TestStreamsAreFlushedAtOnce(t *testing.T) {
	for _, media := range []string{"text/event-stream", "text/event-stream; charset=utf-8", "application/octet-stream"} {
		var next chan struct{}
		inRig(t, limits, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			for range 3 {
				_ = http.NewResponseController(w).Flush()
				<-next
				_, _ = io.WriteString(w, "data: 1\n\n")
			}
		}, func(r *rig) {
			next = make(chan struct{})
			c := r.get("")
			begun := time.Now()
			resp := c.answer()
			for range 3 {
				next <- struct{}{}
				piece := make([]byte, len("data: 1\n\n"))
				if _, err := io.ReadFull(resp.Body, piece); err != nil || !time.Now().Equal(begun) {
					r.Errorf("%s: %q after %s, %v", media, piece, time.Since(begun), err)
				}
			}
		})
	}
}

// TestAnExchangeHasBounds: an answer that begins and goes too far is cut, so that it does not look whole.
func TestAnExchangeHasBounds(t *testing.T) {
	silent := func(_ http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body) // else the server does not see that nobody waits
		<-q.Context().Done()
	}
	for name, test := range map[string]struct {
		behind http.HandlerFunc
		want   error
		took   time.Duration
		begins bool // an answer does
		most   int  // bytes of it
	}{
		"no answer": {behind: silent, want: proxy.ErrFirstByte, took: limits.FirstByte},
		"a silent stream": {begins: true, want: proxy.ErrIdle, took: limits.Idle, behind: func(w http.ResponseWriter, q *http.Request) {
			stream(w)
			silent(w, q)
		}},
		"a silent answer": {begins: true, want: proxy.ErrIdle, took: limits.Idle, most: 10 << 10, behind: func(w http.ResponseWriter, q *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(20<<10))
			_, _ = io.WriteString(w, repeat(10<<10))
			_ = http.NewResponseController(w).Flush()
			silent(w, q)
		}},
		"a large answer, announced": {want: proxy.ErrTooLarge, behind: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(limits.Answer+1))
			_, _ = io.WriteString(w, repeat(int(limits.Answer)+1))
		}},
		"a large answer": {begins: true, most: int(limits.Answer), want: proxy.ErrTooLarge, behind: func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := io.WriteString(w, repeat(1<<10)); err != nil {
					return
				}
			}
		}},
		"a long stream": {begins: true, most: int(limits.Stream), want: proxy.ErrTooLarge, behind: func(w http.ResponseWriter, q *http.Request) {
			for say := stream(w); q.Context().Err() == nil; {
				say("%s", repeat(1<<10))
			}
		}},
		"a line without an end": {begins: true, most: limits.Line, want: proxy.ErrLine, behind: func(w http.ResponseWriter, q *http.Request) {
			for say := stream(w); q.Context().Err() == nil; {
				say("%s", strings.Repeat("x", 1<<10))
			}
		}},
		"half an answer": {begins: true, most: 10 << 10, want: proxy.ErrCut, behind: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(20<<10))
			_, _ = io.WriteString(w, repeat(10<<10))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		"no answer at all": {want: proxy.ErrUnreachable, behind: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"another protocol": {want: proxy.ErrUnreachable, behind: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusSwitchingProtocols)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
				asked++
				test.behind(w, q)
			}, func(r *rig) {
				begun := time.Now()
				status, body, cut := r.post("{}").whole()
				took := time.Since(begun)
				x := r.outcome()
				if !errors.Is(x.Err, test.want) || took != test.took {
					r.Errorf("ended after %s: %v", took, x.Err)
				}
				if asked != 1 {
					r.Errorf("asked %d times", asked)
				}
				if !test.begins {
					if cut || status != http.StatusBadGateway || !errors.Is(r.errs[0], test.want) {
						r.Errorf("answered %d %q", status, body)
					}
					return
				}
				if !cut || status != http.StatusOK || len(body) > test.most {
					r.Errorf("answered %d with %d bytes, cut: %t", status, len(body), cut)
				}
			})
		})
	}
}

// TestLinesMayBeLong, and end in any of the ways that event streams know.
func TestLinesMayBeLong(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n"} {
		line := strings.Repeat("x", limits.Line-len(end)) + end
		inRig(t, limits, func(w http.ResponseWriter, _ *http.Request) {
			for say, n := stream(w), 0; n < 5; n++ {
				say("%s", line)
			}
		}, func(r *rig) {
			if status, body, cut := r.get("").whole(); cut || status != 200 || len(body) != 5*len(line) {
				r.Errorf("%q: %d with %d bytes, cut: %t, %v", end, status, len(body), cut, r.outcome().Err)
			}
		})
	}
}

// TestAStreamGoesOnWhileSomethingComes, beyond all deadlines of the servers.
func TestAStreamGoesOnWhileSomethingComes(t *testing.T) {
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		say := stream(w)
		for range 100 {
			time.Sleep(limits.Idle - time.Second)
			say(":\n\n")
		}
	}, func(r *rig) {
		if status, body, cut := r.get("").whole(); cut || status != 200 || len(body) != 300 {
			r.Errorf("%d with %d bytes, cut: %t, %v", status, len(body), cut, r.outcome().Err)
		}
	})
}

// TestNothingButTheAnswerPasses: no answers before it and no trailers, in either direction.
func TestNothingButTheAnswerPasses(t *testing.T) {
	var trailer http.Header
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		trailer = q.Trailer
		h := w.Header()
		h.Set("Link", "</secret>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		h.Del("Link")
		h.Set("Trailer", "X-Late")
		_, _ = io.WriteString(w, "answer")
		h.Set("X-Late", "1")
		h.Set(http.TrailerPrefix+"X-Later", "1")
	}, func(r *rig) {
		c := r.say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: X-Identity-Role\r\n\r\n2\r\n{}\r\n0\r\nX-Identity-Role: admin\r\n\r\n")
		resp := c.answer()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || string(body) != "answer" || len(resp.Trailer) > 0 || resp.Header.Get("Link") != "" || resp.Header.Get("X-Front") == "" {
			r.Errorf("%d %v %q %v (%v)", resp.StatusCode, resp.Header, body, resp.Trailer, err)
		}
		if len(trailer) > 0 {
			r.Errorf("the server got %v", trailer)
		}
	})
}

// TestRedirectsAreAnswers.
func TestRedirectsAreAnswers(t *testing.T) {
	asked := 0
	inRig(t, limits, func(w http.ResponseWriter, q *http.Request) {
		asked++
		http.Redirect(w, q, "http://169.254.169.254/", http.StatusTemporaryRedirect)
	}, func(r *rig) {
		if status, _, _ := r.get("").whole(); status != http.StatusTemporaryRedirect || asked != 1 {
			r.Errorf("%d, asked %d times", status, asked)
		}
	})
}

// TestAnAnswerCanBeChangedOrRefused before any of it passes.
func TestAnAnswerCanBeChangedOrRefused(t *testing.T) {
	unwanted := errors.New("unwanted")
	inRig(t, limits, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Secret", "1")
		_, _ = io.WriteString(w, "answer")
	}, func(r *rig) {
		r.target.Answer = func(resp *http.Response) error {
			if _, hopped := resp.Header["Connection"]; hopped {
				r.Error("it sees header fields of the connection")
			}
			resp.Header = http.Header{"X-Known": {"1"}}
			return nil
		}
		if resp := r.get("").answer(); resp.Header.Get("X-Secret") != "" || resp.Header.Get("X-Known") != "1" {
			r.Errorf("%v", resp.Header)
		}
		r.target.Answer = func(*http.Response) error { return unwanted }
		status, body, _ := r.get("").whole()
		synctest.Wait()
		if status != http.StatusBadGateway || strings.Contains(body, "answer") || r.errs[1] != unwanted || r.ended[1].Err != unwanted {
			r.Errorf("%d %q: %v", status, body, r.errs)
		}
	})
}
