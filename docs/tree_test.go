//go:build docs

// Package docs_test holds the documentation against the code: what a reader types is typed here, in a copy of the tree.
// It needs the go command and takes longer than unit tests, so it has a build tag; `make test` runs it.
package docs_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// copyTree copies what a build needs into a new folder, as `git clone` would.
func copyTree(t *testing.T) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "shared", "pipelines", "cmd"} {
		from := filepath.Join("..", name)
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() {
			err = os.CopyFS(filepath.Join(to, name), os.DirFS(from))
		} else {
			var data []byte
			if data, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(filepath.Join(to, name), data, 0o644)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// listOrders adds the package pipelines/orders of a copied tree to what its deployment runs.
func listOrders(t *testing.T, tree string) {
	t.Helper()
	listed := filepath.Join(tree, "pipelines/pipelines.go")
	data, err := os.ReadFile(listed)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), `"waggle/pipelines/gallery"`, "\"waggle/pipelines/gallery\"\n\t\"waggle/pipelines/orders\"", 1)
	write(t, listed, strings.Replace(text, ".Merge(", ".Merge(orders.Definitions, ", 1))
}

// command runs a command in a folder, with Go alone, and returns all it printed.
func command(dir, name string, args ...string) (string, error) {
	return commandWith([]string{"CGO_ENABLED=0"}, dir, name, args...)
}

func commandWith(env []string, dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "NO_COLOR=1"), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
}

// block returns the fenced code block that follows a marker in a document.
func block(t *testing.T, document, marker string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", document))
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(data), "<!-- "+marker+" -->")
	if !ok {
		t.Fatalf("%s has no marker %q", document, marker)
	}
	found := regexp.MustCompile("(?s)^\\s*```[a-z]*\n(.*?)```").FindStringSubmatch(after)
	if found == nil {
		t.Fatalf("no code block follows the marker %q in %s", marker, document)
	}
	return found[1]
}
