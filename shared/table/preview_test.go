package table_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"waggle/shared/metadata"
	"waggle/shared/table"
)

func nan() float64 { return math.NaN() }

func ExamplePreview() {
	type Artwork struct {
		ArtworkID int64
		Title     *string
		Tags      []string
	}
	m, _ := table.Preview([]Artwork{{1, new("Dusk | Dawn"), []string{"oil"}}, {2, nil, nil}, {3, new("Nocturne"), nil}}, 2).Encode()
	fmt.Println(m["record_count"], m["columns"])
	fmt.Println(m["schema"])
	fmt.Print(m["preview"].Any())
	// Output:
	// 3 ["artwork_id","title","tags"]
	// artwork_id int64, title text null, tags list<text> null
	// | artwork_id | title | tags |
	// | ---: | --- | --- |
	// | 1 | Dusk \| Dawn | ["oil"] |
	// | 2 | | |
}

func preview(t *testing.T, rows any, n int) string {
	t.Helper()
	m, err := table.Preview(rows, n).Encode()
	if err != nil {
		t.Fatal(err)
	}
	return m["preview"].Any().(string)
}

func TestAPreviewIsMarkdown(t *testing.T) {
	t.Parallel()
	type row struct {
		Text string `column:"a|b"`
		F    float64
		When time.Time
		Sub  struct{ X int }
		B    *bool
	}
	got := preview(t, []row{
		{"a|b\\c\r\nd\ne", 120000, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), struct{ X int }{1}, new(true)},
		{strings.Repeat("ä", 60), math.NaN(), time.Time{}, struct{ X int }{}, nil},
		{strings.Repeat("ä", 61), math.Inf(-1), time.Time{}, struct{ X int }{}, nil},
		{strings.Repeat("|", 61), -0.1, time.Time{}, struct{ X int }{}, nil},
	}, 10)
	golden(t, "preview.golden", got)
}

func TestAPreviewShowsTheFirstRows(t *testing.T) {
	t.Parallel()
	rows := []one{{1}, {2}, {3}}
	tbl, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{-1: "", 0: "", 1: "| 1 |\n", 2: "| 1 |\n| 2 |\n", 9: "| 1 |\n| 2 |\n| 3 |\n"} {
		want = "| id |\n| ---: |\n" + want
		if got := preview(t, rows, n); got != want {
			t.Errorf("%d of rows: %q, want %q", n, got, want)
		}
		if got := preview(t, tbl, n); got != want {
			t.Errorf("%d of a table: %q, want %q", n, got, want)
		}
	}
	if got := preview(t, []one(nil), 5); got != "| id |\n| ---: |\n" {
		t.Errorf("no rows: %q", got)
	}
}

func TestAPreviewHasTheLabelItIsGiven(t *testing.T) {
	t.Parallel()
	m, err := table.PreviewAs("top_sales", []one{{1}}, 5).Encode()
	if err != nil {
		t.Fatal(err)
	}
	if m["top_sales"].Type != metadata.TypeMarkdown || m["record_count"].Type != metadata.TypeInt || m["columns"].Type != metadata.TypeJSON || m["schema"].Type != metadata.TypeTableSchema || len(m) != 4 {
		t.Errorf("got %v", m)
	}
}

func TestAPreviewOfNoTableFailsWhenItIsAdded(t *testing.T) {
	t.Parallel()
	var all failures
	for _, rows := range []any{7, nil, []int{1}, (*table.Table)(nil), []struct{ C chan int }{}, []struct{ T time.Time }{{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}}} {
		_, err := table.PreviewAs("first", rows, 5).Encode()
		if err == nil {
			t.Errorf("%T: no error", rows)
			continue
		}
		fmt.Fprintf(&all, "%T\n  %v\n", rows, err)
	}
	golden(t, "preview_errors.golden", all.String())
}
