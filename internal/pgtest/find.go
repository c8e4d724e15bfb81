package pgtest

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// findPrograms gives the folder of initdb and postgres: of the newest version in
// Debian's place, which is not in PATH, else where PATH leads to.
func findPrograms() (string, error) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is a good one
	slices.SortFunc(folders, func(a, b string) int { return cmp.Compare(version(b), version(a)) })
	if program, err := exec.LookPath("initdb"); err == nil {
		// The link's target, because the programs find their files from there.
		if program, err = filepath.EvalSymlinks(program); err == nil {
			folders = append(folders, filepath.Dir(program))
		}
	}
	for _, folder := range folders {
		if exists(filepath.Join(folder, "initdb")) && exists(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", ErrNotInstalled
}

// version reads the version out of /usr/lib/postgresql/<version>/bin.
func version(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // anything else comes last
	return n
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
