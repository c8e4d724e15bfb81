package api

// The events of a stream, by their names. An [OverviewItem] without Age and History is the data of
// status.changed.
const (
	EventStatusChanged     = "status.changed"
	EventSyncStarted       = "sync.started"
	EventSyncCompleted     = "sync.completed"
	EventSyncFailed        = "sync.failed"
	EventConnectionChanged = "connection.changed"
	EventResync            = "resync" // events are missing: read the overview again; its data is {}
)

// SyncEvent is the data of the sync events.
type SyncEvent struct {
	SourceID   string    `json:"sourceId"`
	ESAID      string    `json:"esaId"`
	CustomerID int64     `json:"customerId"`
	Stream     string    `json:"stream"`
	At         Timestamp `json:"at"`        // of the start or the end; null where it is not known
	ItemCount  *int64    `json:"itemCount"` // of a completed run
	Error      *string   `json:"error"`     // of a failed run
}

// ConnectionEvent is the data of connection.changed.
type ConnectionEvent struct {
	SourceID           string    `json:"sourceId"`
	ESAID              string    `json:"esaId"`
	CustomerID         int64     `json:"customerId"`
	Name               string    `json:"name"`
	ProvisioningStatus string    `json:"provisioningStatus"`
	Deleted            bool      `json:"deleted"` // the source is gone
	UpdatedAt          Timestamp `json:"updatedAt"`
}
