package schema

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/table"
)

// The columns that a quarantine has after those of its rows.
const (
	quarantineSchema = "quarantine_schema" // the name of the schema that the rows do not fit, in each
	quarantineRow    = "quarantine_row"    // of the row, counted from 0, before any was removed
	quarantineErrors = "quarantine_errors" // what it breaks, JSON: [{columns, check, table, copies}]; the values are in the row
)

var quarantineColumns = []string{quarantineSchema, quarantineRow, quarantineErrors}

// Quarantine is rows that Filter removed, with their reasons.
type Quarantine struct {
	// Schema is the name of the schema that they did not fit.
	Schema string
	// Rows is the removed rows, with the columns that they came with.
	Rows *table.Table
	// Numbers are the rows' places before any was removed, counted from 0, in order.
	Numbers []int
	// Failures are those of each row, in the order of Result.Errors.
	Failures [][]Failure

	reasons [][]reason // of each row
}

// Errors lists all failures, by row.
func (q *Quarantine) Errors() []Failure { return slices.Concat(q.Failures...) }

// reason is a rule that a row breaks, as a quarantine stores it.
type reason struct {
	Columns []string `json:"columns"`
	Check   string   `json:"check"`
	Table   bool     `json:"table,omitempty"`  // it is a rule of the table, whose failures show values by column
	Copies  string   `json:"copies,omitempty"` // of a rule of uniqueness: which copies fail
}

// quarantined encodes rows that were removed with what is wrong with each. Rows break few combinations of rules, so these are a
// dictionary: where every row is bad, each costs four bytes and not a text.
func quarantined(bad any, r *Result) ([]byte, error) {
	t, err := table.Of(bad)
	if err != nil {
		return nil, err
	}
	rows, places, texts := array.NewInt64Builder(memory.DefaultAllocator), array.NewInt32Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	known := map[string]int32{}
	var broken []byte
	for row := range r.InvalidRows() {
		broken = broken[:0]
		for i, m := range r.failed {
			if r.binding.rules[i].severity == Error && m.has(row) {
				broken = append(strconv.AppendInt(broken, int64(i), 10), ' ')
			}
		}
		place, ok := known[string(broken)]
		if !ok {
			text, err := json.Marshal(r.reasons(row))
			if err != nil {
				return nil, err
			}
			place = int32(len(known))
			known[string(broken)] = place
			texts.Append(string(text))
		}
		rows.Append(int64(row))
		places.Append(place)
	}
	by := array.NewStringBuilder(memory.DefaultAllocator)
	by.Append(r.Schema)
	first := array.NewInt32Builder(memory.DefaultAllocator)
	first.AppendValues(make([]int32, places.Len()), nil)
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	from := t.Arrow()
	fields, columns := from.Schema().Fields(), make([]arrow.Column, 0, from.NumCols()+3)
	for i := range int(from.NumCols()) {
		columns = append(columns, *from.Column(i))
	}
	for _, add := range []struct {
		name   string
		values arrow.Array
	}{{quarantineSchema, array.NewDictionaryArray(kind, first.NewArray(), by.NewArray())}, {quarantineRow, rows.NewArray()}, {quarantineErrors, array.NewDictionaryArray(kind, places.NewArray(), texts.NewArray())}} {
		f := arrow.Field{Name: add.name, Type: add.values.DataType()}
		fields = append(fields[:len(fields):len(fields)], f)
		columns = append(columns, *arrow.NewColumn(f, arrow.NewChunked(f.Type, []arrow.Array{add.values})))
	}
	return table.Encode(table.FromArrow(array.NewTable(arrow.NewSchema(fields, nil), columns, from.NumRows())))
}

// reasons lists the rules of severity Error that a row breaks.
func (r *Result) reasons(row int) []reason {
	var list []reason
	for i, m := range r.failed {
		if rule := r.binding.rules[i]; rule.severity == Error && m.has(row) {
			broken := reason{Columns: append([]string{}, rule.names...), Check: rule.check, Table: rule.ofTable}
			if rule.unique != 0 {
				broken.Copies = rule.unique.String()
			}
			list = append(list, broken)
		}
	}
	return list
}

// ReadQuarantine decodes a quarantine as Filter stores it.
func ReadQuarantine(data []byte) (*Quarantine, error) {
	q, from, err := openQuarantine(data)
	if err != nil {
		return nil, err
	}
	n := int(from.NumCols()) - len(quarantineColumns)
	for _, chunk := range from.Column(n + 1).Data().Chunks() {
		for _, row := range chunk.(*array.Int64).Int64Values() {
			q.Numbers = append(q.Numbers, int(row))
		}
	}
	columns := make([]arrow.Column, n)
	values := make(map[string]*chunked, n)
	for i := range columns {
		columns[i] = *from.Column(i)
		values[columns[i].Name()] = chunkedOf(columns[i].Data())
	}
	q.Rows = table.FromArrow(array.NewTable(arrow.NewSchema(from.Schema().Fields()[:n], nil), columns, from.NumRows()))
	known := map[string][]reason{}
	for _, chunk := range from.Column(n + 2).Data().Chunks() {
		texts := chunk.(*array.String)
		for i := range texts.Len() {
			list, ok := known[texts.Value(i)]
			if !ok {
				if err := json.Unmarshal([]byte(texts.Value(i)), &list); err != nil {
					return nil, fault.Wrap(fault.Corrupt, "read the reasons of a quarantine", err)
				}
				known[strings.Clone(texts.Value(i))] = list
			}
			q.reasons = append(q.reasons, list)
			q.Failures = append(q.Failures, failuresOf(list, values, len(q.Failures), q.Numbers[len(q.Failures)]))
		}
	}
	return q, nil
}

