package table_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/fault"
)

var update = flag.Bool("update", false, "rewrite the goldens in testdata")

// golden compares a text with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update rewrites it)\n--- want\n%s\n--- got\n%s", file, want, got)
	}
}

// failures gathers errors for a golden: what was tried, the code, the text.
type failures struct{ strings.Builder }

func (f *failures) add(t *testing.T, name string, err error, hide ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", name)
		return
	}
	text := err.Error()
	for _, h := range hide {
		text = strings.ReplaceAll(text, h, "DIR")
	}
	fmt.Fprintf(f, "%s\n  [%s] %s\n", name, fault.CodeOf(err), strings.ReplaceAll(text, "\n", "\n    "))
}

// file writes a file into a new folder and returns the folder.
func file(t *testing.T, name, content string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}
