//go:build duckdb && cgo

package sqlasset

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"waggle/shared/fault"
	"waggle/shared/table"
)

// compute runs the query in a database of its own. The values are those of q.tables.
func (q *query) compute(ctx context.Context, values []any, settings map[string]any) (*table.Table, error) {
	d, err := open(q.memoryLimit, q.threads)
	if err != nil {
		return nil, err
	}
	defer d.close()
	statements, err := q.parse(d)
	if err != nil {
		return nil, err
	}
	defer duckdb.DestroyExtracted(&statements)
	for i, name := range q.tables {
		if err := q.load(ctx, d, name, values[i]); err != nil {
			return nil, err
		}
	}
	statement, err := q.prepare(d, statements)
	defer duckdb.DestroyPrepare(&statement)
	if err != nil {
		return nil, err
	}
	if err := q.bind(statement, settings); err != nil {
		return nil, err
	}
	var result duckdb.Result
	defer duckdb.DestroyResult(&result)
	var state duckdb.State
	d.interruptible(ctx, func() { state = duckdb.ExecutePrepared(statement, &result) })
	if state == duckdb.StateError {
		return nil, q.failed(ctx, duckdb.ResultError(&result))
	}
	return q.fetch(ctx, &result)
}

// parse splits the query into statements. There must be one.
func (q *query) parse(d *database) (statements duckdb.ExtractedStatements, err error) {
	switch n := duckdb.ExtractStatements(d.conn, q.text, &statements); n {
	case 1:
		return statements, nil
	case 0:
		err = q.fail("is empty")
		if message := duckdb.ExtractStatementsError(statements); message != "" {
			err = q.failed(context.Background(), message)
		}
	default:
		err = q.fail("has %d statements; an asset is one SELECT", n)
	}
	duckdb.DestroyExtracted(&statements)
	return statements, err
}

// loading is the view through which a table is copied. Keys have no space, so it is nobody's table.
const loading = "being loaded"

// load copies rows into a table of DuckDB's, column by column. A view over Arrow's memory would save the copy, but could be
// read once only, so no query could name it twice.
func (q *query) load(ctx context.Context, d *database, name string, rows any) error {
	batches, err := table.Batches(rows)
	if err != nil {
		return fault.Wrap(fault.CodeOf(err), "read "+name, err)
	}
	defer batches.Release()
	plain := &zoneless{RecordReader: batches, schema: withoutZones(batches.Schema())}
	defer plain.Release()
	release, err := register(d.conn, loading, plain)
	if err != nil {
		return q.fail("cannot read %q: %w", name, err)
	}
	defer release()
	err = d.exec(ctx, "CREATE TABLE "+identifier(name)+" AS FROM "+identifier(loading))
	if bad := batches.Err(); bad != nil {
		return fault.Wrap(fault.CodeOf(bad), "read "+name, bad)
	}
	if err == nil {
		err = d.exec(ctx, "DROP VIEW "+identifier(loading))
	}
	if err != nil {
		return q.failedOn(ctx, "cannot read "+name, err.Error())
	}
	return nil
}

// prepare binds the query to the tables: every table, column and type in it is known from here on.
func (q *query) prepare(d *database, statements duckdb.ExtractedStatements) (statement duckdb.PreparedStatement, err error) {
	if duckdb.PrepareExtractedStatement(d.conn, statements, 0, &statement) == duckdb.StateError {
		return statement, q.failed(context.Background(), duckdb.PrepareError(statement))
	}
	if kind := duckdb.PreparedStatementType(statement); kind != duckdb.StatementTypeSelect {
		return statement, q.fail("is no SELECT; an asset's value is what one SELECT returns")
	}
	var names []string
	for i := range duckdb.PreparedStatementColumnCount(statement) {
		name := duckdb.PreparedStatementColumnName(statement, i)
		if slices.Contains(names, name) {
			return statement, q.fail("returns two columns named %q; name one of them with AS", name)
		}
		names = append(names, name)
	}
	return statement, nil
}

