//go:build duckdb

package sqlasset_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/sqlasset"
)

// TestScanAndDuckDBAgree glues pieces of SQL together at random. What DuckDB takes without a complaint about statements and
// parameters must have no mistake, and what it complains about must have one.
func TestScanAndDuckDBAgree(t *testing.T) {
	t.Parallel()
	pieces := rapid.SampledFrom([]string{" ", "\n", "1", "a", "é", "'", "''", `"`, `"a"`, "$", "$$", "$a$", "$min_price", "$nobody", "$1", "?", ";", "--", "/*", "*/", "/", "*",
		"e'", `\`, "-", ",", "SELECT 1", "SELECT 'x'", "a$b", "x'", "+", "(", ")"})
	agreed := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		sql := "SELECT " + strings.Join(rapid.SliceOfN(pieces, 0, 12).Draw(rt, "pieces"), "")
		opts := &sqlasset.Options{Config: config}
		mistakes := sqlasset.New("made", sql, asset.List{sales}, opts).Definition().Mistakes()
		_, err := query(t, sql, opts)
		switch {
		case err == nil:
			agreed["taken"]++
			for _, m := range mistakes {
				if strings.Contains(m.Error(), "a $ stands alone") {
					continue // DuckDB takes white space behind it, which nobody reads as a name
				}
				rt.Fatalf("%q runs, and has the mistakes %v", sql, mistakes)
			}
		case strings.Contains(err.Error(), "statements; an asset"), strings.Contains(err.Error(), "unknown config key"), strings.Contains(err.Error(), "unterminated"):
			agreed["refused"]++
			if len(mistakes) == 0 {
				rt.Fatalf("%q has no mistake, and DuckDB says %v", sql, err)
			}
		}
	})
	if agreed["taken"] == 0 || agreed["refused"] == 0 {
		t.Errorf("the pieces make nothing of a kind: %v", agreed)
	}
}