// openQuarantine decodes a quarantine and reads by which schema its rows were removed.
func openQuarantine(data []byte) (*Quarantine, arrow.Table, error) {
	value, err := table.Decode(data, reflect.TypeFor[*table.Table]())
	if err != nil {
		return nil, nil, err
	}
	names, from := value.(*table.Table).Columns(), value.(*table.Table).Arrow()
	n := len(names) - len(quarantineColumns)
	if n < 0 || !slices.Equal(names[n:], quarantineColumns) {
		return nil, nil, fault.New(fault.Corrupt, "the table is no quarantine: its last columns are not %s", strings.Join(quarantineColumns, ", ")).WithHint("make the asset again")
	}
	q := &Quarantine{}
	for _, chunk := range from.Column(n).Data().Chunks() {
		if q.Schema == "" && chunk.Len() > 0 {
			q.Schema = strings.Clone(chunk.(*array.String).Value(0))
		}
	}
	return q, from, nil
}

// failuresOf is what row i breaks, with the values that it has.
func failuresOf(list []reason, values map[string]*chunked, i, number int) []Failure {
	value := func(name string) any {
		c := values[name]
		if c == nil {
			return nil
		}
		a, k := c.find(i)
		return failureCase(a, k)
	}
	failures := make([]Failure, len(list))
	for at, r := range list {
		f := Failure{Column: strings.Join(r.Columns, ", "), Check: r.Check, Severity: Error, Row: number}
		switch {
		case len(r.Columns) == 1 && !r.Table:
			f.FailureCase = value(r.Columns[0])
		case len(r.Columns) > 0:
			all := make(map[string]any, len(r.Columns))
			for _, name := range r.Columns {
				all[name] = value(name)
			}
			f.FailureCase = all
		}
		failures[at] = f
	}
	return failures
}

// Quarantined names the quarantines that an asset's metadata lists, in the order of its filters.
func Quarantined(values metadata.Values) []string {
	var blobs []string
	for n := 1; ; n++ {
		v, ok := values[quarantineLabel(n)]
		blob, isText := v.Any().(string)
		if !ok || !isText {
			return blobs
		}
		blobs = append(blobs, blob)
	}
}

// Removed returns what Filter removed when an asset was made, in the order of its filters: in this run, or, where this run does not make it, when it
// was last made. It is empty where nothing was removed. Validating the asset's value again would find nothing: the rows are gone from it.
//
// An asset that is neither an input nor in Deps is fault.Invalid: it may not be made yet, and an older run's rows would be taken for this one's.
func Removed(ctx *asset.Context, a asset.Any) ([]*Quarantine, error) {
	if asset.DefinitionOf(a) == nil {
		return nil, fault.New(fault.Invalid, "Removed of a nil asset")
	}
	var list []*Quarantine
	err := eachQuarantine(ctx, a, func(data []byte) error {
		q, err := ReadQuarantine(data)
		list = append(list, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// countRemoved counts the rows that filters by a schema of a name removed when the asset was made.
func countRemoved(ctx *asset.Context, a asset.Any, schema string) (n int, err error) {
	err = eachQuarantine(ctx, a, func(data []byte) error {
		q, rows, err := openQuarantine(data)
		if err == nil && q.Schema == schema {
			n += int(rows.NumRows())
		}
		return err
	})
	return n, err
}

// eachQuarantine reads the quarantines of the asset's materialization.
func eachQuarantine(ctx *asset.Context, a asset.Any, use func(data []byte) error) error {
	m, found, err := ctx.Materialization(a)
	if err != nil || !found {
		return err
	}
	for _, blob := range Quarantined(m.Metadata) {
		data, err := ctx.Kept(blob)
		if err != nil {
			return err
		}
		if err := use(data); err != nil {
			return err
		}
	}
	return nil
}

// First is the first n rows of the quarantine; all where it has no more.
func (q *Quarantine) First(n int) *Quarantine {
	n = max(0, min(n, len(q.Numbers)))
	from := q.Rows.Arrow()
	columns := make([]arrow.Column, from.NumCols())
	for i := range columns {
		columns[i] = *array.NewColumnSlice(from.Column(i), 0, int64(n))
	}
	return &Quarantine{Schema: q.Schema, Rows: table.FromArrow(array.NewTable(from.Schema(), columns, int64(n))), Numbers: q.Numbers[:n:n],
		Failures: q.Failures[:n:n], reasons: q.reasons[:n:n]}
}

// Values returns the removed rows by column, as JSON holds values.
func (q *Quarantine) Values() []map[string]any {
	t := q.Rows.Arrow()
	rows := make([]map[string]any, t.NumRows())
	for i := range rows {
		rows[i] = make(map[string]any, t.NumCols())
	}
	for c := range int(t.NumCols()) {
		name, at := t.Schema().Field(c).Name, 0
		for _, chunk := range t.Column(c).Data().Chunks() {
			for i := range chunk.Len() {
				v := chunk.GetOneForMarshal(i)
				if f, ok := v.(float64); ok {
					v = JSONCase(f)
				}
				rows[at][name] = v
				at++
			}
		}
	}
	return rows
}
