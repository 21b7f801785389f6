package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/fault"
	"waggle/shared/schema"
	"waggle/shared/table"
)

type sale struct {
	SaleID       int64
	SalePriceUSD *int64
	Title        *string
}

func ExampleSplit() {
	sales := schema.New("Sales",
		schema.Int64("sale_id").Unique(schema.AllButFirst),
		schema.Int64("sale_price_usd").GreaterThan(0),
		schema.Text("title"),
	)
	good, bad, result, err := schema.Split(sales, []sale{
		{1, new(int64(1200)), new("Untitled")},
		{1, new(int64(0)), new("Harbour")},
		{2, nil, nil},
	})
	fmt.Println(len(good), len(bad), result.ErrorCount, err)
	for f := range result.Errors() {
		fmt.Println(f.Row, f.Column, f.Check, f.FailureCase)
	}
	// Output:
	// 1 2 4 <nil>
	// 1 sale_id unique 1
	// 1 sale_price_usd greater_than(0) 0
	// 2 sale_price_usd not_null <nil>
	// 2 title not_null <nil>
}

func ExampleFromStruct() {
	type Artwork struct {
		ArtworkID int64   `schema:"unique"`
		Title     *string `schema:"not_null; length(1, 200)"`
		Tier      string  `schema:"one_of(budget, mid, premium); warn" description:"by list price"`
		Year      *int32  `schema:"at_least(1400)"`
	}
	fmt.Print(schema.FromStruct[Artwork]("Artworks", schema.MinRows(1).Because("an empty catalogue is a broken export")).Markdown())
	// Output:
	// ### Artworks
	//
	// | column | type | rules | description |
	// | --- | --- | --- | --- |
	// | artwork_id | int64 | `not_null`, `unique` (all fail) |  |
	// | title | text | `not_null`, `length(1, 200)` |  |
	// | tier | text | `not_null`, `one_of([budget, mid, premium])` (warning) | by list price |
	// | year | int32 | `at_least(1400)` |  |
	//
	// - `row_count_at_least(1)`: an empty catalogue is a broken export
	// - other columns: allow
}

func TestMistakesOfADefinitionAreToldWithFileAndLine(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]*schema.Schema{
		"letters, digits and underscores":            schema.New("two words", schema.Int64("a")),
		"no columns and no rules":                    schema.New("S"),
		"part 2 is nil":                              schema.New("S", schema.Int64("a"), nil),
		"part 1 is nil":                              schema.New("S", (*schema.Column[int64])(nil)),
		"error parsing regexp":                       schema.New("S", schema.Text("a").Matches("(")),
		"both greater_than(5) and less_than(5)":      schema.New("S", schema.Int64("a").GreaterThan(5).LessThan(5)),
		"both at_least(6) and at_most(5)":            schema.New("S", schema.Int64("a").AtLeast(6).AtMost(5)),
		"both at_least(2000-01-01) and less_than":    schema.New("S", schema.Date("a").AtLeast(schema.Day(2000, 1, 1)).LessThan(schema.Day(2000, 1, 1))),
		"no whole day":                               schema.New("S", schema.Date("a").AtLeast(time.Unix(1, 0))),
		"NaN is no bound":                            schema.New("S", schema.Float64("a").AtLeast(math.NaN())),
		"one_of: NaN":                                schema.New("S", schema.Float64("a").OneOf(math.NaN())),
		"one_of has no values":                       schema.New("S", schema.Int64("a").OneOf()),
		"length(3, 2)":                               schema.New("S", schema.Text("a").Length(3, 2)),
		"not_empty does not apply to":                schema.New("S", schema.Int64("a").NotEmpty()),
		"matches(x) does not apply":                  schema.New("S", schema.Int64("a").Matches("x")),
		"finite does not apply":                      schema.New("S", schema.Int64("a").Finite()),
		"greater_than does not apply":                schema.New("S", schema.Bool("a").GreaterThan(true)),
		"Unique does not apply to a column of":       schema.New("S", schema.Any("a").Unique()),
		"Unique takes one of":                        schema.New("S", schema.Int64("a").Unique(7)),
		`column "a" is there twice`:                  schema.New("S", schema.Int64("a"), schema.Text("a")),
		`rule "not_empty" of column "a" is there tw`: schema.New("S", schema.Text("a").NotEmpty().NotEmpty()),
		"name without spaces":                        schema.New("S", schema.Int64(" a")),
		`its column "b" is not in the schema`:        schema.New("S", schema.Int64("a"), schema.UniqueTogether(schema.All, "a", "b")),
		"two columns or more":                        schema.New("S", schema.Int64("a"), schema.UniqueTogether(schema.All, "a")),
		`takes a string for column "a", which is in`: schema.New("S", schema.Int64("a"), schema.Across2("x", func(string, int64) bool { return true }, "a", "a")),
		"its function is nil":                        schema.New("S", schema.Int64("a"), schema.Vectorised("x", nil, "a")),
		"Options twice":                              schema.New("S", schema.Int64("a"), schema.Options{Coerce: true}, schema.Options{Coerce: true}),
		"ExtraColumns is 9":                          schema.New("S", schema.Int64("a"), schema.Options{ExtraColumns: 9}),
		"is not a row":                               schema.New("S", schema.Row("x", func(int) bool { return true })),
		"there is no such rule": schema.FromStruct[struct {
			A int `schema:"positive"`
		}]("S"),
		"does not fit the field": schema.FromStruct[struct {
			A int8 `schema:"at_most(300)"`
		}]("S"),
		"does not end with a bracket": schema.FromStruct[struct {
			A int `schema:"at_most(3"`
		}]("S"),
	} {
		mistakes := errors.Join(s.Mistakes()...)
		if mistakes == nil || !strings.Contains(mistakes.Error(), want) {
			t.Errorf("mistakes %v, want %q", mistakes, want)
			continue
		}
		_, err := schema.Validate(s, []sale{})
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "shared/schema/schema_test.go:") || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate: %v, want %q with file and line", err, want)
		}
	}
	if _, err := schema.Validate(nil, []sale{}); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("nil schema: %v", err)
	}
}

