package table_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/table"
)

type sale struct {
	SaleID  int64
	Price   *int64
	Country *string
}

// embedded is a folder of one file.
func embedded(name, content string) table.Folder {
	return table.Embedded(fstest.MapFS{"data/" + name: {Data: []byte(content)}}, "data")
}

func ExampleReadCSV() {
	type Sale struct { // columns are the fields in snake case; a pointer may be null
		SaleID       int64
		SalePriceUSD *int64
	}
	data := fstest.MapFS{"data/sales.csv": {Data: []byte("sale_price_usd,sale_id\n1200,1\n,2\n")}}
	sales, err := table.ReadCSV[Sale](context.Background(), table.Embedded(data, "data"), "sales.csv")
	fmt.Println(len(sales), sales[0].SaleID, *sales[0].SalePriceUSD, sales[1].SalePriceUSD, err)

	data["data/sales.csv"].Data = []byte("sale_id,sale_price_usd\n1,\"1,200\"\n")
	_, err = table.ReadCSV[Sale](context.Background(), table.Embedded(data, "data"), "sales.csv")
	fmt.Println(err)
	// Output:
	// 2 1 1200 <nil> <nil>
	// read embedded:data/sales.csv: line 2, column "sale_price_usd": "1,200" is not an integer; the columns are sale_id, sale_price_usd (write an optional minus and digits only: no separators, decimals or exponent)
}

