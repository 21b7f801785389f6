package schema

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/table"
)

// The columns that a quarantine has after those of its rows.
const (
	quarantineRow    = "quarantine_row"    // of the row, counted from 0, before any was removed
	quarantineErrors = "quarantine_errors" // its failures, JSON: [{column, check, severity, failure_case, row}]
)

// Quarantine is rows that Filter removed, with their reasons.
type Quarantine struct {
	// Rows is the removed rows, with the columns that they came with.
	Rows *table.Table
	// Numbers are the rows' places before any was removed, counted from 0, in order.
	Numbers []int
	// Failures are those of each row, in the order of Result.Errors.
	Failures [][]Failure
}

// Errors lists all failures, by row.
func (q *Quarantine) Errors() []Failure { return slices.Concat(q.Failures...) }

// quarantined encodes rows that were removed with what is wrong with each.
func quarantined(bad any, r *Result) ([]byte, error) {
	t, err := table.Of(bad)
	if err != nil {
		return nil, err
	}
	rows, reasons := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	for row := range r.InvalidRows() {
		failures := slices.DeleteFunc(r.OfRow(row), func(f Failure) bool { return f.Severity != Error })
		text, err := json.Marshal(failures)
		if err != nil {
			return nil, err
		}
		rows.Append(int64(row))
		reasons.Append(string(text))
	}
	from := t.Arrow()
	fields, columns := from.Schema().Fields(), make([]arrow.Column, 0, from.NumCols()+2)
	for i := range int(from.NumCols()) {
		columns = append(columns, *from.Column(i))
	}
	for _, add := range []struct {
		name   string
		values arrow.Array
	}{{quarantineRow, rows.NewArray()}, {quarantineErrors, reasons.NewArray()}} {
		f := arrow.Field{Name: add.name, Type: add.values.DataType()}
		fields = append(fields[:len(fields):len(fields)], f)
		columns = append(columns, *arrow.NewColumn(f, arrow.NewChunked(f.Type, []arrow.Array{add.values})))
	}
	return table.Encode(table.FromArrow(array.NewTable(arrow.NewSchema(fields, nil), columns, from.NumRows())))
}

// ReadQuarantine decodes a quarantine as Filter stores it.
func ReadQuarantine(data []byte) (*Quarantine, error) {
	value, err := table.Decode(data, reflect.TypeFor[*table.Table]())
	if err != nil {
		return nil, err
	}
	from := value.(*table.Table).Arrow()
	n := int(from.NumCols()) - 2
	if n < 0 || from.Schema().Field(n).Name != quarantineRow || from.Schema().Field(n+1).Name != quarantineErrors {
		return nil, fault.New(fault.Corrupt, "the table is no quarantine: it lacks the columns %s and %s", quarantineRow, quarantineErrors)
	}
	q := &Quarantine{}
	for _, chunk := range from.Column(n).Data().Chunks() {
		for _, row := range chunk.(*array.Int64).Int64Values() {
			q.Numbers = append(q.Numbers, int(row))
		}
	}
	for _, chunk := range from.Column(n + 1).Data().Chunks() {
		texts := chunk.(*array.String)
		for i := range texts.Len() {
			failures, err := decodeFailures(texts.Value(i))
			if err != nil {
				return nil, err
			}
			q.Failures = append(q.Failures, failures)
		}
	}
	columns := make([]arrow.Column, n)
	for i := range columns {
		columns[i] = *from.Column(i)
	}
	q.Rows = table.FromArrow(array.NewTable(arrow.NewSchema(from.Schema().Fields()[:n], nil), columns, from.NumRows()))
	return q, nil
}

func decodeFailures(text string) ([]Failure, error) {
	var stored []struct {
		Column, Check string
		Severity      Severity
		FailureCase   json.RawMessage `json:"failure_case"`
		Row           *int
	}
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fault.Wrap(fault.Corrupt, "read the reasons of a quarantine", err)
	}
	failures := make([]Failure, len(stored))
	for i, s := range stored {
		failures[i] = Failure{Column: s.Column, Check: s.Check, Severity: s.Severity, FailureCase: decodeCase(s.FailureCase), Row: NoRow}
		if s.Row != nil {
			failures[i].Row = *s.Row
		}
	}
	return failures, nil
}

// decodeCase keeps integers as they are: as a float64 a large id would be another one.
func decodeCase(raw json.RawMessage) any {
	var n int64
	if json.Unmarshal(raw, &n) == nil && string(raw) != "null" {
		return n
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	return v
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
func Removed(ctx *asset.Context, a asset.Any) ([]*Quarantine, error) {
	m, found, err := made(ctx, a)
	if err != nil || !found {
		return nil, err
	}
	var list []*Quarantine
	for _, blob := range Quarantined(m.Metadata) {
		data, err := ctx.Kept(blob)
		if err != nil {
			return nil, err
		}
		q, err := ReadQuarantine(data)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

// made is the asset's materialization of this run, else the newest good one.
func made(ctx *asset.Context, a asset.Any) (run.Materialization, bool, error) {
	def := asset.DefinitionOf(a)
	if def == nil {
		return run.Materialization{}, false, fault.New(fault.Invalid, "Removed of a nil asset")
	}
	record, err := ctx.Run(ctx.RunID())
	if err != nil && !errors.Is(err, fault.NotFound) {
		return run.Materialization{}, false, err
	}
	for _, m := range slices.Backward(record.Materializations) {
		if m.Asset == def.Key {
			return m, true, nil
		}
	}
	return ctx.Latest(a)
}
