package ops

// FailureView is what a page shows in place of what was asked for.
type FailureView struct {
	Page
	Message string // what is wrong, as a sentence or two
	Retry   int    // in so many seconds it is worth trying again; 0: that is not known
}

var failureTemplate = parse("failure.html")

// Failure gives the page of an error.
func Failure(v FailureView) []byte { return render(failureTemplate, v) }
