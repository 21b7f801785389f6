//go:build docs

package docs_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the goldens")

// TestFiveMistakesReadAsTroubleshootingSays makes each mistake in a copy of the tree, and compares what the reader sees with
// a golden and with docs/troubleshooting.md.
func TestFiveMistakesReadAsTroubleshootingSays(t *testing.T) {
	tree := copyTree(t)
	mistakes := []struct {
		name  string
		tool  []string // what the reader runs
		fails bool     // by its exit status
	}{
		{"swapped", []string{"go", "build", "./pipelines/shop"}, true},
		{"misspelt", []string{"go", "build", "./pipelines/shop"}, true},
		{"itself", []string{"go", "build", "./pipelines/shop"}, true},
		{"forgotten", []string{"go", "tool", "staticcheck", "./pipelines/shop"}, true},
		{"undeclared", []string{"go", "run", "./cmd/shop", "run", "shop"}, true},
	}
	write(t, filepath.Join(tree, "cmd/shop/main.go"), shopMain)
	guide, err := os.ReadFile("troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join("testdata/mistakes", m.name, "shop.go.txt"))
			if err != nil {
				t.Fatal(err)
			}
			write(t, filepath.Join(tree, "pipelines/shop/shop.go"), string(source))
			out, err := command(tree, m.tool[0], m.tool[1:]...)
			if (err != nil) != m.fails {
				t.Fatalf("%v: %v\n%s", m.tool, err, out)
			}
			got := normalized(tree, out)
			golden := filepath.Join("testdata/mistakes", m.name, "seen.txt")
			if *update {
				write(t, golden, got)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the reader sees\n%s\nthe golden has\n%s", got, want)
			}
			for _, line := range strings.Split(strings.TrimSpace(string(want)), "\n") {
				if m.name != "undeclared" && !strings.HasPrefix(line, "#") && !strings.Contains(string(guide), strings.TrimSpace(line)) {
					t.Errorf("docs/troubleshooting.md does not show this line:\n%s", line)
				}
			}
		})
	}
}

var (
	runIDs = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?`)
	times  = regexp.MustCompile(`\d+(\.\d+)? (ns|µs|ms|s)\b`)
	clock  = regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?`)
)

// normalized replaces what differs from run to run.
func normalized(tree, out string) string {
	out = strings.ReplaceAll(out, tree+"/", "")
	out = clock.ReplaceAllString(out, "TIME")
	out = runIDs.ReplaceAllString(out, "RUN")
	return times.ReplaceAllString(out, "N ms")
}

// shopMain is cmd/waggle for the shop alone.
const shopMain = `package main

import (
	"context"
	"os"

	"waggle/pipelines/shop"
	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/store"
)

func main() {
	os.Exit(cli.Main(context.Background(), cli.App{
		Definitions: shop.Definitions,
		Open:        func(ctx context.Context, home string) (*store.Store, error) { return embedded.Open(ctx, home, nil) },
	}, os.Args[1:], cli.Streams{}))
}
`
