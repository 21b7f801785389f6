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

// Replay judges the rows again and returns the numbers of those that the schema would hand on now, and how often its rules are still broken. A row that was a copy
// of another stays one for as long as the schema asks for unique values: the other is not in the quarantine.
func (s *Schema) Replay(q *Quarantine) (pass []int, still []Count, err error) {
	r, err := Validate(s, q.Rows)
	if err != nil {
		return nil, nil, err
	}
	copies := map[*rule]int{}
	for i, n := range q.Numbers {
		known := s.copied(q.Failures[i])
		for _, rule := range known {
			copies[rule]++
		}
		if len(known) == 0 && !s.invalidButForCopies(r, i) {
			pass = append(pass, n)
		}
	}
	for _, rule := range s.rules {
		if rule.unique != 0 {
			if n := copies[rule]; n > 0 {
				still = append(still, Count{Column: rule.column(), Check: rule.check, Severity: rule.severity, Count: n, Failures: []Failure{}})
			}
			continue
		}
		for _, c := range r.Counts {
			if c.Column == rule.column() && c.Check == rule.check {
				still = append(still, c)
			}
		}
	}
	return pass, still, nil
}

// copied lists the rules of uniqueness that failures name and that the schema still has.
func (s *Schema) copied(failures []Failure) []*rule {
	var list []*rule
	for _, f := range failures {
		for _, rule := range s.rules {
			if rule.unique != 0 && rule.column() == f.Column && rule.check == f.Check {
				list = append(list, rule)
			}
		}
	}
	return list
}

// invalidButForCopies reports whether a row breaks another rule than one of uniqueness.
func (s *Schema) invalidButForCopies(r *Result, row int) bool {
	if len(r.TableFailures()) > 0 {
		return r.IsInvalid(row)
	}
	for _, f := range r.OfRow(row) {
		if f.Severity == Error && len(s.copied([]Failure{f})) == 0 {
			return true
		}
	}
	return false
}
