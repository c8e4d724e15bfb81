// Package wire holds the sales agent's documents as it writes them: snake_case
// names, optional values, nothing renamed or judged. Decoding is by allow-list:
// what a type here does not name never leaves this package.
package wire

import "time"

// Opt is an optional value. Set is false when the field was absent, null or
// malformed; a malformed one is also noted in [Notes].
type Opt[T any] struct {
	Value T
	Set   bool
}

// Time is an instant in UTC with the number of fraction digits it was written
// with. The zero Time is "absent".
type Time struct {
	Time   time.Time
	Digits int
}

// Status is `GET T/status`. Adapter and FetchedAt were there and well-formed,
// else the document did not count (contract, status rule 1); every other block
// may be absent.
type Status struct {
	Adapter           Adapter
	FetchedAt         Time
	Syncs             []Stream // in document order; one entry a name, the last wins
	Workflows         Opt[Workflows]
	Packages          Opt[Packages]
	Products          Opt[Products]
	InventoryProfiles Opt[InventoryProfiles]
	Creatives         Opt[Creatives]
	Webhooks          Opt[Webhooks]
	SetupTasks        Opt[[]Task] // the counters beside the items are not read: they are counted anew
	Notes             Notes
}

// Notes says what in a document that counts was passed over, by path
// ("syncs.inventory.item_count", list items as "setup_tasks.items[].id", map
// values as "workflows.by_kind.*"). Both lists are bounded and hold each path once.
// A segment that is not a plain snake_case or camelCase word is written "?".
type Notes struct {
	Unknown   []string // fields outside the allow-list
	Malformed []string // known fields with a value of another type
}

// Adapter is the adapter block.
type Adapter struct {
	Type          string
	Connected     bool
	LastTestedAt  Time
	LastTestError Opt[string]
}

// Stream is one entry of the syncs block; Name is as upstream writes it.
type Stream struct {
	Name          string
	Status        Opt[string]
	Severity      Opt[string]
	LastRunAt     Time
	LastSuccessAt Time
	ItemCount     Opt[int64]
	Error         Opt[string]
	Issue         Opt[Issue]
}

// Issue is a stream's issue.
type Issue struct {
	Code       Opt[string]
	Category   Opt[string]
	Message    Opt[string]
	Action     Opt[string]
	Capability Opt[string]
	Retryable  Opt[bool]
}

// Workflows is the open-workflow summary. ByKind is ordered by key, keys byte
// for byte; of a repeated key the last wins.
type Workflows struct {
	OpenCount      Opt[int64]
	OldestOpenedAt Time
	ByKind         []KindCount
}

// KindCount is one entry of workflows.by_kind.
type KindCount struct {
	Kind  string
	Count int64
}

// Packages holds package counters.
type Packages struct {
	ActiveCount, PausedCount, Last24hImpressions Opt[int64]
}

// Products holds product counters.
type Products struct {
	ActiveCount, DraftCount, ArchivedCount Opt[int64]
}

// InventoryProfiles holds inventory-profile counters.
type InventoryProfiles struct {
	TotalCount, CompleteCount, IncompleteCount, WholesaleOwnedCount Opt[int64]
}

// Creatives holds creative counters.
type Creatives struct {
	ActiveCount, PendingReviewCount, RejectedLast24hCount Opt[int64]
}

// Webhooks is the outbound-webhook summary.
type Webhooks struct {
	Delivered, Failed Opt[int64]
	SuccessRate       Opt[float64]
	LastFailureAt     Time
}

// Task is one setup task.
type Task struct {
	ID            string
	Name          Opt[string]
	Severity      Opt[string]
	Scope         Opt[string]
	Description   Opt[string]
	IsComplete    Opt[bool]
	ConfigurePath Opt[string]
}
