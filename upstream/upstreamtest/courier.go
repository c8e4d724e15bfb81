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
	parcelsQueued   = 256              // deliveries that wait; what comes past them is lost
	deliveriesKept  = 256              // how many Deliveries looks back
	deliveryTimeout = 10 * time.Second // of one attempt
	attemptPause    = 2 * time.Second  // before the second attempt, twice that before the third …
)

// Headers of a delivery (contract, "Upstream facts").
const (
	TimestampHeader = "X-AdCP-Timestamp"
	SignatureHeader = "X-AdCP-Signature"
)

// ErrClosed says that the agent was closed.
var ErrClosed = errors.New("upstreamtest: the agent is closed")

// Delivery is one request that was sent to a subscriber, as it was sent.
type Delivery struct {
	TenantID  string
	WebhookID string
	EventID   string
	EventType string
	Attempt   int
	At        time.Time // by the agent's clock
	URL       string
	Header    http.Header // shared by all who ask, so read only
	Body      []byte      // likewise
	Status    int         // 0: there was no answer
	Err       string      // why, where there was none
}

// parcel is a delivery to be made.
type parcel struct {
	tenant   string
	hook     *subscription
	secret   string
	envelope envelope
	fault    DeliveryFault
	life     int // the courier's when it was queued
}

// courier makes deliveries one after another, in a goroutine that begins with the
// first and ends with the agent. The agent's mutex guards it.
type courier struct {
	queue chan parcel
	end   context.CancelFunc
	done  chan struct{} // closed when the goroutine has ended
	open  int           // queued or being sent
	idle  chan struct{} // closed when open falls to 0; nil while nobody waits
	log   []Delivery
	life  int // how often the agent was restarted: what an earlier life has queued is lost
}

// take queues a delivery. a.mu is held.
func (c *courier) take(a *Agent, p parcel) {
	if a.ended {
		return
	}
	if c.queue == nil {
		ctx, end := context.WithCancel(context.Background())
		c.queue, c.end, c.done = make(chan parcel, parcelsQueued), end, make(chan struct{})
		go a.carry(ctx, c.queue, c.done)
	}
	p.life = c.life
	select {
	case c.queue <- p:
		c.open++
	default:
	}
}

// stop ends the courier; what it gives is closed when it has ended, nil where it
// never began. a.mu is held.
func (c *courier) stop() <-chan struct{} {
	if c.queue == nil {
		return nil
	}
	c.end()
	return c.done
}

func (a *Agent) carry(ctx context.Context, queue <-chan parcel, done chan<- struct{}) {
	defer close(done)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-queue:
			a.bring(ctx, p)
			a.mu.Lock()
			if a.courier.open--; a.courier.open == 0 && a.courier.idle != nil {
				close(a.courier.idle)
				a.courier.idle = nil
			}
			a.mu.Unlock()
		}
	}
}

// bring makes a delivery, as often as its fault and Options.Attempts want it.
func (a *Agent) bring(ctx context.Context, p parcel) {
	if !rest(ctx, p.fault.Delay) || a.lost(p) {
		return
	}
	left := p.fault.Repeat
	for attempt := 1; ; attempt++ {
		p.envelope.DeliveryAttempt = attempt
		d := a.send(ctx, p)
		a.record(p.hook, d)
		switch {
		case !d.ok() && attempt < a.opts.Attempts:
			if !rest(ctx, time.Duration(attempt)*attemptPause) {
				return
			}
		case left > 0:
			left--
		default:
			return
		}
	}
}

// lost reports whether an outage or a restart has swallowed a delivery.
func (a *Agent) lost(p parcel) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.down || p.life != a.courier.life
}

// send signs a delivery and sends it once.
func (a *Agent) send(ctx context.Context, p parcel) Delivery {
	ctx, cancel := context.WithTimeout(ctx, deliveryTimeout)
	defer cancel()
	now := a.opts.Now()
	body := bytes.TrimSpace(encode(p.envelope))
	d := Delivery{
		TenantID: p.tenant, WebhookID: p.hook.id, EventID: p.envelope.EventID, EventType: p.envelope.EventType,
		Attempt: p.envelope.DeliveryAttempt, At: now, URL: p.hook.url, Body: body,
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.hook.url, bytes.NewReader(body))
	if err != nil {
		d.Err = err.Error()
		return d
	}
	for name, value := range p.hook.headers {
		if !reserved(name) {
			r.Header.Set(name, value)
		}
	}
	stamp := strconv.FormatInt(now.Add(p.fault.Skew).Unix(), 10)
	secret := p.secret
	if p.fault.Forge {
		secret = "not the secret that was agreed on"
	}
	r.Header.Set("Content-Type", contentJSON)
	r.Header.Set(TimestampHeader, stamp)
	r.Header.Set(SignatureHeader, Sign(secret, stamp, body))
	d.Header = r.Header.Clone()
	res, err := a.opts.Deliver(r)
	if err != nil {
		d.Err = err.Error()
		return d
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	_ = res.Body.Close()
	d.Status = res.StatusCode
	return d
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

// record notes a delivery, for the subscription and for Deliveries.
func (a *Agent) record(s *subscription, d Delivery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	s.lastAt, s.lastStatus = d.At, d.Status
	if s.failures++; d.ok() {
		s.failures = 0
	}
	if a.opts.DisableAfter > 0 && s.failures >= a.opts.DisableAfter {
		s.active = false
	}
	if c := &a.courier; len(c.log) == deliveriesKept {
		c.log = append(append([]Delivery(nil), c.log[1:]...), d)
	} else {
		c.log = append(c.log, d)
	}
}

func (d Delivery) ok() bool { return d.Status >= 200 && d.Status < 300 }

// Deliveries gives the last deliveries to the subscribers of a tenant, tests among
// them, oldest first; for "" those of all tenants, at most 256.
func (a *Agent) Deliveries(tenantID string) []Delivery {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Delivery
	for _, d := range a.courier.log {
		if tenantID == "" || d.TenantID == tenantID {
			out = append(out, d)
		}
	}
	return out
}

// Drain waits until no delivery is queued or being sent. What a DeliveryFault holds
// back is neither.
func (a *Agent) Drain(ctx context.Context) error {
	a.mu.Lock()
	if a.courier.open == 0 {
		a.mu.Unlock()
		return nil
	}
	if a.courier.idle == nil {
		a.courier.idle = make(chan struct{})
	}
	idle := a.courier.idle
	a.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-a.closed:
		return ErrClosed
	}
}

// rest waits for d and reports whether the agent was still there then.
func rest(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
