//go:build duckdb && cgo

package sqlasset

import (
	"fmt"
	"reflect"
	"time"

	"github.com/duckdb/duckdb-go-bindings"
)

// bind gives each parameter of a prepared query its setting.
func (q *query) bind(statement duckdb_go_bindings.PreparedStatement, settings map[string]any) error {
	for i := range duckdb_go_bindings.NParams(statement) {
		name := duckdb_go_bindings.ParameterName(statement, i+1)
		setting, ok := settings[name]
		if !ok {
			return q.fail("$%s: %w", name, q.unknown(name))
		}
		v, err := value(setting)
		if err != nil {
			return q.fail("$%s: %w", name, err)
		}
		state := duckdb_go_bindings.BindValue(statement, i+1, v)
		duckdb_go_bindings.DestroyValue(&v)
		if state == duckdb_go_bindings.StateError {
			return q.fail("$%s: %s", name, duckdb_go_bindings.PrepareError(statement))
		}
	}
	return nil
}

// value turns a setting into a value of DuckDB's, to be destroyed.
func value(setting any) (duckdb_go_bindings.Value, error) {
	if d, ok := setting.(time.Duration); ok {
		return duckdb_go_bindings.CreateInterval(duckdb_go_bindings.NewInterval(0, 0, d.Microseconds())), nil
	}
	v := reflect.ValueOf(setting)
	switch {
	case v.Kind() == reflect.String:
		return duckdb_go_bindings.CreateVarcharLength(v.String(), duckdb_go_bindings.IdxT(v.Len())), nil
	case v.Kind() == reflect.Bool:
		return duckdb_go_bindings.CreateBool(v.Bool()), nil
	case v.CanInt():
		return duckdb_go_bindings.CreateInt64(v.Int()), nil
	case v.CanFloat():
		return duckdb_go_bindings.CreateDouble(v.Float()), nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
		return texts(v), nil
	}
	return duckdb_go_bindings.Value{}, fmt.Errorf("a %T cannot be bound", setting)
}

func texts(v reflect.Value) duckdb_go_bindings.Value {
	varchar := duckdb_go_bindings.CreateLogicalType(duckdb_go_bindings.TypeVarchar)
	defer duckdb_go_bindings.DestroyLogicalType(&varchar)
	values := make([]duckdb_go_bindings.Value, v.Len())
	for i := range values {
		s := v.Index(i).String()
		values[i] = duckdb_go_bindings.CreateVarcharLength(s, duckdb_go_bindings.IdxT(len(s)))
		defer duckdb_go_bindings.DestroyValue(&values[i])
	}
	return duckdb_go_bindings.CreateListValue(varchar, values)
}
