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
	quarantineRow    = "quarantine_row"    // of the row, counted from 0, before any was removed
	quarantineErrors = "quarantine_errors" // what it breaks, JSON: [{columns, check, table}]; the values are in the row
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

// reason is a rule that a row breaks, as a quarantine stores it.
type reason struct {
	Columns []string `json:"columns"`
	Check   string   `json:"check"`
	Table   bool     `json:"table,omitempty"` // it is a rule of the table, whose failures show values by column
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
	kind := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	from := t.Arrow()
	fields, columns := from.Schema().Fields(), make([]arrow.Column, 0, from.NumCols()+2)
	for i := range int(from.NumCols()) {
		columns = append(columns, *from.Column(i))
	}
	for _, add := range []struct {
		name   string
		values arrow.Array
	}{{quarantineRow, rows.NewArray()}, {quarantineErrors, array.NewDictionaryArray(kind, places.NewArray(), texts.NewArray())}} {
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
			list = append(list, reason{append([]string{}, rule.names...), rule.check, rule.ofTable})
		}
	}
	return list
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
	columns := make([]arrow.Column, n)
	values := make(map[string]*chunked, n)
	for i := range columns {
		columns[i] = *from.Column(i)
		values[columns[i].Name()] = chunkedOf(columns[i].Data())
	}
	q.Rows = table.FromArrow(array.NewTable(arrow.NewSchema(from.Schema().Fields()[:n], nil), columns, from.NumRows()))
	known := map[string][]reason{}
	for _, chunk := range from.Column(n + 1).Data().Chunks() {
		texts := chunk.(*array.String)
		for i := range texts.Len() {
			list, ok := known[texts.Value(i)]
			if !ok {
				if err := json.Unmarshal([]byte(texts.Value(i)), &list); err != nil {
					return nil, fault.Wrap(fault.Corrupt, "read the reasons of a quarantine", err)
				}
				known[strings.Clone(texts.Value(i))] = list
			}
			q.Failures = append(q.Failures, failuresOf(list, values, len(q.Failures), q.Numbers[len(q.Failures)]))
		}
	}
	return q, nil
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
	m, found, err := ctx.Materialization(a)
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
	for _, c := range r.Counts {
		if len(c.Failures) > 0 && c.Failures[0].Row == NoRow && c.Severity == Error && c.Column != "" {
			still = append(still, c) // a column that the schema has and the rows have not
		}
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
