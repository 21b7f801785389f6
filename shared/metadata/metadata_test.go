package metadata_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/metadata"
)

type level int

func ExampleMap_Encode() {
	values, err := metadata.Map{"records": 1234, "took": 1500 * time.Millisecond, "file": metadata.Path("out/x.json"), "note": nil}.Encode()
	for _, label := range values.Labels() {
		fmt.Println(label, values[label].Type, values[label])
	}
	fmt.Println(err)
	// Output:
	// file path out/x.json
	// note null null
	// records int 1,234
	// took float 1,500
	// <nil>
}

func TestGoValuesBecomeTheTypeTheyAre(t *testing.T) {
	t.Parallel()
	var nilPointer *int
	at := time.Date(2026, 11, 22, 3, 0, 0, 5000, time.FixedZone("BST", 3600))
	for _, c := range []struct {
		value any
		kind  metadata.Type
		json  string
		text  string
	}{
		{7, metadata.TypeInt, "7", "7"},
		{int64(math.MinInt64), metadata.TypeInt, "-9223372036854775808", "-9,223,372,036,854,775,808"},
		{uint8(200), metadata.TypeInt, "200", "200"},
		{level(3), metadata.TypeInt, "3", "3"},
		{0.5, metadata.TypeFloat, "0.5", "0.5"},
		{float32(0.1), metadata.TypeFloat, "0.1", "0.1"},
		{12345.678, metadata.TypeFloat, "12345.678", "12,345.678"},
		{1e30, metadata.TypeFloat, "1e+30", "1e+30"},
		{true, metadata.TypeBool, "true", "true"},
		{"a\n b", metadata.TypeText, `"a\n b"`, "a b"},
		{errors.New("no"), metadata.TypeText, `"no"`, "no"},
		{nil, metadata.TypeNull, "null", "null"},
		{nilPointer, metadata.TypeNull, "null", "null"},
		{new(9), metadata.TypeInt, "9", "9"},
		{[]int{1, 2}, metadata.TypeJSON, "[1,2]", "[1,2]"},
		{map[string]int{"b": 1, "a": 2}, metadata.TypeJSON, `{"a":2,"b":1}`, `{"a":2,"b":1}`},
		{struct{ A int }{1}, metadata.TypeJSON, `{"A":1}`, `{"A":1}`},
		{time.Second, metadata.TypeFloat, "1000", "1,000"},
		{at, metadata.TypeTimestamp, `"2026-11-22T02:00:00.000005Z"`, "2026-11-22 02:00:00 UTC"},
		{metadata.Markdown("**x**"), metadata.TypeMarkdown, `"**x**"`, "**x**"},
		{metadata.URL("https://example.com"), metadata.TypeURL, `"https://example.com"`, "https://example.com"},
		{metadata.Table([]map[string]int{{"a": 1}}), metadata.TypeTable, `[{"a":1}]`, "table of 1 row"},
		{metadata.TableSchema([]metadata.Column{{Name: "id", Type: "int64"}, {Name: "t", Type: "text", Nullable: true}}), metadata.TypeTableSchema,
			`{"columns":[{"name":"id","type":"int64","nullable":false},{"name":"t","type":"text","nullable":true}]}`, "id int64, t text null"},
		{metadata.ColumnLineage(map[string][]metadata.ColumnRef{"a": {{Asset: "x", Column: "b"}}}), metadata.TypeColumnLineage,
			`{"a":[{"asset":"x","column":"b"}]}`, `{"a":[{"asset":"x","column":"b"}]}`},
		{metadata.Run("r"), metadata.TypeRun, `"r"`, "r"},
		{metadata.Asset("k"), metadata.TypeAsset, `"k"`, "k"},
		{metadata.Job("j"), metadata.TypeJob, `"j"`, "j"},
		{metadata.Image([]byte("\x89PNG\r\n\x1a\n"), "a dot"), metadata.TypeImage, `{"png":"iVBORw0KGgo=","alt":"a dot"}`, "PNG of 8 B: a dot"},
	} {
		values, err := metadata.Map{"x": c.value}.Encode()
		v := values["x"]
		if err != nil || v.Type != c.kind || string(v.Value) != c.json || v.String() != c.text {
			t.Errorf("%T %v: %s %s %q, %v; want %s %s %q", c.value, c.value, v.Type, v.Value, v, err, c.kind, c.json, c.text)
		}
		if !slices.Contains(metadata.Types(), v.Type) {
			t.Errorf("%s is not listed", v.Type)
		}
	}
}

func TestWhatHasNoEncodingIsNamedAndTheRestIsKept(t *testing.T) {
	t.Parallel()
	values, err := metadata.Map{"good": 1, "ratio": math.NaN(), "far": math.Inf(1), "f": func() {}, "big": uint64(math.MaxUint64), "table": metadata.Table(3), "jpg": metadata.Image([]byte("x"), "")}.Encode()
	if err == nil || len(values) != 1 {
		t.Fatalf("%v, %v", values, err)
	}
	for _, want := range []string{`metadata "ratio": NaN is not a number`, `metadata "far": +Inf is not`, `metadata "f": json: unsupported type`,
		`metadata "big": 18446744073709551615 is over the largest int`, `metadata "table": a table is a slice of rows, not a int`, `metadata "jpg": an image must be PNG`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}

func TestIntegersAndTextsReadBackAsTheyWere(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n, s := rapid.Int64().Draw(t, "n"), rapid.String().Draw(t, "s")
		values, err := metadata.Map{"n": n, "s": s}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		var back metadata.Values
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		if back["n"].Any() != n || back["s"].Any() != strings.ToValidUTF8(s, "\ufffd") {
			t.Fatalf("%v %v", back["n"].Any(), back["s"].Any())
		}
	})
}

func TestNumbersAreThoseThatAPlotCanShow(t *testing.T) {
	t.Parallel()
	for value, want := range map[any]bool{1: true, 1.5: true, "1": false, true: false} {
		if _, ok := metadata.Of(value).Number(); ok != want {
			t.Errorf("%v is a number: %v", value, ok)
		}
	}
	if v := (metadata.Value{Type: metadata.TypeJSON, Blob: "runs/x", Size: 5_000_000}); v.String() != "json of 5.0 MB in runs/x" || v.Any() != "runs/x" {
		t.Errorf("%s", v)
	}
}
