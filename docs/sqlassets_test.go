//go:build docs && duckdb

package docs_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestTheSQLAssetOfTheGuideRunsOnDuckDB types the guide's files into a copy of the tree, and builds it with and without DuckDB.
func TestTheSQLAssetOfTheGuideRunsOnDuckDB(t *testing.T) {
	tree := copyTree(t)
	const guide = "docs/sql-assets.md"
	write(t, filepath.Join(tree, "pipelines/orders/orders.go"), block(t, guide, "orders"))
	write(t, filepath.Join(tree, "pipelines/orders/sql.go"), block(t, guide, "sql asset"))
	write(t, filepath.Join(tree, "pipelines/orders/nosql.go"), block(t, guide, "without sql"))
	listOrders(t, tree)

	withC := []string{"CGO_ENABLED=1"}
	if out, err := commandWith(withC, tree, "go", "build", "-trimpath", "-tags", "duckdb", "-o", "bin/waggle", "./cmd/waggle"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for value, want := range map[string]string{"100": "| Peru | 2 | 370 |", "50": "| Chad | 1 | 90 |"} {
		out, err := command(tree, "./bin/waggle", "run", "orders_sql", "--config", "min_total_usd="+value)
		if err == nil {
			var shown string
			shown, err = command(tree, "./bin/waggle", "assets", "show", "orders_by_country", "-o", "json")
			out += shown
		}
		if err != nil || !strings.Contains(out, want) || !strings.Contains(out, "SUCCESS orders_sql") {
			t.Errorf("min_total_usd=%s: %v\n%s", value, err, out)
		}
	}

	broken := strings.Replace(block(t, guide, "sql asset"), "FROM orders", "FROM order_", 1)
	write(t, filepath.Join(tree, "pipelines/orders/sql.go"), broken)
	if out, err := commandWith(withC, tree, "go", "build", "-trimpath", "-tags", "duckdb", "-o", "bin/waggle", "./cmd/waggle"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const said = `SQL of "orders_by_country": line 3, column 7: unknown table "order_", which is no upstream asset (did you mean "orders"?)`
	if out, err := command(tree, "./bin/waggle", "run", "orders_sql"); err == nil || !strings.Contains(out, said) {
		t.Errorf("%v\n%s\nlacks %s", err, out, said)
	}

	if out, err := command(tree, "go", "build", "./pipelines/..."); err != nil {
		t.Errorf("without DuckDB: %v\n%s", err, out)
	}
	out, err := commandWith([]string{"CGO_ENABLED=0"}, tree, "go", "build", "-tags", "duckdb", "./shared/sqlasset")
	if err == nil || !strings.Contains(out, "the_tag_duckdb_needs_a_C_compiler") {
		t.Errorf("without a C compiler: %v\n%s", err, out)
	}
}
