package telemetry

import "time"

// snapshots makes the instruments of the snapshots.
func (b *builder) snapshots(in *Instruments) {
	age := b.histogram(nameSnapshotAge, "Age of the snapshots served, since their receipt.")
	in.SnapshotRead = count(b, "esagate.snapshot.reads", "Snapshots asked for, by what was found.", "result", readResults)
	in.SnapshotCoalesced = b.events("esagate.snapshot.coalesced", "Readers that joined a refresh already under way.")
	in.SnapshotRefresh = count(b, "esagate.snapshot.refreshes", "Finished refreshes, by what became of them.", "outcome", refreshOutcomes)
	in.SnapshotLook = count(b, "esagate.snapshot.looks",
		"Looks at what other replicas have published of a tenant, by what came of them.", "outcome", lookOutcomes)
	in.SnapshotWaited = b.events("esagate.snapshot.lease_waits", "Refreshes that waited for another replica's.")
	in.SnapshotAge = func(d time.Duration) { age.Record(detached, d.Seconds()) }
	in.SnapshotEntries = b.gauge("esagate.snapshot.entries", "Snapshots kept.")
}
