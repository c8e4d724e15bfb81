package ops

import "esagate/internal/adserver"

// AdServerName gives the usual name of a type of ad server.
func AdServerName(name string) string {
	if t := adserver.Find(name); t != nil {
		return t.Title
	}
	return label(name)
}
