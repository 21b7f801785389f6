//go:build duckdb

package sqlasset_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/table"
)

func TestResultsComeBackAsATableHasThem(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		`SELECT sum(price) AS x FROM sales`:                                          `int64 {"x":14}`,
		`SELECT count(*) AS x FROM sales`:                                            `int64 {"x":3}`,
		`SELECT avg(price) AS x FROM sales`:                                          `float64 {"x":7}`,
		`SELECT sum(price) AS x FROM sales WHERE false`:                              `int64 {"x":null}`,
		`SELECT (-9223372036854775808)::HUGEINT AS x`:                                `int64 {"x":-9223372036854775808}`,
		`SELECT 9223372036854775807::HUGEINT AS x`:                                   `int64 {"x":9223372036854775807}`,
		`SELECT 12::DECIMAL(5,0) AS x`:                                               `int64 {"x":12}`,
		`SELECT 0.3::DECIMAL(4,1) AS x`:                                              `float64 {"x":0.3}`,
		`SELECT -1.05::DECIMAL(18,2) AS x`:                                           `float64 {"x":-1.05}`,
		`SELECT 12345678901234567890.12::DECIMAL(30,2) AS x`:                         `float64 {"x":12345678901234567000}`,
		`SELECT 0.1::DECIMAL(38,38) AS x`:                                            `float64 {"x":0.1}`,
		`SELECT DATE '1969-12-31' AS x`:                                              `date {"x":"1969-12-31"}`,
		`SELECT TIMESTAMP '2020-01-02 03:04:05.5' AS x`:                              `timestamp {"x":"2020-01-02T03:04:05.5Z"}`,
		`SELECT TIMESTAMPTZ '2020-01-02 03:04:05+02' AS x`:                           `timestamp {"x":"2020-01-02T01:04:05Z"}`,
		`SELECT TIMESTAMP_S '2020-01-02 03:04:05' AS x`:                              `timestamp {"x":"2020-01-02T03:04:05Z"}`,
		`SELECT TIMESTAMP_NS '2020-01-02 03:04:05.123456789' AS x`:                   `timestamp {"x":"2020-01-02T03:04:05.123456789Z"}`,
		`SELECT 'b'::ENUM('a','b') AS x`:                                             `text {"x":"b"}`,
		`SELECT '6d3d2541-dcc1-4c5b-a50d-6a5e3bf2a4a4'::UUID AS x`:                   `text {"x":"6d3d2541-dcc1-4c5b-a50d-6a5e3bf2a4a4"}`,
		`SELECT 1::TINYINT AS x`:                                                     `int8 {"x":1}`,
		`SELECT 65535::USMALLINT AS x`:                                               `uint16 {"x":65535}`,
		`SELECT 18446744073709551615::UBIGINT AS x`:                                  `uint64 {"x":18446744073709551615}`,
		`SELECT 1.5::FLOAT AS x`:                                                     `float32 {"x":1.5}`,
		`SELECT true AS x`:                                                           `bool {"x":true}`,
		`SELECT NULL::BOOLEAN AS x`:                                                  `bool {"x":null}`,
		`SELECT [1::BIGINT, NULL] AS x`:                                              `list<int64> {"x":[1,null]}`,
		`SELECT [{a: 1.5, b: 'x'::ENUM('x')}, NULL] AS x`:                            `list<struct<a float64, b text>> {"x":[{"a":1.5,"b":"x"},null]}`,
		`SELECT {n: sum(price), d: DATE '2020-01-02', l: []::INT[]} AS x FROM sales`: `struct<n int64, d date, l list<int32>> {"x":{"n":14,"d":"2020-01-02","l":[]}}`,
	} {
		made, err := query(t, sql, nil)
		if err != nil {
			t.Errorf("%s: %v", sql, err)
			continue
		}
		schema, ok := table.Preview(made, 1)["schema"].(metadata.Value)
		if !ok {
			t.Fatalf("%s: schema %v", sql, schema)
		}
		column := schema.Any().(map[string]any)["columns"].([]any)[0].(map[string]any)
		if got := fmt.Sprint(column["type"], " ", rowsOf(t, made)); got != want {
			t.Errorf("%s is %s, want %s", sql, got, want)
		}
	}
}