// column is a column of a result.
type column struct {
	name    string
	logical duckdb.LogicalType
}

// fetch copies a result into Go's memory.
func (q *query) fetch(ctx context.Context, result *duckdb.Result) (*table.Table, error) {
	options := duckdb.ResultGetArrowOptions(result)
	defer duckdb.DestroyArrowOptions(&options)
	columns := make([]column, duckdb.ColumnCount(result))
	for i := range columns {
		at := duckdb.IdxT(i)
		columns[i] = column{duckdb.ColumnName(result, at), duckdb.ColumnLogicalType(result, at)}
		defer duckdb.DestroyLogicalType(&columns[i].logical)
	}
	schema, err := arrowSchema(options, columns)
	if err != nil {
		return nil, q.fail("returns columns that Arrow does not have: %w", err)
	}
	c, err := newCollector(schema)
	if err != nil {
		return nil, q.fail("%w", err)
	}
	defer c.release()
	for {
		if err := ctx.Err(); err != nil {
			return nil, fault.Wrap(fault.Canceled, q.op(), err)
		}
		chunk := duckdb.FetchChunk(*result)
		if chunk.Ptr == nil {
			break
		}
		batch, err := arrowBatch(options, schema, chunk)
		duckdb.DestroyDataChunk(&chunk)
		if err == nil {
			err = c.add(batch)
		}
		if err != nil {
			return nil, q.fail("%w", err)
		}
	}
	t, err := c.table()
	if err != nil {
		return nil, q.fail("%w", err)
	}
	return t, nil
}

// zoneless is a reader whose times in UTC have no zone, so that DuckDB keeps their nanoseconds: its times with a zone have
// microseconds.
type zoneless struct {
	array.RecordReader
	schema *arrow.Schema
	batch  arrow.RecordBatch
}

func (z *zoneless) Schema() *arrow.Schema { return z.schema }

func (z *zoneless) Next() bool {
	if !z.RecordReader.Next() {
		return false
	}
	from := z.RecordReader.RecordBatch()
	columns := make([]arrow.Array, from.NumCols())
	for i := range columns {
		columns[i] = array.MakeFromData(retyped(from.Column(i).Data(), z.schema.Field(i).Type))
	}
	z.batch = array.NewRecordBatch(z.schema, columns, from.NumRows())
	return true
}

func (z *zoneless) RecordBatch() arrow.RecordBatch { return z.batch }
func (z *zoneless) Record() arrow.RecordBatch      { return z.batch }

func withoutZones(s *arrow.Schema) *arrow.Schema {
	fields := slices.Clone(s.Fields())
	for i := range fields {
		fields[i].Type = withoutZone(fields[i].Type)
	}
	return arrow.NewSchema(fields, nil)
}

func withoutZone(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.TimestampType:
		return &arrow.TimestampType{Unit: t.Unit}
	case *arrow.ListType:
		elem := t.ElemField()
		elem.Type = withoutZone(elem.Type)
		return arrow.ListOfField(elem)
	case *arrow.StructType:
		fields := slices.Clone(t.Fields())
		for i := range fields {
			fields[i].Type = withoutZone(fields[i].Type)
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// retyped is the same memory under a type with the same layout.
func retyped(d arrow.ArrayData, t arrow.DataType) arrow.ArrayData {
	var inside []arrow.DataType
	switch t := t.(type) {
	case *arrow.ListType:
		inside = append(inside, t.Elem())
	case *arrow.StructType:
		for _, f := range t.Fields() {
			inside = append(inside, f.Type)
		}
	case *arrow.TimestampType:
	default:
		return d
	}
	children := slices.Clone(d.Children())
	for i, child := range inside {
		children[i] = retyped(children[i], child)
	}
	return array.NewData(t, d.Len(), d.Buffers(), children, d.NullN(), d.Offset())
}
