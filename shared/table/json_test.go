package table_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/table"
)

func ExampleWriteJSON() {
	type Picture struct{ Filename string }
	type Artwork struct {
		ArtworkID int64
		Title     *string
		Average   *float64
		Media     []Picture
	}
	folder := table.At("mem://example")
	path, err := table.WriteJSON(context.Background(), folder, "artworks.json", []Artwork{
		{1, new("Fish & Chips"), new(120000.0), []Picture{{"a.jpg"}}},
		{2, nil, nil, nil},
	})
	fmt.Println(path, err)
	back, err := table.ReadJSON[Artwork](context.Background(), folder, "artworks.json")
	fmt.Println(len(back), *back[0].Title, back[0].Media, err)
	// Output:
	// mem://example/artworks.json <nil>
	// 2 Fish & Chips [{a.jpg}] <nil>
}

// written returns what WriteJSON puts into a file.
func written(t *testing.T, rows any) string {
	t.Helper()
	path, err := table.WriteJSON(t.Context(), table.At(t.TempDir()), "out.json", rows)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestJSONIsAnObjectALine(t *testing.T) {
	t.Parallel()
	type picture struct {
		Name string
		Size *int
	}
	type row struct {
		ID    int64
		Text  string
		F     float64
		F32   float32
		Maybe *float64
		B     bool
		When  time.Time
		Raw   []byte
		Media []picture
		Tags  []string
		U     uint64
		One   picture
	}
	for name, test := range map[string]struct {
		rows any
		want string
	}{
		"no rows":  {[]row{}, "[]\n"},
		"nil rows": {[]row(nil), "[]\n"},
		"every type": {[]row{{-1, "a&b<c>\u2028\"\\\n\t\x00é😀", 120000, 0.1, new(-96.3), true, time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("", 3600)), []byte{1, 2},
			[]picture{{"x", new(3)}, {"y", nil}}, []string{"a", ""}, math.MaxUint64, picture{"z", nil}}, {}}, "[\n" +
			`{"id":-1,"text":"a&b<c>` + "\u2028" + `\"\\\n\t\u0000é😀","f":120000,"f32":0.1,"maybe":-96.3,"b":true,"when":"2024-02-29T00:02:03.000000004Z","raw":"AQI=","media":[{"name":"x","size":3},{"name":"y","size":null}],"tags":["a",""],"u":18446744073709551615,"one":{"name":"z","size":null}},` + "\n" +
			`{"id":0,"text":"","f":0,"f32":0,"maybe":null,"b":false,"when":null,"raw":null,"media":null,"tags":null,"u":0,"one":{"name":"","size":null}}` + "\n]\n"},
		"floats": {[]struct{ F float64 }{{999999999999999999999}, {1e20}, {1e21}, {1e-7}, {0.1}, {1.0 / 3}, {-0.5}, {123456789.25}}, "[\n" +
			`{"f":1e+21},` + "\n" + `{"f":100000000000000000000},` + "\n" + `{"f":1e+21},` + "\n" + `{"f":0.0000001},` + "\n" + `{"f":0.1},` + "\n" +
			`{"f":0.3333333333333333},` + "\n" + `{"f":-0.5},` + "\n" + `{"f":123456789.25}` + "\n]\n"},
		"empty lists": {[]struct {
			Media []picture
			Tags  []string
		}{{[]picture{}, []string{}}}, "[\n" + `{"media":[],"tags":[]}` + "\n]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := written(t, test.rows)
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if !json.Valid([]byte(got)) {
				t.Error("no JSON")
			}
		})
	}
}

func TestATableIsWrittenAsItsRowsAre(t *testing.T) {
	t.Parallel()
	rows := []sale{{1, nil, new("x")}, {2, new(int64(3)), nil}}
	tbl, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := written(t, rows), written(t, tbl); a != b {
		t.Errorf("rows %s, table %s", a, b)
	}
}

func TestWhatJSONWritesItReads(t *testing.T) {
	t.Parallel()
	folder := table.At("mem://" + t.Name())
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 5).Draw(t, "rows")
		for i := range rows {
			rows[i].finite()
			if rows[i].When.IsZero() { // written as null, which a time.Time does not take
				rows[i].When = time.Unix(1, 0).UTC()
			}
		}
		if _, err := table.WriteJSON(context.Background(), folder, "r.json", rows); err != nil {
			t.Fatal(err)
		}
		back, err := table.ReadJSON[row](context.Background(), folder, "r.json")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, rows) {
			t.Errorf("wrote %+v\nread  %+v", rows, back)
		}
	})
}

