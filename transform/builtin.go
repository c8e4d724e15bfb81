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
	// state gives a description that fits it better than open, if there is one.
	state func(in StatusInput, doc *api.Status) (taskState, string)
}

// builtins are the platform tasks that every source has, in their order.
var builtins = []builtin{
	{
		id: "ad_server_configured", name: "Ad server configured", severity: severityBlocker,
		open:  "Save the configuration of your ad server.",
		state: configured,
	},
	{
		id: "source_provisioned", name: "Source provisioned", severity: severityBlocker,
		open:  "The source is not running yet. It is set up once the ad server accepts the saved configuration.",
		state: provisioned,
	},
	{
		id: "connection_verified", name: "Connection verified", severity: severityBlocker,
		open:  "Test the connection to the ad server.",
		state: verified,
	},
	{
		id: "sync_webhook_subscribed", name: "Sync notifications", severity: severityWarning,
		open:  "The source does not notify us of finished syncs, so news of them can arrive late.",
		state: subscribed,
	},
}

// completeText gives the description of the task where it is complete, "" where it is not.
func (b *builtin) completeText(in *StatusInput, doc *api.Status) string {
	state, text := b.state(*in, doc)
	if state != complete {
		return ""
	}
	return text
}

// taskState says where a platform task stands.
type taskState uint8

const (
	undecided taskState = iota // upstream's word decides; alone it is open
	open
	complete
	hidden // not known yet: the task does not appear
)

func configured(in StatusInput, doc *api.Status) (taskState, string) {
	// Upstream says connected exactly while it holds a config (contract 2.2). That counts while the record
	// has no view of it yet.
	if in.Source.Connection.AdServer != nil || doc.Adapter.Connected {
		return complete, "The configuration of the ad server is saved."
	}
	return open, ""
}

func provisioned(in StatusInput, _ *api.Status) (taskState, string) {
	c := in.Source.Connection
	switch {
	case c.Provisioning == registry.StatusDeactivated:
		return open, "The source is deactivated. Reactivate it to sell again."
	case c.TenantID != "" && c.Provisioning == registry.StatusActive:
		return complete, "The source is set up and active."
	}
	return open, ""
}

func verified(in StatusInput, doc *api.Status) (taskState, string) {
	c, a := in.Source.Connection, &doc.Adapter
	switch tested := !c.LastTestedAt.IsZero() && !c.LastTestedAt.Before(c.AdServerSavedAt); {
	case tested && c.LastTestPassed:
		return complete, "The last test of the connection passed."
	case tested:
		return open, "The last test of the connection failed. Check the configuration and test again."
	case a.Connected && a.LastTestError == nil: // no test of ours covers what is saved now
		return complete, "The sales agent reports the ad server as connected. We have not tested the connection ourselves."
	}
	return open, ""
}

// subscribed hides the task while nothing is known. Whether there is a subscription is found out
// after start-up: until then a wrong "open" would raise an alarm at every start.
func subscribed(in StatusInput, _ *api.Status) (taskState, string) {
	switch {
	case in.Subscribed == nil:
		return hidden, ""
	case *in.Subscribed:
		return complete, "The source notifies us of finished syncs."
	}
	return open, ""
}
