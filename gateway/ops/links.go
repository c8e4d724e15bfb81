package ops

import (
	"net/url"
	"strconv"
	"strings"

	"esagate/internal/word"
)

// Link leads to where something can be mended.
type Link struct {
	Text     string // "Reconnect the ad server"
	URL      string
	External bool // to a page of the storefront's
}

// Place is a source that a link can lead to.
type Place struct {
	CustomerID int64
	SourceID   string
}

// Path gives the path of the source's page.
func (p Place) Path() string {
	return "/ops/sources/" + strconv.FormatInt(p.CustomerID, 10) + "/" + url.PathEscape(p.SourceID)
}

// at gives a part of the source's page, by its id.
func (p Place) at(id string) string {
	return p.Path() + (&url.URL{Fragment: id}).String()
}

// taskID gives the id that a setup task has on the page of its source.
func taskID(id string) string { return "task-" + id }

// Storefront is the address under which the storefront has its own pages; "" where that is not known. It says
// what is wrong with sources, since that is where most of it is mended.
type Storefront string

// Page gives the address of a page of the storefront's, by its path, perhaps with a query and a fragment. It
// gives false for a path that is none, so that no address leads to another host.
func (s Storefront) Page(path string) (address string, ok bool) {
	base, err := url.Parse(string(s))
	if s == "" || err != nil || (base.Scheme != "http" && base.Scheme != "https") || !word.Path.Is(path) {
		return "", false
	}
	page, err := url.Parse(path)
	if err != nil || page.Scheme != "" || page.Host != "" || page.User != nil || page.Opaque != "" {
		return "", false
	}
	address = base.Scheme + "://" + base.Host + strings.TrimRight(base.EscapedPath(), "/") + page.EscapedPath()
	if page.RawQuery != "" {
		address += "?" + page.RawQuery
	}
	if page.Fragment != "" {
		address += "#" + page.EscapedFragment()
	}
	return address, true
}

// link leads to a page of the storefront's where that is known, and else to a part of the source's page.
func (s Storefront) link(text string, path *string, at Place, id string) Link {
	if path != nil {
		if page, ok := s.Page(*path); ok {
			return Link{text, page, true}
		}
	}
	return Link{text, at.at(id), false}
}
