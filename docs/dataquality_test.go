//go:build docs

package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// anyRun is what differs from run to run: its name, and when it was.
var anyRun = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}|[0-9-]{10} [0-9:]{8} UTC`)

// TestTheFourWaysOfTheGuideToTreatWarnings types the guide's files into a copy of the tree, and reads what each way leaves.
func TestTheFourWaysOfTheGuideToTreatWarnings(t *testing.T) {
	tree := copyTree(t)
	const guide = "docs/data-quality.md"
	for _, name := range []string{"orders", "filter", "check", "report"} {
		write(t, filepath.Join(tree, "pipelines/orders", name+".go"), block(t, guide, name))
	}
	listOrders(t, tree)
	if out, err := command(tree, "go", "build", "-trimpath", "-o", "bin/waggle", "./cmd/waggle"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	guideText, err := os.ReadFile("data-quality.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  string
		wants []string
	}{
		{"run orders", []string{"WARNING  orders  Filtered 2 invalid rows (3 errors)  schema=Orders", "SUCCESS orders", "check_orders_raw_schema"}},
		{"quarantine show orders", []string{"\n    1  2   country Perú: one_of([Chile, Peru])\n    2  1   total_usd null: not_null; id 1: unique\n"}},
		{"quarantine replay orders", []string{"0 of 2 rows that orders set aside in run ", "one_of([Chile, Peru])     1\n"}},
		{"runs show LAST", []string{"Warnings", "check_orders_raw_schema on orders_raw", "orders: 2 rows set aside for 3 errors"}},
		{"runs show LAST --json", []string{`"validation_warnings"`, `"invalid_row_count"`}},
		{"checks", []string{"check_orders_raw_min_rows", "check_orders_raw_failure_rate", "check_orders_id_references", "check_orders_failure_rate", "check_orders_raw_unchanged"}},
		{"checks show check_orders_failure_rate", []string{"66.67 % of 3 rows are invalid, 2 of them removed by a filter, 75 % are allowed"}},
	} {
		out, _ := command(tree, "./bin/waggle", strings.Fields(c.args)...)
		for _, want := range c.wants {
			if !strings.Contains(out, want) {
				t.Errorf("waggle %s lacks %q:\n%s", c.args, want, out)
			}
		}
		if strings.HasPrefix(c.args, "quarantine") && !strings.Contains(anyRun.ReplaceAllString(string(guideText), "RUN"), anyRun.ReplaceAllString(out, "RUN")) {
			t.Errorf("the guide does not show\n%s", out)
		}
	}
	file, err := os.ReadFile(filepath.Join(tree, "output/orders_refused.json"))
	if err != nil || strings.Count(string(file), `"check"`) != 3 {
		t.Errorf("%s, %v", file, err)
	}
}
