//go:build duckdb && cgo

package sqlasset

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// A chunk of DuckDB's has 2,048 rows and lies in DuckDB's memory. Chunks are joined and copied into batches of the size
// that tables have, which Arrow limits to 2 GiB of text a column.
const (
	batchRows  = 1 << 17
	batchBytes = 1 << 30
)

// collector gathers the chunks of a result into a table.
type collector struct {
	schema  *arrow.Schema // of the table
	waiting []arrow.RecordBatch
	rows    int64 // in waiting
	bytes   int64
	before  int64 // rows in done
	done    []arrow.RecordBatch
}

func newCollector(from *arrow.Schema) (*collector, error) {
	fields := make([]arrow.Field, from.NumFields())
	for i, f := range from.Fields() {
		t, err := tableType(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q is %w", f.Name, err)
		}
		fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: true}
	}
	return &collector{schema: arrow.NewSchema(fields, nil)}, nil
}

func (c *collector) add(batch arrow.RecordBatch) error {
	size := int64(0)
	for _, column := range batch.Columns() {
		size += int64(column.Data().SizeInBytes())
	}
	if c.rows > 0 && (c.rows+batch.NumRows() > batchRows || c.bytes+size > batchBytes) {
		if err := c.flush(); err != nil {
			batch.Release()
			return err
		}
	}
	c.waiting = append(c.waiting, batch)
	c.rows += batch.NumRows()
	c.bytes += size
	return nil
}

// flush copies what waits into Go's memory and gives DuckDB's back.
func (c *collector) flush() error {
	defer c.release()
	columns := make([]arrow.Array, c.schema.NumFields())
	for i, field := range c.schema.Fields() {
		pieces := make([]arrow.Array, len(c.waiting))
		for k, batch := range c.waiting {
			pieces[k] = batch.Column(i)
		}
		joined, err := array.Concatenate(pieces, memory.DefaultAllocator)
		if err != nil {
			return fmt.Errorf("column %q: %w", field.Name, err)
		}
		if columns[i], err = convert(joined, field.Type); err != nil {
			if row, ok := err.(*rowError); ok {
				return fmt.Errorf("column %q, row %d: %s", field.Name, c.before+int64(row.row), row.text)
			}
			return fmt.Errorf("column %q: %w", field.Name, err)
		}
	}
	c.done = append(c.done, array.NewRecordBatch(c.schema, columns, c.rows))
	c.before += c.rows
	return nil
}

func (c *collector) release() {
	for _, batch := range c.waiting {
		batch.Release()
	}
	c.waiting, c.rows, c.bytes = nil, 0, 0
}

func (c *collector) table() (*table.Table, error) {
	if c.rows > 0 {
		if err := c.flush(); err != nil {
			return nil, err
		}
	}
	return table.FromArrow(array.NewTableFromRecords(c.schema, c.done)), nil
}

// tableType is the type that a column of DuckDB's has in a table.
func tableType(t arrow.DataType) (arrow.DataType, error) {
	switch t := t.(type) {
	case *arrow.TimestampType:
		return &arrow.TimestampType{Unit: t.Unit, TimeZone: "UTC"}, nil
	case arrow.DecimalType:
		if t.GetScale() == 0 {
			return arrow.PrimitiveTypes.Int64, nil
		}
		return arrow.PrimitiveTypes.Float64, nil
	case *arrow.DictionaryType:
		return tableType(t.ValueType)
	case *arrow.ListType:
		elem, err := tableType(t.Elem())
		if err != nil {
			return nil, fmt.Errorf("a list of %w", err)
		}
		return arrow.ListOfField(arrow.Field{Name: "element", Type: elem, Nullable: true}), nil
	case *arrow.StructType:
		fields := slices.Clone(t.Fields())
		for i, f := range fields {
			inner, err := tableType(f.Type)
			if err != nil {
				return nil, fmt.Errorf("a struct whose field %q is %w", f.Name, err)
			}
			fields[i] = arrow.Field{Name: f.Name, Type: inner, Nullable: true}
		}
		return arrow.StructOf(fields...), nil
	}
	switch id := t.ID(); {
	case arrow.IsInteger(id), id == arrow.FLOAT32, id == arrow.FLOAT64, id == arrow.BOOL, id == arrow.STRING, id == arrow.BINARY, id == arrow.DATE32:
		return t, nil
	}
	word := t.Name()
	if t.ID() == arrow.INTERVAL_MONTH_DAY_NANO {
		word = "interval"
	}
	return nil, fault.New(fault.Invalid, "%s, which a table does not hold", word).WithHint("cast it in the query, for example to VARCHAR")
}