func TestASchemaKeepsWhatItWasMadeOf(t *testing.T) {
	t.Parallel()
	id := schema.Int64("sale_id")
	s := schema.New("S", id)
	id.GreaterThan(10)
	if r, err := schema.Validate(s, []sale{{SaleID: 1}}); err != nil || !r.Valid() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestAPanickingRuleIsNamedWithItsRow(t *testing.T) {
	t.Parallel()
	rows := make([]sale, 30_000)
	rows[9000].SaleID, rows[20_000].SaleID = 9, 9
	for name, part := range map[string]schema.Part{
		`rule "odd" of column "sale_id" panicked at row 9000: oh`: schema.Int64("sale_id").Check("odd", func(v int64) bool { return v != 9 || oh() }),
		`rule "row" panicked at row 9000: oh`:                     schema.Row("row", func(s sale) bool { return s.SaleID != 9 || oh() }),
		`rule "batch" of column "sale_id" panicked at rows 8192 to 16383: oh`: schema.Vectorised("batch", func(b *schema.Batch) {
			if b.First == 8192 {
				oh()
			}
		}, "sale_id"),
	} {
		parts := []schema.Part{part}
		if _, column := part.(*schema.Column[int64]); !column {
			parts = append(parts, schema.Int64("sale_id"))
		}
		_, err := schema.Validate(schema.New("S", parts...), rows)
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "schema_test.go:") {
			t.Errorf("%v, want %s", err, name)
		}
	}
}

func oh() bool { panic("oh") }

func TestRowRulesLookAtStructsAndAtTablesAlike(t *testing.T) {
	t.Parallel()
	type narrow struct {
		SaleID       int64
		SalePriceUSD int64
	}
	rows := make([]sale, 20_000)
	for i := range rows {
		rows[i] = sale{int64(i), new(int64(i % 7)), nil}
		if i%5 == 0 {
			rows[i].SalePriceUSD = nil
		}
	}
	asTable, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	columns := []schema.Part{schema.Int64("sale_id"), schema.Int64("sale_price_usd").Null()}
	wide := schema.New("S", append(columns, schema.Row("not_three", func(s sale) bool { return s.SalePriceUSD == nil || *s.SalePriceUSD != 3 }, "sale_price_usd"))...)
	slim := schema.New("S", append(columns, schema.Row("not_three", func(s narrow) bool { return s.SalePriceUSD != 3 }, "sale_price_usd"))...)
	var want []int
	for i := range rows {
		if i%5 != 0 && i%7 == 3 {
			want = append(want, i)
		}
	}
	for _, s := range []*schema.Schema{wide, slim} {
		for _, in := range []any{rows, asTable} {
			r, err := schema.Validate(s, in)
			if err != nil {
				t.Fatal(err)
			}
			same(t, "invalid rows", slices.Collect(r.InvalidRows()), want)
			same(t, "case", r.Counts[0].Failures[0], schema.Failure{Column: "sale_price_usd", Check: "not_three", Severity: schema.Error, Row: 3, FailureCase: map[string]any{"sale_price_usd": int64(3)}})
		}
	}
	if _, err := schema.Validate(schema.New("S", schema.Row("x", func(struct{ Other int }) bool { return true })), asTable); fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), `no column "other"`) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoTableIsSaid(t *testing.T) {
	t.Parallel()
	s := schema.New("S", schema.Int64("a").Null())
	a := array.NewInt64Builder(memory.DefaultAllocator).NewArray()
	f := arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int64}
	twice := array.NewTable(arrow.NewSchema([]arrow.Field{f, f}, nil), []arrow.Column{*arrow.NewColumn(f, arrow.NewChunked(f.Type, []arrow.Array{a})), *arrow.NewColumn(f, arrow.NewChunked(f.Type, []arrow.Array{a}))}, 0)
	for want, rows := range map[string]any{
		"is not a table":                nil,
		"int is not a table":            3,
		"a nil *table.Table":            (*table.Table)(nil),
		`more than one column "a"`:      table.FromArrow(twice),
		"timestamp in nanoseconds hold": []struct{ A time.Time }{{time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)}},
	} {
		if _, err := schema.Validate(s, rows); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestMissingAndWrongColumnsMakeEveryRowInvalid(t *testing.T) {
	t.Parallel()
	s := schema.New("S", schema.Int64("sale_id"), schema.Float64("sale_price_usd").GreaterThan(0), schema.Text("artist").NotEmpty(), schema.Text("note").Optional())
	good, bad, r, err := schema.Split(s, []sale{{SaleID: 1}, {SaleID: 2}})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "failures", slices.Collect(r.Errors()), []schema.Failure{
		{Column: "sale_price_usd", Check: "type(float64)", Severity: schema.Error, FailureCase: "int64", Row: schema.NoRow},
		{Column: "artist", Check: "column_present", Severity: schema.Error, Row: schema.NoRow},
	})
	if len(good) != 0 || len(bad) != 2 || r.InvalidRowCount != 2 || r.ErrorCount != 2 {
		t.Errorf("%d good, %d bad, %+v", len(good), len(bad), r)
	}
	if r, err := schema.Validate(s, []sale{}); err != nil || r.Valid() || r.InvalidRowCount != 0 {
		t.Errorf("no rows: %+v, %v", r, err)
	}
}

