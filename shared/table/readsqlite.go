package table

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"

	"waggle/shared/fault"
)

// ReadSQLite reads the rows of a table or view of a SQLite file, in the order in which SQLite keeps
// them. Columns that R has not are ignored; letter case is, as in SQLite. A value must have the type
// of its field (an integer does for a float, 0 and 1 for a bool, a text for a time); NULL needs a
// pointer, the empty text is a text.
//
// The file is opened for reading only, and nothing is made or changed beside it: what a write-ahead
// log or a journal holds is read by way of a copy in the temporary folder. A file that another
// process holds is waited for up to 2 s, then it is fault.Unavailable. A file that is embedded or in a
// bucket is read whole into memory.
//
// A program reads SQLite files where it links modernc.org/sqlite: the command line, tests by waggletest and the functions run and step do.
// In the functions sensor and monitor, so for sensors that are polled in the cloud, it is fault.Invalid.
func ReadSQLite[R any](ctx context.Context, from Folder, file, table string) ([]R, error) {
	p, err := planOf(reflect.TypeFor[R]())
	if err != nil {
		return nil, err
	}
	rows := []R{}
	err = from.read(ctx, file, func(r io.Reader) error {
		conn, done, err := openSQLite(ctx, r)
		if err != nil {
			return err
		}
		defer done()
		src, err := findTable(ctx, conn, table)
		if err != nil {
			return sqliteFault(ctx, err)
		}
		query, err := src.query(p)
		if err != nil {
			return err
		}
		return sqliteFault(ctx, p.readSQL(ctx, conn, src, query, func() reflect.Value {
			rows = append(rows, *new(R))
			return reflect.ValueOf(&rows[len(rows)-1]).Elem()
		}))
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// sqliteTable is a table of a SQLite file.
type sqliteTable struct {
	name    string
	columns []string
	rowid   string // the name under which a row's id is read; "" where rows have none
}

// findTable looks a table up by its name, whatever the letter case.
func findTable(ctx context.Context, conn *sql.Conn, name string) (*sqliteTable, error) {
	type entry struct {
		name, kind string
		noRowid    bool
	}
	list, err := conn.QueryContext(ctx, "SELECT name, type, wr FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name")
	if err != nil {
		return nil, err
	}
	defer list.Close()
	var names []string
	var found *entry
	for list.Next() {
		var e entry
		if err := list.Scan(&e.name, &e.kind, &e.noRowid); err != nil {
			return nil, err
		}
		names = append(names, e.name)
		if strings.EqualFold(e.name, name) {
			found = &e
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	if found == nil {
		missing := fault.New(fault.NotFound, "no table %q, the tables are %s", name, enumerate(names))
		if near := fault.Nearest(name, names); near != "" {
			return nil, missing.WithHint("is it %q?", near)
		}
		return nil, missing.WithHint("name one of them, or another file")
	}
	t := &sqliteTable{name: found.name}
	columns, err := conn.QueryContext(ctx, "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid", found.name)
	if err != nil {
		return nil, err
	}
	defer columns.Close()
	taken := map[string]bool{}
	for columns.Next() {
		var column string
		if err := columns.Scan(&column); err != nil {
			return nil, err
		}
		t.columns = append(t.columns, column)
		taken[strings.ToLower(column)] = true
	}
	if found.kind == "table" && !found.noRowid {
		for _, id := range []string{"rowid", "_rowid_", "oid"} {
			if !taken[id] {
				t.rowid = id
				break
			}
		}
	}
	return t, columns.Err()
}

// query selects the row's id and the columns of the plan. The plus before a column keeps the driver
// from turning values into what the column was declared as.
func (t *sqliteTable) query(p *plan) (string, error) {
	var q strings.Builder
	q.WriteString("SELECT ")
	if t.rowid == "" {
		q.WriteString("NULL")
	} else {
		q.WriteString(t.rowid)
	}
	for _, c := range p.columns {
		name := ""
		for _, column := range t.columns {
			if column == c.name || name == "" && strings.EqualFold(column, c.name) {
				name = column
			}
		}
		if name == "" {
			missing := missingColumn(c.name, t.columns)
			missing.Err = fmt.Errorf("table %q: %w", t.name, missing.Err)
			return "", missing
		}
		q.WriteString(", +" + quoteSQL(name))
	}
	q.WriteString(" FROM " + quoteSQL(t.name))
	return q.String(), nil
}

func quoteSQL(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func (p *plan) readSQL(ctx context.Context, conn *sql.Conn, t *sqliteTable, query string, add func() reflect.Value) error {
	result, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer result.Close()
	values := make([]any, len(p.columns)+1)
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	for row := 0; result.Next(); row++ {
		if err := result.Scan(into...); err != nil {
			return err
		}
		fields := add()
		for i := range p.columns {
			c := &p.columns[i]
			if err := c.setSQL(c.in(fields), values[i+1]); err != nil {
				where := fmt.Sprintf("row %d", row)
				if values[0] != nil {
					where = fmt.Sprintf("row id %v", values[0])
				}
				wrong := wrongValue(fmt.Sprintf("table %q, %s, column %q", t.name, where, c.name), err, t.columns)
				if wrong.Hint == "" {
					wrong.Hint = "correct the value, or change the type of the field " + c.field
				}
				return wrong
			}
		}
	}
	return result.Err()
}

// setSQL puts a value of SQLite's five types into a field.
func (c *cell) setSQL(v reflect.Value, value any) error {
	if value == nil {
		if !c.mayBeNull() {
			return bad("fill it in, or make the field a pointer", "null, and the field is no pointer")
		}
		return nil
	}
	target := v
	if c.pointer {
		target = reflect.New(c.goType).Elem()
	}
	if err := c.convertSQL(target, value); err != nil {
		return err
	}
	if c.pointer {
		v.Set(target.Addr())
	}
	return nil
}

func (c *cell) convertSQL(v reflect.Value, value any) error {
	switch value := value.(type) {
	case int64:
		switch {
		case c.shape == signed && !v.OverflowInt(value):
			v.SetInt(value)
			return nil
		case c.shape == unsigned && value >= 0 && !v.OverflowUint(uint64(value)):
			v.SetUint(uint64(value))
			return nil
		case c.shape == signed || c.shape == unsigned:
			return fmt.Errorf("%d is outside the range of %s", value, c.goType.Kind())
		case c.shape == float:
			v.SetFloat(float64(value))
			return nil
		case c.shape == boolean && (value == 0 || value == 1):
			v.SetBool(value == 1)
			return nil
		}
	case float64:
		if c.shape == float {
			v.SetFloat(value)
			return nil
		}
	case string:
		switch c.shape {
		case text:
			if !utf8.ValidString(value) {
				return fmt.Errorf("%s is not UTF-8", quoted(value))
			}
			v.SetString(value)
			return nil
		case moment:
			t, err := parseTime(value)
			if err == nil {
				v.Set(reflect.ValueOf(t))
			}
			return err
		case list, record:
			return c.parseJSONInto(v, []byte(value))
		}
	case []byte:
		if c.shape == rawBytes {
			v.SetBytes(append([]byte{}, value...))
			return nil
		}
	}
	return fmt.Errorf("%s is %s, not %s", shownSQL(value), wordSQL(value), TypeWord(c.arrow))
}

func shownSQL(value any) string {
	switch value := value.(type) {
	case string:
		return quoted(value)
	case []byte:
		return quoted(value)
	}
	return fmt.Sprint(value)
}

func wordSQL(value any) string {
	switch value.(type) {
	case int64:
		return "an integer"
	case float64:
		return "a real"
	case string:
		return "a text"
	}
	return "a blob"
}