func TestJSONLinesAndArraysAreRead(t *testing.T) {
	t.Parallel()
	want := []sale{{1, new(int64(2)), nil}, {3, nil, new("x")}}
	for name, in := range map[string]string{
		"an array":        `[{"sale_id":1,"price":2},{"country":"x","other":{"a":[1]},"sale_id":3,"price":null}]`,
		"lines":           "{\"sale_id\":1,\"price\":2}\n{\"country\":\"x\",\"sale_id\":3}\n",
		"lines and marks": "\xef\xbb\xbf\r\n{\"sale_id\":1,\"price\":2}\r\n\r\n{\"country\":\"x\",\"sale_id\":3}",
		"spread out":      "[\n  {\n    \"sale_id\": 1,\n \"price\": 2\n  },\n {\"country\":\"x\",\"sale_id\":3}\n]\n",
	} {
		got, err := table.ReadJSON[sale](t.Context(), embedded("s.json", in), "s.json")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, in := range []string{"[]", "[ ]\n", "", "\n"} {
		if got, err := table.ReadJSON[sale](t.Context(), embedded("s.json", in), "s.json"); err != nil || got == nil || len(got) != 0 {
			t.Errorf("%q: got %v, %v", in, got, err)
		}
	}
}

func TestWhatIsWrongWithJSONIsNamed(t *testing.T) {
	t.Parallel()
	var all failures
	for _, in := range []string{
		`{"sale_id":1,"price":"2"}`, `{"sale_id":1,"price":2.0}`, `{"sale_id":1,"price":1e3}`, `{"sale_id":1,"price":true}`, `{"sale_id":1,"price":[]}`,
		`{"price":1}`, `{"sale_id":null}`, `{"sale_id":1,"country":5}`, "[\n{\"sale_id\":1},\n{\"sale_id\":1,\n\"price\":\"x\"}]", "[\n1]", `"x"`, "null",
		"[{\"sale_id\":1}", "[{\"sale_id\":1},\n]", "{\"sale_id\":1}\n{\"sale_id\":", "[{\"sale_id\":1}]\n[]", "{\"sale_id\":1}\n]", "{\"sale_id\":1,}", "\n\n{sale_id:1}", "{\"sale_id\":\"\xff\"}",
		`{"sale_id":9223372036854775808}`, "\n\n[{\"sale_id\":1},\n\n\n{\"sale_id\":1},\n\n{\"sale_id\":1,\n\n\"price\":x}]", "{\"sale_id\":1}\n\n\n{\"sale_id\":1}\n{\"sale_id\":\n1,\n\n}",
	} {
		_, err := table.ReadJSON[sale](t.Context(), embedded("s.json", in), "s.json")
		all.add(t, strings.ReplaceAll(in, "\n", " "), err)
	}
	golden(t, "json_errors.golden", all.String())
}

func TestWhatHasNoJSONIsNamedAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	type deep struct{ Parts []struct{ F *float64 } }
	dir := t.TempDir()
	folder := table.At(dir)
	var all failures
	for _, test := range []struct {
		name string
		rows any
	}{
		{"NaN", []struct{ F float64 }{{1}, {math.NaN()}}},
		{"Inf in a list", []deep{{}, {[]struct{ F *float64 }{{nil}, {new(math.Inf(-1))}}}}},
		{"no UTF-8", []struct{ S string }{{"M\xfcnchen"}}},
		{"no rows", map[string]int{}},
		{"a bad row", []struct{ C chan int }{}},
	} {
		_, err := table.WriteJSON(t.Context(), folder, "x.json", test.rows)
		all.add(t, test.name, err, dir)
	}
	_, err := table.WriteJSONValue(t.Context(), folder, "x.json", map[string]any{"a": math.NaN()})
	all.add(t, "a value with NaN", err, dir)
	_, err = table.WriteJSONValue(t.Context(), folder, "x.json", func() {})
	all.add(t, "a function", err, dir)
	_, err = table.WriteCSV(t.Context(), folder, "x.csv", []struct{ F float64 }{{math.NaN()}})
	all.add(t, "NaN in CSV", err, dir)
	golden(t, "write_errors.golden", all.String())
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

func ExampleWriteJSONValue() {
	dir, _ := os.MkdirTemp("", "example")
	defer os.RemoveAll(dir)
	path, err := table.WriteJSONValue(context.Background(), table.At(dir), "summary.json", map[string]any{"status": "clean & done", "errors": []int{}})
	data, _ := os.ReadFile(path)
	fmt.Print(string(data), err, "\n")
	// Output:
	// {
	//   "errors": [],
	//   "status": "clean & done"
	// }
	// <nil>
}

func TestANullWithoutAPointerInAListIsAnError(t *testing.T) {
	t.Parallel()
	_, err := table.ReadJSON[struct{ Tags []string }](t.Context(), embedded("s.json", `{"tags":["a",null]}`), "s.json")
	if fault.CodeOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}
