//go:build docs

package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestTheFirstAssetOfTheReadmeBuildsAndRuns types the README's first asset into a copy of the tree.
func TestTheFirstAssetOfTheReadmeBuildsAndRuns(t *testing.T) {
	tree := copyTree(t)
	write(t, filepath.Join(tree, "pipelines/hello/hello.go"), block(t, "README.md", "first asset"))
	write(t, filepath.Join(tree, "pipelines/pipelines.go"), block(t, "README.md", "pipelines.go"))
	if out, err := command(tree, "go", "build", "-trimpath", "-o", "bin/waggle", "./cmd/waggle"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := command(tree, "./bin/waggle", "run", "hello")
	if err != nil || !strings.Contains(out, "SUCCESS hello") {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err = command(tree, "./bin/waggle", "assets", "show", "greeting")
	if err != nil || !strings.Contains(out, "words") {
		t.Errorf("the asset's metadata is not shown: %v\n%s", err, out)
	}
	if out, err := command(tree, "go", "vet", "./pipelines/..."); err != nil {
		t.Errorf("go vet: %v\n%s", err, out)
	}
}
