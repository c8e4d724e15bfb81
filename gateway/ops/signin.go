package ops

// SignInView is what the page for signing in shows.
type SignInView struct {
	Page
	Next    string // where to go on: a path under /ops
	Problem string // why the last try failed, as a sentence; "": there was none
	Issuer  string // the address at which people begin to sign in with their organisation; "": they can't
	Refused string // why nobody can sign in here, as a sentence; "": they can
}

var signInTemplate = parse("signin.html")

// SignIn gives the page for signing in.
func SignIn(v SignInView) []byte { return render(signInTemplate, v) }

// OnwardView is what a page shows that only leads on.
type OnwardView struct {
	Page
	Address string // a path under /ops
}

var onwardTemplate = parse("onward.html")

// Onward gives a page from which a browser goes on by itself. It then sends the session's cookie, which it keeps
// to itself while another site has led it here.
func Onward(v OnwardView) []byte { return render(onwardTemplate, v) }
