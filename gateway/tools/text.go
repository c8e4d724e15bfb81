package tools

import (
	_ "embed"
	"slices"
	"strings"
	"text/template"
)

var (
	//go:embed llms.txt
	llmsText string
	//go:embed SKILL.md
	skillText string

	llmsTemplate  = template.Must(template.New("llms.txt").Parse(llmsText))
	skillTemplate = template.Must(template.New("SKILL.md").Parse(skillText))
)

// Text is what is said to assistants in files.
type Text struct {
	LLMs  []byte // for /llms.txt, as llmstxt.org has it
	Skill []byte // for /skills/esagate/SKILL.md
}

// NewText makes the texts of a gateway that is reached at a URL; writes is as in [Deps].
func NewText(url string, writes func(operation string) bool) *Text {
	type shown struct {
		Name, About string
		Writes      bool
	}
	var all []shown
	var names []string
	for _, r := range table {
		all = append(all, shown{r.name, r.about, writes(r.operation)})
	}
	at := slices.IndexFunc(all, func(s shown) bool { return s.Name == "status" })
	all = slices.Insert(all, at, shown{Name: whyName, About: whyAbout})
	for _, s := range all {
		names = append(names, s.Name)
	}
	var llms, skill strings.Builder
	view := struct {
		URL, Tools, Protocols string
		All                   []shown
	}{strings.TrimSuffix(url, "/"), strings.Join(names, ", "), strings.Join(protocols, ", "), all}
	_ = llmsTemplate.Execute(&llms, view) // a builder does not fail, and the templates are tested
	_ = skillTemplate.Execute(&skill, view)
	return &Text{[]byte(llms.String()), []byte(skill.String())}
}