// rowError is a value that its table type does not hold; rows count from the batch's first.
type rowError struct {
	row  int
	text string
}

func (e *rowError) Error() string { return fmt.Sprintf("row %d: %s", e.row, e.text) }

// convert gives an array in Go's memory its table type. What has the same layout keeps its memory.
func convert(a arrow.Array, to arrow.DataType) (arrow.Array, error) {
	switch a := a.(type) {
	case *array.Dictionary:
		values, err := convert(a.Dictionary(), to)
		if err != nil {
			return nil, err
		}
		return chosen(a, values)
	case *array.List:
		elements, err := convert(a.ListValues(), to.(*arrow.ListType).Elem())
		if err != nil {
			return nil, elementError(a, err)
		}
		return array.NewListData(array.NewData(to, a.Len(), a.Data().Buffers(), []arrow.ArrayData{elements.Data()}, a.NullN(), a.Data().Offset())), nil
	case *array.Struct:
		fields := to.(*arrow.StructType).Fields()
		children := make([]arrow.ArrayData, len(fields))
		for i, f := range fields {
			child, err := convert(a.Field(i), f.Type)
			if err != nil {
				if row, ok := err.(*rowError); ok {
					return nil, &rowError{row.row, f.Name + ": " + row.text}
				}
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			children[i] = child.Data()
		}
		return array.NewStructData(array.NewData(to, a.Len(), a.Data().Buffers(), children, a.NullN(), a.Data().Offset())), nil
	case *array.Timestamp:
		return array.MakeFromData(retyped(a.Data(), to)), nil
	}
	if _, ok := a.DataType().(arrow.DecimalType); ok {
		return numbers(a, to)
	}
	return a, nil
}

// elementError finds the row of a list that an element belongs to.
func elementError(list *array.List, err error) error {
	bad, ok := err.(*rowError)
	if !ok {
		return err
	}
	for row := range list.Len() {
		if from, to := list.ValueOffsets(row); int64(bad.row) >= from && int64(bad.row) < to {
			return &rowError{row, fmt.Sprintf("element %d: %s", int64(bad.row)-from, bad.text)}
		}
	}
	return err
}

// chosen writes out a dictionary: an ENUM has few texts, so it is rare and its values are short.
func chosen(a *array.Dictionary, values arrow.Array) (arrow.Array, error) {
	texts, ok := values.(*array.String)
	if !ok {
		return nil, fmt.Errorf("an ENUM of %s is not supported", values.DataType())
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	b.Reserve(a.Len())
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		b.Append(texts.Value(a.GetValueIndex(i)))
	}
	return b.NewArray(), nil
}

// numbers turns decimals into int64, or the nearest float64.
func numbers(a arrow.Array, to arrow.DataType) (arrow.Array, error) {
	whole := to.ID() == arrow.INT64
	ints, floats := array.NewInt64Builder(memory.DefaultAllocator), array.NewFloat64Builder(memory.DefaultAllocator)
	var b array.Builder = floats
	if whole {
		b = ints
	}
	b.Reserve(a.Len())
	scale := a.DataType().(arrow.DecimalType).GetScale()
	for i := range a.Len() {
		if a.IsNull(i) {
			b.AppendNull()
			continue
		}
		n, fits := small(a, i)
		switch {
		case whole && !fits:
			return nil, &rowError{i, a.ValueStr(i) + " does not fit int64; cast it in the query, to DOUBLE or VARCHAR"}
		case whole:
			ints.Append(n)
		case fits && -1<<53 <= n && n <= 1<<53 && scale <= 22:
			floats.Append(float64(n) / math.Pow10(int(scale))) // both are exact, so the quotient is the nearest
		default:
			f, err := strconv.ParseFloat(a.ValueStr(i), 64)
			if err != nil {
				return nil, &rowError{i, err.Error()}
			}
			floats.Append(f)
		}
	}
	return b.NewArray(), nil
}

// small returns a decimal without its point, and whether int64 holds it.
func small(a arrow.Array, i int) (n int64, fits bool) {
	switch a := a.(type) {
	case *array.Decimal128:
		v := a.Value(i)
		n = int64(v.LowBits())
		return n, v.HighBits() == n>>63
	case *array.Decimal64:
		return int64(a.Value(i)), true
	case *array.Decimal32:
		return int64(a.Value(i)), true
	}
	return 0, false
}
