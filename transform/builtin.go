package transform

import (
	"esagate/api"
	"esagate/registry"
)

// builtin is a platform task whose completion follows from what the gateway
// knows (contract 4.7).
type builtin struct {
	id, name, severity string
	open               string // the description while there is something to do
}

// Ids of the built-in tasks.
const (
	taskConfigured  = "ad_server_configured"
	taskProvisioned = "source_provisioned"
	taskVerified    = "connection_verified"
	taskSubscribed  = "sync_webhook_subscribed"
)

// builtins are the platform tasks that every source has, in their order.
var builtins = []builtin{
	{
		id: taskConfigured, name: "Ad server configured", severity: severityBlocker,
		open: "Save the configuration of your ad server.",
	},
	{
		id: taskProvisioned, name: "Source provisioned", severity: severityBlocker,
		open: "The source is not running yet. It is set up once the ad server accepts the saved configuration.",
	},
	{
		id: taskVerified, name: "Connection verified", severity: severityBlocker,
		open: "Test the connection to the ad server.",
	},
	{
		id: taskSubscribed, name: "Sync notifications", severity: severityWarning,
		open: "The source does not notify us of finished syncs, so news of them can arrive late.",
	},
}

// taskState says where a platform task stands.
type taskState uint8

const (
	undecided taskState = iota // upstream's word decides; alone it is open
	open
	complete
	hidden // not known yet: the task does not appear
)

func stateOf(done bool) taskState {
	if done {
		return complete
	}
	return open
}

// state gives the state of a built-in task, with a description that fits it better than the task's
// own, if there is one.
func (b *builtin) state(in *StatusInput, doc *api.Status) (taskState, string) {
	switch b.id {
	case taskConfigured:
		return configured(in, doc)
	case taskProvisioned:
		return provisioned(in.Source.Connection)
	case taskVerified:
		return verified(in.Source.Connection, &doc.Adapter)
	default:
		return subscribed(in.Subscribed)
	}
}

func configured(in *StatusInput, doc *api.Status) (taskState, string) {
	// Upstream says connected exactly while it holds a config (contract 2.2). That counts while the record
	// has no view of it yet.
	if in.Source.Connection.AdServer != nil || doc.Adapter.Connected {
		return complete, "The configuration of the ad server is saved."
	}
	return open, ""
}

func provisioned(c *registry.Connection) (taskState, string) {
	switch {
	case c.Provisioning == registry.StatusDeactivated:
		return open, "The source is deactivated. Reactivate it to sell again."
	case c.TenantID != "" && c.Provisioning == registry.StatusActive:
		return complete, "The source is set up and active."
	}
	return open, ""
}

func verified(c *registry.Connection, a *api.Adapter) (taskState, string) {
	if !c.LastTestedAt.IsZero() && !c.LastTestedAt.Before(c.AdServerSavedAt) {
		if c.LastTestPassed {
			return complete, "The last test of the connection passed."
		}
		return open, "The last test of the connection failed. Check the configuration and test again."
	}
	// No test of ours covers what is saved now.
	if a.Connected && a.LastTestError == nil {
		return complete, "The sales agent reports the ad server as connected. We have not tested the connection ourselves."
	}
	return open, ""
}

// subscribed hides the task while nothing is known. Whether there is a subscription is found out
// after start-up: until then a wrong "open" would raise an alarm at every start.
func subscribed(known *bool) (taskState, string) {
	switch {
	case known == nil:
		return hidden, ""
	case *known:
		return complete, "The source notifies us of finished syncs."
	}
	return open, ""
}
