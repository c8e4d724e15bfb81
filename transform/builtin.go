package transform

import (
	"esagate/api"
	"esagate/registry"
)

// builtin is a platform task whose completion follows from what the gateway
// knows (contract, status rule 7).
type builtin struct {
	id, name, severity string
	// open describes the task while there is something to do.
	open string
	// judge gives the verdict, and with it a description that fits it.
	judge func(in *StatusInput, doc *api.Status) (verdict, string)
}

// verdict says where a platform task stands.
type verdict uint8

const (
	noOpinion verdict = iota // upstream's word decides; alone it is open
	open
	complete
	leftOut // not known yet: the task does not appear
)

func verdictOf(done bool) verdict {
	if done {
		return complete
	}
	return open
}

// builtins are the platform tasks that every source has, in their order.
var builtins = []builtin{
	{
		id: "ad_server_configured", name: "Ad server configured", severity: severityBlocker,
		open: "Save the configuration of your ad server.",
		judge: func(in *StatusInput, doc *api.Status) (verdict, string) {
			// Where the record has no view yet, upstream's word that it holds a
			// config (connected is true exactly then) is the best there is.
			if in.Connection.AdServer != nil || doc.Adapter.Connected {
				return complete, "The configuration of the ad server is saved."
			}
			return open, ""
		},
	},
	{
		id: "source_provisioned", name: "Source provisioned", severity: severityBlocker,
		open: "The source is not running yet. It is set up once the ad server accepts the saved configuration.",
		judge: func(in *StatusInput, _ *api.Status) (verdict, string) {
			switch {
			case in.Connection.Provisioning == registry.StatusDeactivated:
				return open, "The source is deactivated. Reactivate it to sell again."
			case in.Connection.TenantID != "" && in.Connection.Provisioning == registry.StatusActive:
				return complete, "The source is set up and active."
			}
			return open, ""
		},
	},
	{
		id: "connection_verified", name: "Connection verified", severity: severityBlocker,
		open: "Test the connection to the ad server.",
		judge: func(in *StatusInput, doc *api.Status) (verdict, string) {
			c := &in.Connection
			if !c.LastTestedAt.IsZero() && !c.LastTestedAt.Before(c.AdServerSavedAt) {
				if c.LastTestPassed {
					return complete, "The last test of the connection passed."
				}
				return open, "The last test of the connection failed. Check the configuration and test again."
			}
			// No test of ours covers what is saved now.
			if doc.Adapter.Connected && doc.Adapter.LastTestError == nil {
				return complete, "The sales agent reports the ad server as connected. We have not tested the connection ourselves."
			}
			return open, ""
		},
	},
	{
		id: "sync_webhook_subscribed", name: "Sync notifications", severity: severityWarning,
		open: "The source does not notify us of finished syncs, so news of them can arrive late.",
		judge: func(in *StatusInput, _ *api.Status) (verdict, string) {
			switch {
			// Whether a subscription lives is found out after start-up. Until then
			// both answers would be guesses, and a wrong "open" would raise an
			// alarm at every start.
			case in.Subscribed == nil:
				return leftOut, ""
			case *in.Subscribed:
				return complete, "The source notifies us of finished syncs."
			}
			return open, ""
		},
	},
}