func TestWhatATableDoesNotHoldIsAnErrorThatNamesTheColumn(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]string{
		`SELECT 1 AS a, sum(g * 9223372036854775807::HUGEINT) AS big FROM range(3) r(g)`:        `column "big", row 0: 27670116110564327421 does not fit int64; cast it in the query, to DOUBLE or VARCHAR`,
		`SELECT if(g = 200000, 9223372036854775808::HUGEINT, g) AS big FROM range(200001) r(g)`: `column "big", row 200000: 9223372036854775808 does not fit`,
		`SELECT [1::HUGEINT, 2] AS l UNION ALL SELECT [3, 9223372036854775808]`:                 `column "l", row 1: element 1: 9223372036854775808 does not fit`,
		`SELECT {a: {b: 9223372036854775808::HUGEINT}} AS s`:                                    `column "s", row 0: a: b: 9223372036854775808 does not fit`,
		`SELECT INTERVAL 1 DAY AS i`:                                  `column "i" is interval, which a table does not hold (cast it in the query, for example to VARCHAR)`,
		`SELECT MAP {'a': 1} AS m`:                                    `column "m" is map, which a table does not hold`,
		`SELECT TIME '01:02:03' AS t`:                                 `column "t" is time64, which`,
		`SELECT [TIME '01:02:03'] AS t`:                               `column "t" is a list of time64, which`,
		`SELECT {a: TIME '01:02:03'} AS t`:                            `column "t" is a struct whose field "a" is time64, which`,
		`SELECT [1, 2]::INTEGER[2] AS a`:                              `column "a" is fixed_size_list, which`,
		`SELECT 1 AS a, 2 AS a`:                                       `returns two columns named "a"; name one of them with AS`,
		`SELECT * FROM sales s JOIN sales z ON s.sale_id = z.sale_id`: `returns two columns named "sale_id"`,
	} {
		made, err := query(t, sql, nil)
		if err == nil || !strings.Contains(err.Error(), `SQL of "made": `+want) {
			t.Errorf("%s: got %v, %v, want %s", sql, made, err, want)
		}
	}
}

// wide has a column of every kind that a slice of structs can have.
type wide struct {
	ID     int64
	Big    *int64
	Small  *int8
	Count  *uint64
	Ratio  *float64
	Single *float32
	Text   *string
	Flag   *bool
	Raw    []byte
	At     time.Time
	Later  *time.Time
	Words  []string
	Inside *inside
	Many   []inside
}

type inside struct {
	Name *string
	At   *time.Time
	Ints []*int64
}

func wideRows() *rapid.Generator[[]wide] {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "'", "null", strings.Repeat("long ", 100)}))
	number := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, -1, math.MinInt64, math.MaxInt64}))
	at := rapid.Custom(func(t *rapid.T) time.Time { return time.Unix(0, rapid.Int64().Draw(t, "ns")).UTC() })
	in := rapid.Custom(func(t *rapid.T) inside {
		return inside{rapid.Ptr(text, true).Draw(t, "name"), rapid.Ptr(at, true).Draw(t, "at"), rapid.SliceOfN(rapid.Ptr(number, true), 0, 3).Draw(t, "ints")}
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) wide {
		return wide{
			ID: number.Draw(t, "id"), Big: rapid.Ptr(number, true).Draw(t, "big"), Small: rapid.Ptr(rapid.Int8(), true).Draw(t, "small"),
			Count: rapid.Ptr(rapid.Uint64(), true).Draw(t, "count"), Ratio: rapid.Ptr(rapid.Float64(), true).Draw(t, "ratio"),
			Single: rapid.Ptr(rapid.Float32(), true).Draw(t, "single"), Text: rapid.Ptr(text, true).Draw(t, "text"),
			Flag: rapid.Ptr(rapid.Bool(), true).Draw(t, "flag"), Raw: rapid.SliceOfN(rapid.Byte(), 0, 9).Draw(t, "raw"),
			At: at.Draw(t, "at"), Later: rapid.Ptr(at, true).Draw(t, "later"), Words: rapid.SliceOfN(text, 0, 3).Draw(t, "words"),
			Inside: rapid.Ptr(in, true).Draw(t, "inside"), Many: rapid.SliceOfN(in, 0, 3).Draw(t, "many"),
		}
	}), 0, 40)
}

var wideAsset = asset.New("wide", func(*asset.Context) ([]wide, error) { return nil, nil }, nil)

func TestEveryValueOfStructsGoesInAndComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rows := wideRows().Draw(rt, "rows")
		made, err := queryOver(t.Context(), t, `SELECT * FROM wide ORDER BY rowid`, nil, asset.List{wideAsset}, rows)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := table.Rows[wide](made)
		if err != nil {
			rt.Fatal(err)
		}
		if len(rows) == 0 {
			rows = []wide{}
		}
		if diff := cmp.Diff(rows, got, cmp.Comparer(func(a, b float64) bool { return a == b || a != a && b != b })); diff != "" {
			rt.Fatal(diff)
		}
	})
}

var tableAsset = asset.New("raw/Table", func(*asset.Context) (*table.Table, error) { return nil, nil }, nil)

func TestATableOfManyChunksKeepsItsOrderAndItsDictionaries(t *testing.T) {
	t.Parallel()
	const chunks, each = 7, 50_000
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64},
		{Name: "word", Type: &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.String}, Nullable: true},
	}, nil)
	var batches []arrow.RecordBatch
	for c := range chunks {
		b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
		for i := range each {
			b.Field(0).(*array.Int64Builder).Append(int64(c*each + i))
			if words := b.Field(1).(*array.BinaryDictionaryBuilder); i%3 == 0 {
				words.AppendNull()
			} else if err := words.AppendString(strings.Repeat("x", (c+i)%5)); err != nil {
				t.Fatal(err)
			}
		}
		batches = append(batches, b.NewRecordBatch())
	}
	in := table.FromArrow(array.NewTableFromRecords(schema, batches))
	made, err := queryOver(t.Context(), t, `SELECT n, word FROM "raw/Table"`, nil, asset.List{tableAsset}, in)
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		N    int64
		Word *string
	}
	rows, err := table.Rows[row](made)
	if err != nil || len(rows) != chunks*each {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range rows {
		c, at := i/each, i%each
		if r.N != int64(i) || (r.Word == nil) != (at%3 == 0) || r.Word != nil && *r.Word != strings.Repeat("x", (c+at)%5) {
			t.Fatalf("row %d is %d %v", i, r.N, r.Word)
		}
	}
}

func TestATableThatIsNamedTwiceIsReadTwice(t *testing.T) {
	t.Parallel()
	made, err := query(t, `SELECT a.sale_id * 10 + b.sale_id AS x FROM sales a, sales b ORDER BY x`, nil)
	if err != nil || rowsOf(t, made) != "{\"x\":11},\n{\"x\":12},\n{\"x\":13},\n{\"x\":21},\n{\"x\":22},\n{\"x\":23},\n{\"x\":31},\n{\"x\":32},\n{\"x\":33}" {
		t.Errorf("%v", err)
	}
}

func TestNoRowsAreATableWithItsColumns(t *testing.T) {
	t.Parallel()
	for _, rows := range []any{[]sale{}, []sale(nil), threeSales} {
		made, err := queryOver(t.Context(), t, `SELECT country, sum(price) AS total FROM sales WHERE sale_id > 3 GROUP BY ALL`, nil, asset.List{sales}, rows)
		if err != nil || made.NumRows() != 0 || !reflect.DeepEqual(made.Columns(), []string{"country", "total"}) {
			t.Errorf("got %v, %v", made, err)
		}
		if data, err := table.Encode(made); err != nil || len(data) == 0 {
			t.Errorf("it is not stored: %v", err)
		}
	}
}

func TestAResultOutlivesItsDatabase(t *testing.T) {
	t.Parallel()
	var made []*table.Table
	for range 20 {
		one, err := query(t, `SELECT g AS n, 'a text that is long enough to be in a buffer ' || g AS word, [g] AS l FROM range(5000) r(g)`, nil)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, one)
		runtime.GC()
	}
	want := rowsOf(t, made[0])
	if !strings.HasSuffix(want, `{"n":4999,"word":"a text that is long enough to be in a buffer 4999","l":[4999]}`) {
		t.Fatalf("ends with %s", want[len(want)-90:])
	}
	for _, one := range made {
		if rowsOf(t, one) != want {
			t.Fatal("a result changed after its database was closed")
		}
	}
}

func TestAnUpstreamRowThatNoColumnHoldsIsNamed(t *testing.T) {
	t.Parallel()
	rows := []wide{{ID: 1}, {ID: 2, At: time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)}}
	_, err := queryOver(context.Background(), t, `SELECT * FROM wide`, nil, asset.List{wideAsset}, rows)
	if err == nil || !strings.Contains(err.Error(), `read wide: row 1, column "at": 1500-01-01T00:00:00Z is outside`) {
		t.Error(err)
	}
}
