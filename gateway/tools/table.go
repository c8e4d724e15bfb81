package tools

// row is a tool of one operation of the contract.
type row struct {
	name, operation string
	about           string // what an assistant needs to know beside the contract's summary
	changes         bool   // what was there before is no more
	repeatable      bool   // to do it twice comes to the same
}

// table is the tools of one operation each, in the order in which assistants see them. What a tool takes and gives, and
// whether it only reads, follows from the contract; which keys may use it, from the gateway's route table.
var table = []row{
	{name: "overview", operation: "getOverview",
		about: "Every managed source in one answer, the worst first: its state and since when, its worst issue, open blockers and last syncs. " +
			"Calls nobody, so it is the cheapest way to begin. `include: history` adds the states of the last 24 hours."},
	{name: "sources", operation: "listInventorySources",
		about: "All inventory sources, managed ones and agents that others run (`AGENT`), by id. There are more where as many came as `take` asks for (200)."},
	{name: "source", operation: "getInventorySource",
		about: "One source of either kind, from the gateway's own records."},
	{name: "status", operation: "getInventorySourceEsaStatus",
		about: "The whole snapshot of one managed source: ad server, sync streams, counters, setup tasks, issues. To learn why it does not sell, why_blocked is shorter."},
	{name: "connection", operation: "getInventorySourceEsa",
		about: "The ad-server connection of one managed source: how far provisioning has come, the last error, what may be shown of the ad-server config."},
	{name: "history", operation: "listInventorySourceEsaSyncHistory",
		about: "The runs of a source's sync streams, newest first. For older ones ask again with `cursor` set to the last answer's `nextCursor`."},
	{name: "audit", operation: "listAudit",
		about: "Who wrote what about which source in the last 90 days, newest first, and what came of it. Needs a key that may write."},
	{name: "service_account", operation: "ensureEsaServiceAccount", repeatable: true,
		about: "The e-mail of the service account that a publisher lets into their Google Ad Manager network before it is connected. Changes nothing."},
	{name: "connect", operation: "connectEsa",
		about: "Makes a managed source for an ad server that needs no credentials here, such as Google Ad Manager by its `networkCode` (see service_account). " +
			"The answer comes within 25 seconds; while `provisioningStatus` is `provisioning`, look again with connection. " +
			"With the same `idempotencyKey` a repetition makes no second source. " + elsewhere},
	{name: "set_ad_server", operation: "putInventorySourceAdServer", changes: true, repeatable: true,
		about: "Replaces the ad-server config of a source; also how a `failed` connection is tried again. " + elsewhere},
	{name: "test", operation: "testInventorySourceEsaConnection", repeatable: true,
		about: "Has the sales agent try the saved config at the ad server, which can take a minute. `success: false` is an answer, not a failure."},
	{name: "refresh", operation: "refreshInventorySourceEsa", repeatable: true,
		about: "Starts the syncs of a source. Follow the runs with history."},
	{name: "deactivate", operation: "deactivateInventorySourceEsa", changes: true, repeatable: true,
		about: "Takes a source off sale until it is reactivated. Ask the person first."},
	{name: "reactivate", operation: "reactivateInventorySourceEsa", repeatable: true,
		about: "Puts a deactivated source back on sale."},
}

// elsewhere is said where an ad server may want a credential: what an assistant is told stays in its transcript.
const elsewhere = "An ad server that wants a password, token or key is connected by a person, with `esagate call connectEsa` or the API."
