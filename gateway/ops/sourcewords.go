package ops

import (
	"html/template"
	"strings"
	"unicode"

	"esagate/api"
	"esagate/transform"
)

// looks are the functions of templates that say how states and names are shown.
var looks = template.FuncMap{
	"look": LookOf, "syncLook": syncLook, "severityLook": severityLook, "outcomeLook": outcomeLook, "label": label, "short": Short,
	"provisioning": func(name string) string { return worded(provisioningWords, name) },
	"operation":    operation,
	"adServer":     AdServerName,
	"int64":        func(n int) int64 { return int64(n) },
	"span":         func(from, to api.Timestamp) string { return Short(to.Time.Sub(from.Time)) },
	"taskID":       taskID, "streamID": streamID,
}

// streamID gives the id that a sync stream has on the page of its source.
func streamID(name string) string { return "stream-" + name }

// StateLook is how a state is shown: never by its colour alone.
type StateLook struct{ Class, Sign, Word string }

// LookOf gives how a state is shown; what is none counts as unknown.
func LookOf(state string) StateLook {
	switch state {
	case transform.StateDown:
		return StateLook{state, "✕", "Down"}
	case transform.StateBlocked:
		return StateLook{state, "!", "Blocked"}
	case transform.StateDegraded:
		return StateLook{state, "~", "Degraded"}
	case transform.StatePending:
		return StateLook{state, "…", "Pending"}
	case transform.StateLive:
		return StateLook{state, "✓", "Live"}
	case transform.StateDeactivated:
		return StateLook{state, "○", "Deactivated"}
	}
	return StateLook{transform.StateUnknown, "?", "Not known"}
}

// syncLook gives how a stream's status is shown.
func syncLook(s api.SyncBlock) StateLook {
	switch {
	case s.Status == "failed":
		return StateLook{"down", "✕", "Failed"}
	case s.Status == "running":
		return StateLook{"pending", "…", "Running"}
	case s.Status == "never_run":
		return StateLook{"unknown", "?", "Never run"}
	case s.Status == "success" && s.Severity == "ok" && s.LastRunAt.IsZero() && s.LastSuccessAt.IsZero():
		return StateLook{"live", "✓", "Nothing to sync yet"}
	case s.Status == "success" && s.Severity == "ok":
		return StateLook{"live", "✓", "Synced"}
	case s.Status == "success":
		return StateLook{"degraded", "~", "Synced, with a warning"}
	}
	return StateLook{"unknown", "?", label(s.Status)}
}

// severityLook gives how the severity of an issue or an open task is shown.
func severityLook(severity string) StateLook {
	switch severity {
	case "critical":
		return StateLook{"down", "!", "Critical"}
	case "blocker":
		return StateLook{"down", "!", "Blocker"}
	case "warning":
		return StateLook{"degraded", "~", "Warning"}
	}
	return StateLook{"pending", "i", "For information"}
}

// outcomeLook gives how the outcome of a write is shown.
func outcomeLook(outcome string) StateLook {
	switch outcome {
	case "succeeded":
		return StateLook{"live", "✓", "Succeeded"}
	case "failed":
		return StateLook{"down", "✕", "Failed"}
	case "refused":
		return StateLook{"degraded", "!", "Refused"}
	}
	return StateLook{"unknown", "…", "Begun, and its end is not known"}
}

// provisioningWords say how far a source is connected.
var provisioningWords = map[string]string{
	"pending":      "Not set up yet",
	"provisioning": "Being set up",
	"active":       "Set up",
	"failed":       "Could not be set up",
	"deactivated":  "Deactivated",
}

// operationWords say what a write of the audit was, by its operation.
var operationWords = map[string]string{
	"connectEsa":                              "Connected the source",
	"ensureEsaServiceAccount":                 "Asked for the service account",
	"createInventorySource":                   "Made the source",
	"updateInventorySource":                   "Changed the source",
	"deleteInventorySource":                   "Deleted the source",
	"putInventorySourceAdServer":              "Saved the ad server",
	"patchInventorySourceAdServer":            "Changed the ad server",
	"rotateInventorySourceAdapterCredentials": "Replaced the credentials",
	"testInventorySourceEsaConnection":        "Tested the connection",
	"testEsaConnection":                       "Tested the connection",
	"refreshInventorySourceEsa":               "Started a refresh",
	"refreshEsa":                              "Started a refresh",
	"deactivateInventorySourceEsa":            "Deactivated the source",
	"deactivateEsa":                           "Deactivated the source",
	"reactivateInventorySourceEsa":            "Reactivated the source",
	"reactivateEsa":                           "Reactivated the source",
	"recheckEsaCapability":                    "Checked a capability again",
	"tenantDeactivated":                       "Deactivated at the sales agent",
	"tenantReactivated":                       "Reactivated at the sales agent",
}

// operation says what a write of the audit was; those without words here by their summary in the contract.
func operation(name string) string {
	if op := api.Operations()[name]; op != nil && operationWords[name] == "" {
		return op.Summary
	}
	return worded(operationWords, name)
}

// worded gives the word of a table, or the name itself made readable.
func worded(words map[string]string, name string) string {
	if text, ok := words[name]; ok {
		return text
	}
	return label(name)
}

// label makes a name of the API's readable: "customTargeting", "custom_targeting" and "CUSTOM_TARGETING" are
// "Custom targeting".
func label(name string) string {
	var b strings.Builder
	small := strings.ToUpper(name) == name
	for i, r := range name {
		switch {
		case r == '_' || r == '-':
			r = ' '
		case small:
			r = unicode.ToLower(r)
		case unicode.IsUpper(r) && i > 0:
			b.WriteByte(' ')
			r = unicode.ToLower(r)
		}
		if b.Len() == 0 {
			r = unicode.ToUpper(r)
		}
		b.WriteRune(r)
	}
	text := b.String()
	for _, name := range [][2]string{{" id", " ID"}, {" url", " URL"}, {" api", " API"}} {
		if before, ok := strings.CutSuffix(text, name[0]); ok {
			text = before + name[1]
		}
	}
	return text
}
