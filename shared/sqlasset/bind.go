//go:build duckdb && cgo

package sqlasset

import (
	"fmt"
	"reflect"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// bind gives each parameter of a prepared query its setting.
func (q *query) bind(statement duckdb.PreparedStatement, settings map[string]any) error {
	for i := range duckdb.NParams(statement) {
		name := duckdb.ParameterName(statement, i+1)
		setting, ok := settings[name]
		if !ok {
			return q.fail("$%s: %w", name, q.unknown(name))
		}
		v, err := value(setting)
		if err != nil {
			return q.fail("$%s: %w", name, err)
		}
		state := duckdb.BindValue(statement, i+1, v)
		duckdb.DestroyValue(&v)
		if state == duckdb.StateError {
			return q.fail("$%s: %s", name, duckdb.PrepareError(statement))
		}
	}
	return nil
}

// value turns a setting into a value of DuckDB's, to be destroyed.
func value(setting any) (duckdb.Value, error) {
	if d, ok := setting.(time.Duration); ok {
		return duckdb.CreateInterval(duckdb.NewInterval(0, 0, d.Microseconds())), nil
	}
	v := reflect.ValueOf(setting)
	switch {
	case v.Kind() == reflect.String:
		return duckdb.CreateVarcharLength(v.String(), duckdb.IdxT(v.Len())), nil
	case v.Kind() == reflect.Bool:
		return duckdb.CreateBool(v.Bool()), nil
	case v.CanInt():
		return duckdb.CreateInt64(v.Int()), nil
	case v.CanFloat():
		return duckdb.CreateDouble(v.Float()), nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		return texts(v), nil
	}
	return duckdb.Value{}, fmt.Errorf("a %T cannot be bound", setting)
}

func texts(v reflect.Value) duckdb.Value {
	varchar := duckdb.CreateLogicalType(duckdb.TypeVarchar)
	defer duckdb.DestroyLogicalType(&varchar)
	values := make([]duckdb.Value, v.Len())
	for i := range values {
		s := v.Index(i).String()
		values[i] = duckdb.CreateVarcharLength(s, duckdb.IdxT(len(s)))
		defer duckdb.DestroyValue(&values[i])
	}
	return duckdb.CreateListValue(varchar, values)
}
