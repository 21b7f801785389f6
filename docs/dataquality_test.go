//go:build docs

package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheFourWaysOfTheGuideToTreatWarnings types the guide's files into a copy of the tree, and reads what each way leaves.
func TestTheFourWaysOfTheGuideToTreatWarnings(t *testing.T) {
	tree := copyTree(t)
	const guide = "docs/data-quality.md"
	for _, name := range []string{"orders", "filter", "check", "report"} {
		write(t, filepath.Join(tree, "pipelines/orders", name+".go"), block(t, guide, name))
	}
	listed := filepath.Join(tree, "pipelines/pipelines.go")
	data, err := os.ReadFile(listed)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), `"waggle/pipelines/gallery"`, "\"waggle/pipelines/gallery\"\n\t\"waggle/pipelines/orders\"", 1)
	write(t, listed, strings.Replace(text, ".Merge(", ".Merge(orders.Definitions, ", 1))
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
		{"quarantine show orders", []string{"ROW  WHY\n  1  country Perú: one_of([Chile, Peru])\n  2  id 1: unique; total_usd null: not_null\n"}},
		{"quarantine replay orders", []string{"no check of orders has a schema"}},
		{"runs show LAST", []string{"Warnings", "check_orders_raw_schema on orders_raw", "orders: 2 rows set aside for 3 errors"}},
		{"runs show LAST --json", []string{`"validation_warnings"`, `"invalid_row_count"`}},
		{"checks", []string{"check_orders_raw_min_rows", "check_orders_raw_failure_rate", "check_orders_id_references"}},
	} {
		out, _ := command(tree, "./bin/waggle", strings.Fields(c.args)...)
		for _, want := range c.wants {
			if !strings.Contains(out, want) {
				t.Errorf("waggle %s lacks %q:\n%s", c.args, want, out)
			}
		}
		if strings.HasPrefix(c.args, "quarantine show") && !strings.Contains(string(guideText), out) {
			t.Errorf("the guide does not show\n%s", out)
		}
	}
	file, err := os.ReadFile(filepath.Join(tree, "output/orders_refused.json"))
	if err != nil || strings.Count(string(file), `"check"`) != 3 {
		t.Errorf("%s, %v", file, err)
	}
}
