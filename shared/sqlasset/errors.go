//go:build duckdb && cgo

package sqlasset

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"waggle/shared/fault"
)

func (q *query) op() string { return "SQL of " + strconv.Quote(q.key) }

func (q *query) fail(format string, args ...any) error {
	return fault.Wrap(fault.Invalid, q.op(), fault.New(fault.Invalid, format, args...))
}

// report is an error of DuckDB's as errors_as_json writes it.
type report struct {
	Kind     string `json:"exception_type"`
	Message  string `json:"exception_message"`
	Position string `json:"position"` // the byte in the query
	Type     string `json:"type"`     // of what a catalog error did not find
	Name     string `json:"name"`
}

// failed says in our words what DuckDB says of the query.
func (q *query) failed(ctx context.Context, message string) error {
	return q.failedOn(ctx, "", message)
}

// failedOn is failed for a step other than the query itself, named in what.
func (q *query) failedOn(ctx context.Context, what, message string) error {
	if err := ctx.Err(); err != nil {
		return fault.Wrap(fault.Canceled, q.op(), err)
	}
	r := read(message)
	where := what
	if at, err := strconv.Atoi(r.Position); err == nil && what == "" {
		where = placeIn(q.text, at)
	}
	if where != "" {
		where += ": "
	}
	var err *fault.Error
	switch {
	case r.Kind == "Out of Memory":
		err = fault.New(fault.TooLarge, "%s%s", where, r.Message).WithHint("raise Options.MemoryLimit, or have the query hold less at once")
	case r.Kind == "Catalog" && r.Type == "Table" && r.Name != "":
		unknown := fault.Unknown("table", r.Name, q.tables)
		err = fault.New(fault.Invalid, "%s%w, which is no upstream asset", where, unknown.Err).WithHint("%s", unknown.Hint)
	case r.Kind == "Permission":
		err = fault.New(fault.Invalid, "%s%s", where, r.Message).WithHint("a query reads its upstream assets and nothing else; make an asset of the file")
	case r.Kind == "FATAL", r.Kind == "INTERNAL":
		err = fault.New(fault.Internal, "%s%s", where, r.Message)
	default:
		err = fault.New(fault.Invalid, "%s%s", where, r.Message)
	}
	return fault.Wrap(err.Code, q.op(), err)
}

// read takes an error of DuckDB's apart. One that is not as expected is all message.
func read(message string) report {
	r := report{Message: message}
	if i := strings.IndexByte(message, '{'); i >= 0 { // behind "Parser Error: "
		var parsed report
		if json.Unmarshal([]byte(message[i:]), &parsed) == nil && parsed.Message != "" {
			r = parsed
		}
	}
	text, _, _ := strings.Cut(r.Message, "\n\nLINE ") // the line again, with a caret
	r.Message = strings.Join(strings.Fields(text), " ")
	return r
}
