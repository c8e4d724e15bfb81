package ops

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Action is something that a person can do to a source.
type Action struct {
	Name  string // in the path of its form
	Verb  string // of its button
	Ask   string // whether it shall be done
	Says  []string
	Busy  string // while it is done
	Main  bool   // there is nothing to be afraid of
	Seen  bool   // it is done to the source in the state that the page shows alone
	links []string
}

// actions are all of them.
var actions = []Action{
	{
		Name: "test-connection", Verb: "Test the connection", Ask: "Test the connection to the ad server?", Main: true,
		Says: []string{
			"The sales agent signs in at the ad server with the saved account and looks whether it may do what it has to. " +
				"Nothing is changed there.",
			"This can take a minute. What comes out is kept with the source, for everybody to see.",
		},
		Busy:  "Testing the connection… This can take a minute.",
		links: []string{"Test again", "Give access, then test again", "Test the connection"},
	},
	{
		Name: "refresh", Verb: "Refresh", Ask: "Read everything from the ad server again?", Main: true,
		Says: []string{
			"The sales agent starts its syncs with the ad server: inventory, targeting, advertisers and what else it has. " +
				"They run on their own, for minutes or longer, and this page follows them.",
			"Selling goes on meanwhile. A sync that is running already is not started twice.",
		},
		Busy:  "Asking the sales agent to start its syncs…",
		links: []string{"Retry the sync", "Start the sync", "Sync the inventory"},
	},
	{
		Name: "deactivate", Verb: "Deactivate", Ask: "Stop selling through this source?", Seen: true,
		Says: []string{
			"The source stops selling at once: buyers find nothing of it any more, and can't book through it.",
			"Its account and its settings are kept, and it can be reactivated at any time. In the ad server nothing is changed: " +
				"what is booked there already stays as it is.",
		},
		Busy: "Deactivating the source…",
	},
	{
		Name: "reactivate", Verb: "Reactivate", Ask: "Sell through this source again?", Main: true, Seen: true,
		Says: []string{
			"Buyers find the source again, and can book through it as soon as nothing else keeps it from selling.",
			"Its account and settings are as they were when it was deactivated.",
		},
		Busy:  "Reactivating the source…",
		links: []string{"Reactivate it"},
	},
}

// ActionForm is what the forms of all actions carry beside their names.
type ActionForm struct {
	Once string        // makes two requests from one page one
	Seen string        // the state of the source that the page shows
	Wait time.Duration // how long a script waits for the answer
}

// Actions gives what the viewer can do to the source as it is.
func (v *SourceView) Actions() []Action {
	c := v.Connection
	if v.Viewer == nil || !v.Viewer.Write || c.TenantID == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(actions), func(a Action) bool {
		switch a.Name {
		case "deactivate":
			return c.ProvisioningStatus != "active"
		case "reactivate":
			return c.ProvisioningStatus != "deactivated"
		}
		return false
	})
}

// Launches reports whether the sales agent has pages of the source for the viewer: also for one who only reads.
func (v *SourceView) Launches() bool { return v.Viewer != nil && v.Connection.TenantID != nil }

// NoActions says why there is nothing to be done here to the source; "" where there is.
func (v *SourceView) NoActions() string {
	switch {
	case len(v.Actions()) > 0:
		return ""
	case v.Connection.TenantID == nil:
		return "The sales agent has no account for this source yet, so there is nothing to test, refresh or deactivate."
	case v.Viewer == nil || !v.Viewer.Write:
		return "You have signed in with a key that only reads: testing, refreshing and deactivating need one that may write."
	}
	return ""
}

// actionOf gives the action that does what a link stands for, if the viewer can do it here.
func (v *SourceView) actionOf(l Link) string {
	if l.External {
		return ""
	}
	for _, a := range v.Actions() {
		if slices.Contains(a.links, l.Text) {
			return a.Name
		}
	}
	return ""
}

// Outcome is what became of an action.
type Outcome struct {
	Good  bool
	Text  string
	More  []string      // sentences
	Took  time.Duration // 0: that says nothing
	Retry int           // in so many seconds it is worth trying again; 0: that is not known
}

// done is what the API answers to an action, as far as an outcome shows it.
type done struct {
	Success          *bool `json:"success"` // of a test
	Error, ErrorCode string
	CapabilityChecks []struct{ Capability, Status, Message string }

	Status           string            // of a refresh
	SyncRunIDs       map[string]string `json:"syncRunIds"`
	RunningSyncTypes []string

	ProvisioningStatus string // of a switch
}

// OutcomeOf says what came of an action, by the API's answer to it.
func OutcomeOf(answer []byte) (*Outcome, error) {
	var d done
	if err := json.Unmarshal(answer, &d); err != nil {
		return nil, err
	}
	switch {
	case d.Success != nil:
		return d.tested(), nil
	case d.Status == "already_running":
		return &Outcome{Good: true, Text: "Nothing was started: syncs are running already.", More: listed("Running", d.RunningSyncTypes)}, nil
	case d.Status != "":
		return &Outcome{Good: true, Text: "The syncs have been started.", More: listed("Started", slices.Sorted(maps.Keys(d.SyncRunIDs)))}, nil
	case d.ProvisioningStatus == "deactivated":
		return &Outcome{Good: true, Text: "The source is deactivated: it sells nothing until it is reactivated."}, nil
	case d.ProvisioningStatus == "active":
		return &Outcome{Good: true, Text: "The source is active again."}, nil
	}
	return &Outcome{Text: "The source is neither active nor deactivated now: see below how it stands."}, nil
}

// tested says what came out of a test.
func (d *done) tested() *Outcome {
	o := &Outcome{Good: true, Text: "The ad server let us in, and everything that was tested works."}
	if !*d.Success {
		o.Good, o.Text = false, cmp.Or(issueTexts[d.ErrorCode].text, "The ad server did not let us in.")
		if d.Error != "" {
			o.More = append(o.More, sentence(d.Error))
		}
	}
	for _, check := range d.CapabilityChecks {
		if check.Status == "passed" || check.Status == "not_checked" {
			continue
		}
		if o.Good {
			o.Good, o.Text = false, "The ad server let us in, but not everything works."
		}
		text := label(check.Capability) + " does not work."
		if check.Message != "" {
			text += " " + sentence(check.Message)
		}
		o.More = append(o.More, text)
	}
	return o
}

// listed names streams.
func listed(what string, streams []string) []string {
	if len(streams) == 0 {
		return nil
	}
	texts := make([]string, len(streams))
	for i, name := range streams {
		texts[i] = strings.ToLower(label(name))
	}
	return []string{what + ": " + strings.Join(texts, ", ") + "."}
}
