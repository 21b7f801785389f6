//go:build duckdb

package sqlasset_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/sqlasset"
	"waggle/shared/table"
	"waggle/shared/waggletest"
)

type sale struct {
	SaleID  int64
	Country *string
	Price   *int64
}

type settings struct {
	MinPrice  int64
	Rate      float64
	Country   string
	Countries []string
	Within    time.Duration
	Strict    bool
	Threads   int
}

var (
	sales  = asset.New("sales", func(*asset.Context) ([]sale, error) { return threeSales, nil }, nil)
	config = asset.NewConfig(settings{MinPrice: 6, Rate: 0.5, Country: "Peru", Countries: []string{"Peru", "Été"}, Within: 36 * time.Hour, Strict: true, Threads: 3})
)

var threeSales = []sale{{1, new("Peru"), new(int64(5))}, {2, nil, nil}, {3, new("Été"), new(int64(9))}}

// query runs a query over three sales.
func query(t *testing.T, sql string, opts *sqlasset.Options) (*table.Table, error) {
	t.Helper()
	return queryOver(t.Context(), t, sql, opts, asset.List{sales}, threeSales)
}

// queryOver runs a query over tables, in a context.
func queryOver(ctx context.Context, t testing.TB, sql string, opts *sqlasset.Options, upstream asset.List, values ...any) (*table.Table, error) {
	t.Helper()
	step, _ := waggletest.Context(t)
	step.Context = ctx
	if opts != nil && opts.Config != nil {
		v, err := opts.Config.Source().Config.Build(nil)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	v, err := sqlasset.New("made", sql, upstream, opts).Definition().Call(step, values)
	if err != nil {
		return nil, err
	}
	return v.(*table.Table), nil
}

// rowsOf is a table as WriteJSON writes it, without the lines of its brackets.
func rowsOf(t *testing.T, made *table.Table) string {
	t.Helper()
	path, err := table.WriteJSON(t.Context(), table.At(t.TempDir()), "made.json", made)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	if string(data) == "[]\n" {
		return ""
	}
	return string(data[2 : len(data)-3])
}
