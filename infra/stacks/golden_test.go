package stacks_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite testdata")

// hashes are those of code, which are others with each change of the stubs, and of versions, which follow from them.
var hashes = regexp.MustCompile(`\b[0-9a-f]{64}\b|(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}`)

func TestTheTemplatesAreAsStored(t *testing.T) {
	for name, tm := range map[string]template{"data.json": stays, "app.json": runs} {
		got := hashes.ReplaceAllString(tm.text, "${1}HASH")
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs; go test ./stacks -update rewrites it\n%s", name, diff)
		}
	}
}

func TestEqualDeploymentsGiveEqualTemplates(t *testing.T) {
	again, runsAgain, err := synthesize(shop)
	if err != nil || again.text != stays.text || runsAgain.text != runs.text {
		t.Errorf("%v\n%s", err, cmp.Diff(runs.text, runsAgain.text))
	}
}
