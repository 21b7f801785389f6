package table

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// TypeWord is the name that people read for a column's type: int64, float64, text, bool, bytes,
// timestamp, date, list<text>, struct<sort_order int64, filename text>.
func TypeWord(t arrow.DataType) string {
	switch t := t.(type) {
	case *arrow.DictionaryType:
		return TypeWord(t.ValueType)
	case arrow.ListLikeType:
		return "list<" + TypeWord(t.Elem()) + ">"
	case *arrow.StructType:
		fields := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = f.Name + " " + TypeWord(f.Type)
		}
		return "struct<" + strings.Join(fields, ", ") + ">"
	}
	switch t.ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
		return "text"
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return "bytes"
	case arrow.BOOL:
		return "bool"
	case arrow.FLOAT32:
		return "float32"
	case arrow.FLOAT64:
		return "float64"
	case arrow.TIMESTAMP:
		return "timestamp"
	case arrow.DATE32, arrow.DATE64:
		return "date"
	}
	return t.Name()
}
