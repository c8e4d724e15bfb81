package config

import (
	"bytes"
	"os"
	"reflect"
)

// manySources is the size in bytes from which a file takes a while to read, and what it may have beside its sources.
const manySources = 1 << 20

// Addresses gives server.address and server.admin_address of a file that Load takes seconds to read, because of its
// sources, so that a gateway can answer meanwhile. Both are empty for any other file, and where something stands in the
// way, which Load will tell.
func Addresses(path string, environ []string) (address, admin string) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() < manySources {
		return "", "" // what is no plain file can be read once
	}
	data, problem := readFile(path)
	data = withoutSources(data)
	if problem != "" || len(data) > manySources {
		return "", ""
	}
	l := newLoader(path, environ)
	file, readable := l.parse(data)
	doc := newDocument()
	l.section(reflect.ValueOf(&doc).Elem(), file, "", false)
	if !readable || !l.good("server.address", "server.admin_address") {
		return "", ""
	}
	return doc.Server.Address, doc.Server.AdminAddress
}

// withoutSources leaves out the section sources, where it is written as a block.
func withoutSources(data []byte) (rest []byte) {
	left := false
	for line := range bytes.Lines(data) {
		if !bytes.ContainsRune([]byte(" \t#-\r\n"), rune(line[0])) {
			left = bytes.HasPrefix(line, []byte("sources:"))
		}
		if !left {
			rest = append(rest, line...)
		}
	}
	return rest
}
