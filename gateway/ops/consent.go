package ops

// ConsentView is what somebody sees who was asked whether the gateway may reach an agent.
type ConsentView struct {
	Page
	Given   bool
	Message string // a sentence or two
}

var consentTemplate = parse("consent.html")

// Consent gives the page on which a consent ends.
func Consent(v ConsentView) []byte { return render(consentTemplate, v) }
