package registry

import "time"

// Times of webhook deliveries (contract 4.6).
const (
	EventsKept  = 7 * 24 * time.Hour // how long an event is known, so that it counts once
	EventWindow = 24 * time.Hour     // what contract 4.6 counts
)

// Subscription is the gateway's subscription to the sync events of one tenant. There is one
// a connection at most; its secret is made by us, and kept encrypted. Printed or
// logged it is one word.
type Subscription struct {
	hidden
	WebhookID    string // upstream's; empty: none that we know of
	Secret       string // what deliveries are signed with
	URL          string // where they go
	SubscribedAt time.Time
	AnnouncedAt  time.Time // when what was last told of by a delivery happened upstream
	Dead         bool      // it reads active and does not deliver
	RetryAt      time.Time // it is not made, made anew or ended before
}

// Lives reports whether deliveries can be expected.
func (s *Subscription) Lives() bool { return s != nil && s.WebhookID != "" && !s.Dead }

// WebhookTarget is the receiver of a tenant's deliveries. Secret is empty while there was
// never a subscription.
type WebhookTarget struct {
	hidden
	CustomerID int64
	ESAID      int64
	SourceID   string
	Secret     string
}

// Event is a delivery that was signed as it should be.
type Event struct {
	ID         string // the same over redeliveries; made of upstream's event_id
	OccurredAt time.Time
	Failed     bool // it could not be processed: it is counted, raises Epoch, and may come again
	Quiet      bool // it is counted, once, and has no effect beside: no Epoch
	// Announces: it tells of a finished run, which shows that the subscription lives.
	Announces bool
	// Sync is what it says of the inventory sync, nil without; recorded as by
	// ObserveInventorySync.
	Sync *InventorySync
}

// DeliveryCounts is what is known of a connection's deliveries.
type DeliveryCounts struct {
	Subscribed    bool      // Subscription.Lives
	Delivered     int64     // within EventWindow
	Failed        int64     // within EventWindow
	LastFailureAt time.Time // within EventsKept
}
