package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Set by the build (-ldflags "-X main.version=… -X main.commit=…").
var (
	version = "dev"
	commit  = ""
)

// builtFrom gives the commit that the binary was built from, "-dirty" behind it where the tree had
// changes. It is empty where the build did not say.
func builtFrom() string {
	if commit != "" {
		return commit
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	revision, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = "-dirty"
		}
	}
	if revision == "" {
		return ""
	}
	return revision + dirty
}

type versionCommand struct{}

// Run prints what somebody who is to look into a fault asks first.
func (versionCommand) Run() error {
	_, err := fmt.Printf("esagate %s\ncommit %s\n%s %s/%s\n",
		version, cmp.Or(builtFrom(), "unknown"), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