func TestExtraColumnsAreAllowedRejectedOrDropped(t *testing.T) {
	t.Parallel()
	rows, err := table.FromRows([]sale{{SaleID: 1}, {SaleID: -1}})
	if err != nil {
		t.Fatal(err)
	}
	for extra, want := range map[schema.Extra]string{schema.Allow: "[sale_id sale_price_usd title]", schema.Reject: "[sale_id sale_price_usd title]", schema.Drop: "[sale_id]"} {
		good, bad, r, err := schema.Split(schema.New("S", schema.Int64("sale_id").AtLeast(0), schema.Options{ExtraColumns: extra}), rows)
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(good.Columns()) != want || len(bad.Columns()) != 3 || good.NumRows() != 1 || len(r.TableFailures()) != map[schema.Extra]int{schema.Reject: 2}[extra] {
			t.Errorf("%s: good has %v, bad %v; %v", extra, good.Columns(), bad.Columns(), r.TableFailures())
		}
	}
}

func TestAResultAsJSONHoldsNumbersThatJSONLacksAndBoundedFailures(t *testing.T) {
	t.Parallel()
	type row struct{ X float64 }
	rows := make([]row, 5000)
	for i := range rows {
		rows[i].X = math.NaN()
	}
	r, err := schema.Validate(schema.New("S", schema.Float64("x").Finite(), schema.Text("y").Null()), rows)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{"schema":"S","valid":false,"record_count":5000,"error_count":5001,"warning_count":0,"invalid_row_count":5000,"counts":[{"column":"y","check":"column_present"`,
		`"failure_case":null,"row":null}`, `{"column":"x","check":"finite","severity":"ERROR","failure_case":"NaN","row":99}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if strings.Contains(string(text), `"row":100}`) || len(slices.Collect(r.Errors())) != 5001 {
		t.Error("more than 100 failures are kept, or not all are found on demand")
	}
	same(t, "failures of a row", r.OfRow(4999), []schema.Failure{{Column: "x", Check: "finite", Severity: schema.Error, FailureCase: math.NaN(), Row: 4999}})
}

func TestASchemaAsJSONSaysAllThatItDemands(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(schema.New("S", schema.Int64("id").Unique(schema.AllButLast).Warn().Because("ids are corrected later"), schema.UniqueTogether(schema.All, "id", "b"), schema.Any("b").Null()))
	want := `{"name":"S","extra_columns":"allow","coerce":false,"columns":[{"name":"id","type":"int64","nullable":false,"optional":false,"rules":[{"check":"not_null","severity":"ERROR"},` +
		`{"check":"unique","copies":"all_but_last","severity":"WARN","because":"ids are corrected later"}]},{"name":"b","type":"any","nullable":true,"optional":false,"rules":[]}],` +
		`"rules":[{"check":"unique_together","columns":["id","b"],"copies":"all","severity":"ERROR"}]}`
	if err != nil || string(text) != want {
		t.Errorf("%v\n%s\n%s", err, text, want)
	}
}