func TestCSVIsReadByTheRules(t *testing.T) {
	t.Parallel()
	one, country := int64(1), "a"
	for name, test := range map[string]struct {
		in   string
		want []sale
	}{
		"columns in any order":           {"country,sale_id,price\na,5,1\n", []sale{{5, &one, &country}}},
		"other columns":                  {"sale_id,x,price,y,country\n5,,1,!,a\n", []sale{{5, &one, &country}}},
		"columns without a name, twice":  {"sale_id,,price,,country\n5,,1,!,a\n", []sale{{5, &one, &country}}},
		"a byte order mark":              {"\xef\xbb\xbfsale_id,price,country\n5,1,a\n", []sale{{5, &one, &country}}},
		"a mark and a quoted header":     {"\xef\xbb\xbf\"sale_id\",price,country\n5,1,a\n", []sale{{5, &one, &country}}},
		"CRLF":                           {"sale_id,price,country\r\n5,1,a\r\n", []sale{{5, &one, &country}}},
		"no line end at the end":         {"sale_id,price,country\n5,1,a", []sale{{5, &one, &country}}},
		"half a CRLF at the end":         {"sale_id,price,country\n5,1,a\r", []sale{{5, &one, &country}}},
		"blank lines":                    {"\n\r\nsale_id,price,country\n\n\r\n5,1,a\n\n", []sale{{5, &one, &country}}},
		"blanks around an integer":       {"sale_id,price,country\n  5 ,\t1,a\n", []sale{{5, &one, &country}}},
		"an empty field is null":         {"sale_id,price,country\n-5,,\n", []sale{{-5, nil, nil}}},
		"a quoted empty field is null":   {"sale_id,price,country\n\"-5\",\"\",\"\"\n", []sale{{-5, nil, nil}}},
		"blanks of a text stay":          {"sale_id,price,country\n5,, a \n", []sale{{5, nil, new(" a ")}}},
		"a comma in quotes":              {"sale_id,price,country\n5,,\"a,b\"\n", []sale{{5, nil, new("a,b")}}},
		"doubled quotes":                 {"sale_id,price,country\n5,,\"\"\"a\"\"\"\n", []sale{{5, nil, new(`"a"`)}}},
		"a line break in quotes":         {"sale_id,price,country\n5,,\"a\n\nb\"\n", []sale{{5, nil, new("a\n\nb")}}},
		"a CRLF in quotes":               {"sale_id,price,country\r\n5,,\"a\r\nb\"\r\n", []sale{{5, nil, new("a\r\nb")}}},
		"no rows":                        {"sale_id,price,country\n", []sale{}},
		"no rows and no line end":        {"sale_id,price,country", []sale{}},
		"the smallest and the largest":   {"sale_id,price,country\n-9223372036854775808,9223372036854775807,\n", []sale{{-1 << 63, new(int64(1<<63 - 1)), nil}}},
		"a line longer than the buffer":  {"sale_id,price,country\n5,," + strings.Repeat("ä", 100_000) + "\n", []sale{{5, nil, new(strings.Repeat("ä", 100_000))}}},
		"a quoted one longer than it":    {"sale_id,price,country\n5,,\"" + strings.Repeat("ä\n", 100_000) + "\"\n", []sale{{5, nil, new(strings.Repeat("ä\n", 100_000))}}},
		"leading zeros, as in an export": {"sale_id,price,country\n005,-0,a\n", []sale{{5, new(int64(0)), &country}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := table.ReadCSV[sale](t.Context(), embedded("s.csv", test.in), "s.csv")
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestWhatIsWrongWithACSVIsNamed(t *testing.T) {
	t.Parallel()
	const header = "sale_id,price,country\n"
	var all failures
	for _, test := range []struct{ name, in string }{
		{"empty file", ""},
		{"only blank lines", "\n\n"},
		{"missing column, nothing near", "sale_id,x,country\n"},
		{"missing column, one near", "\nSale ID,price,country\n"},
		{"column twice", "sale_id,price,country,price\n"},
		{"header of the wrong encoding", "sale_id,pri\xe9,country\n"},
		{"decimals", header + "1972.0,,\n"},
		{"separators", header + "1,\"1,000\",\n"},
		{"exponent", header + "1,1e3,\n"},
		{"plus", header + "+1,,\n"},
		{"blank integer", header + "1,\"  \",\n"},
		{"out of range", header + "9223372036854775808,,\n"},
		{"null without a pointer", header + "1,,\n,,\n"},
		{"quoted null without a pointer", header + "\"\",,\n"},
		{"the line where the record starts", header + "1,,\"a\nb\n\"\n\n2,x,\"c\nd\"\n"},
		{"quote never closed", header + "1,,a\n2,,\"b\n3,,c\n"},
		{"quote opened on a later line", header + "1,\"2\n\",\"b\n3,,c\n"},
		{"quote opened by the last byte", header + "1,,\""},
		{"text behind a quote", header + "1,,\"a\"b\n"},
		{"quote inside a field", header + "1,,a\"b\"\n"},
		{"too few fields", header + "1,\n"},
		{"too many fields", header + "1,,,\n"},
		{"not UTF-8", header + "1,,a\n2,,M\xfcnchen\n"},
		{"UTF-16", "\xff\xfes\x00a\x00"},
		{"a long value is cut", header + "1," + strings.Repeat("9", 500) + "x,\n"},
	} {
		_, err := table.ReadCSV[sale](t.Context(), embedded("sales.csv", test.in), "sales.csv")
		all.add(t, test.name, err)
	}
	golden(t, "csv_errors.golden", all.String())
}

type every struct {
	F    float64
	F32  float32
	B    *bool
	U    uint8
	I    int8
	When *time.Time
	Raw  []byte
	Tags []string
	Sub  struct{ A *int64 }
}

func TestEveryTypeIsReadFromCSV(t *testing.T) {
	t.Parallel()
	const header = "f,f32,b,u,i,when,raw,tags,sub\n"
	got, err := table.ReadCSV[every](t.Context(), embedded("e.csv", header+
		`-1.5e3,0.1,TRUE,255,-128,2024-02-29,AQI=,"[""a"",""b""]","{""a"":3}"`+"\n"+
		`7,1,0,0,0,2024-02-29T12:00:00.5+02:00,,,"{}"`+"\n"), "e.csv")
	if err != nil {
		t.Fatal(err)
	}
	want := []every{
		{-1500, 0.1, new(true), 255, -128, new(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)), []byte{1, 2}, []string{"a", "b"}, struct{ A *int64 }{new(int64(3))}},
		{7, 1, new(false), 0, 0, new(time.Date(2024, 2, 29, 10, 0, 0, 5e8, time.UTC)), nil, nil, struct{ A *int64 }{}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	good := []string{"1", "1", "1", "1", "1", "2024-01-01", "", "", "{}"}
	var all failures
	for _, test := range []struct {
		column int
		value  string
	}{
		{0, "NaN"}, {0, "0x1p2"}, {0, "1_000"}, {0, "1e400"}, {0, "."}, {1, "1e39"}, {2, "yes"}, {3, "256"}, {3, "-1"}, {4, "200"},
		{5, "29.02.2024"}, {5, "2023-02-29"}, {6, "!"}, {7, "a;b"}, {7, "[1]"}, {7, "[null]"}, {8, "[]"}, {8, "{\"a\":\"x\"}"},
	} {
		record := append([]string(nil), good...)
		record[test.column] = test.value
		var line bytes.Buffer
		w := csv.NewWriter(&line)
		_ = w.Write(record)
		w.Flush()
		_, err := table.ReadCSV[every](t.Context(), embedded("e.csv", header+line.String()), "e.csv")
		all.add(t, test.value, err)
	}
	golden(t, "csv_value_errors.golden", all.String())
}

func TestWhatCSVWritesItReads(t *testing.T) {
	t.Parallel()
	folder := table.At("mem://" + t.Name())
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(drawRow), 0, 5).Draw(t, "rows")
		for i := range rows { // what CSV cannot tell apart, or cannot hold
			r := &rows[i]
			if r.Text == "" {
				r.Text = "x"
			}
			if r.MaybeText != nil && *r.MaybeText == "" {
				r.MaybeText = nil
			}
			if len(r.Bytes) == 0 {
				r.Bytes = nil
			}
			if r.When.IsZero() {
				r.When = time.Unix(1, 0).UTC()
			}
			r.finite()
		}
		if _, err := table.WriteCSV(context.Background(), folder, "r.csv", rows); err != nil {
			t.Fatal(err)
		}
		back, err := table.ReadCSV[row](context.Background(), folder, "r.csv")
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, rows) {
			t.Errorf("wrote %+v\nread  %+v", rows, back)
		}
	})
}

func TestAPipeIsReadAndNotWaitedForLongerThanTheContext(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "pipe.csv")
	makePipe(t, name)
	go func() { _ = os.WriteFile(name, []byte("sale_id,price,country\n5,,\n"), 0) }()
	got, err := table.ReadCSV[sale](t.Context(), table.At(dir), "pipe.csv")
	if err != nil || len(got) != 1 || got[0].SaleID != 5 {
		t.Errorf("got %v, %v", got, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := table.ReadCSV[sale](ctx, table.At(dir), "pipe.csv"); fault.CodeOf(err) != fault.Canceled {
		t.Errorf("a pipe without a writer: %v, want canceled", err)
	}
	unblockPipe(name)
}

// FuzzCSV compares with encoding/csv wherever the rules agree: no CR (inside quotes ours stays), no
// byte order mark, UTF-8, a header without an empty or double name.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "a\n\"x\"\"y\"\n", "a,b\r\n\"1\n2\",\r\n", "\xef\xbb\xbfa\n\n1", "a,b\n\"", "a\n\"x\"y\n", "a\nx\"y\n",
		"a,b\n1\n", "b,a\n\"\",\"\"\n", "a\n \n", "a,b,a\n", "\n\na,b\n,\n", "a\n\xff\n", "a\n\"x\n\ny\"\n\n\"z\"", "a,\"b\"\n\"1\",\"2\"\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		type row struct{ A, B *string }
		header := []byte("a,b\n")
		in := append(append([]byte{}, header...), data...)
		got, err := table.ReadCSV[row](t.Context(), embedded("f.csv", string(in)), "f.csv")
		if bytes.ContainsAny(data, "\r") || !bytes.Equal(bytes.ToValidUTF8(data, nil), data) {
			return // only that it does not panic
		}
		r := csv.NewReader(bytes.NewReader(in))
		r.FieldsPerRecord = 2
		records, wantErr := r.ReadAll()
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: %v, encoding/csv: %v", in, err, wantErr)
		}
		if err != nil {
			return
		}
		text := func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		}
		if len(got) != len(records)-1 {
			t.Fatalf("%q: %d rows, encoding/csv %d", in, len(got), len(records)-1)
		}
		for i, r := range got {
			if text(r.A) != records[i+1][0] || text(r.B) != records[i+1][1] {
				t.Errorf("%q: row %d is %q, %q, encoding/csv %q", in, i, text(r.A), text(r.B), records[i+1])
			}
		}
	})
}

func TestAReaderStopsWhenItsContextEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := table.ReadCSV[sale](ctx, embedded("s.csv", "sale_id,price,country\n"), "s.csv")
	if fault.CodeOf(err) != fault.Canceled {
		t.Errorf("got %v, want canceled", err)
	}
}
