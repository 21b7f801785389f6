package cli

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tellOfNewerCode warns when the program is older than a file of the pipelines beside it: what it runs is then not what
// the files say. It looks only in the root of a checkout.
func (s *session) tellOfNewerCode() {
	if s.app.Executable == "" || !inCheckout() {
		return
	}
	program, err := os.Stat(s.app.Executable)
	if err != nil {
		return
	}
	if file := newerFile("pipelines", program.ModTime()); file != "" {
		s.warn("%s is older than %s; build it again with: make waggle", s.app.Program, file)
	}
}

func inCheckout() bool {
	mod, err := os.ReadFile("go.mod")
	return err == nil && strings.HasPrefix(string(mod), "module waggle\n")
}

// errFound ends a walk.
var errFound = errors.New("found")

// newerFile returns a file below a folder that changed after a time and is part of the program; "" where there is none.
func newerFile(folder string, than time.Time) string {
	var newer string
	_ = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read cannot be compared
		case strings.HasPrefix(entry.Name(), "."), entry.IsDir() && entry.Name() == "testdata":
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		case entry.IsDir(), strings.HasSuffix(entry.Name(), "_test.go"):
			return nil
		}
		if info, err := entry.Info(); err == nil && info.ModTime().After(than) {
			newer = path
			return errFound
		}
		return nil
	})
	return newer
}
