package ops

// HomeView is what the page at the root says.
type HomeView struct {
	Page
	Status string // ready, starting or stopping
}

var homeTemplate = parse("home.html")

// Home gives the page at the root, which leads to the others.
func Home(v HomeView) []byte { return render(homeTemplate, v) }
