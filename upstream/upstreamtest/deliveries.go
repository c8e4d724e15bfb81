package upstreamtest

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	maxQueued       = 256 // deliveries that wait; what comes past them is lost
	deliveryTimeout = 10 * time.Second
)

// Headers of a delivery (contract 2.14).
const (
	TimestampHeader = "X-AdCP-Timestamp"
	SignatureHeader = "X-AdCP-Signature"
)

// delivery is a delivery to be made.
type delivery struct {
	hook     *subscription
	secret   string
	envelope envelope
	restarts int // of the agent, when it was queued
}

// deliveries makes deliveries one after another, in a goroutine that begins with the
// first and ends with the agent. The agent's mutex guards it.
type deliveries struct {
	queue    chan delivery
	end      context.CancelFunc
	done     chan struct{} // closed when the goroutine has ended
	open     int           // queued or being sent
	idle     chan struct{} // closed when open falls to 0; nil while nothing waits for it
	restarts int           // of the agent: what was queued before one is lost
}

// deliver queues a delivery. a.mu is held.
func (a *Agent) deliver(p delivery) {
	c := &a.deliveries
	if a.down || a.ended || a.opts.Deliver == nil {
		return
	}
	if c.queue == nil {
		ctx, end := context.WithCancel(context.Background())
		c.queue, c.end, c.done = make(chan delivery, maxQueued), end, make(chan struct{})
		go a.deliverAll(ctx, c.queue, c.done)
	}
	p.restarts = c.restarts
	select {
	case c.queue <- p:
		c.open++
	default:
	}
}

// stop ends the deliveries; what it gives is closed when it has ended, nil where it
// never began. a.mu is held.
func (c *deliveries) stop() <-chan struct{} {
	if c.queue == nil {
		return nil
	}
	c.end()
	return c.done
}

func (a *Agent) deliverAll(ctx context.Context, queue <-chan delivery, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-queue:
			if ctx.Err() == nil && !a.lost(p) {
				a.send(ctx, p)
			}
			a.mu.Lock()
			if a.deliveries.open--; a.deliveries.open == 0 && a.deliveries.idle != nil {
				close(a.deliveries.idle)
				a.deliveries.idle = nil
			}
			a.mu.Unlock()
		}
	}
}

// lost reports whether an outage or a restart has swallowed a delivery.
func (a *Agent) lost(p delivery) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.down || p.restarts != a.deliveries.restarts
}

// send signs a delivery and sends it. It gives the status of the answer, 0 without one.
func (a *Agent) send(ctx context.Context, p delivery) int {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	now := a.opts.Now()
	body := bytes.TrimSpace(encode(p.envelope))
	status := 0 // no answer
	if r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.hook.url, bytes.NewReader(body)); err == nil {
		for name, value := range p.hook.headers {
			if !reserved(name) {
				r.Header.Set(name, value)
			}
		}
		stamp := strconv.FormatInt(now.Unix(), 10)
		r.Header.Set("Content-Type", contentJSON)
		r.Header.Set(TimestampHeader, stamp)
		r.Header.Set(SignatureHeader, Sign(p.secret, stamp, body))
		if res, err := a.opts.Deliver(r); err == nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
			_ = res.Body.Close()
			status = res.StatusCode
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := p.hook
	s.lastAt, s.lastStatus = now, status
	if s.failures++; status >= 200 && status < 300 {
		s.failures = 0
	}
	return status
}

// Sign gives the signature of a delivery: HMAC-SHA256 over the timestamp, a point
// and the raw body, in hexadecimal behind "sha256=".
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = io.WriteString(mac, timestamp+".")
	_, _ = mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// reserved are the headers that a subscription can't set.
func reserved(name string) bool {
	return slices.Contains([]string{
		"content-type", "content-length", "content-digest", "host", "authorization", "signature", "signature-input",
		"x-adcp-signature", "x-adcp-timestamp",
	}, strings.ToLower(name))
}

// Drain waits until no delivery is queued or being sent. It fails when the agent is closed.
func (a *Agent) Drain(ctx context.Context) error {
	a.mu.Lock()
	if a.deliveries.open == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.deliveries.idle == nil {
		a.deliveries.idle = make(chan struct{})
	}
	idle := a.deliveries.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-a.closed:
		return errors.New("upstreamtest: the agent is closed")
	}
}
