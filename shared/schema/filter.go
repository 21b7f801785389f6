package schema

import (
	"fmt"
	"strings"

	"github.com/dustin/go-humanize"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
)

// Filter hands on the valid rows of a []Struct or a *table.Table, and reports the others: it logs the warning "Filtered 3 invalid rows (5 errors)", sets the
// metadata validation_warnings, and stores the removed rows with their reasons as the step's quarantine, a Parquet table whose place is in the
// metadata. Removed and `waggle quarantine show` read it. Where no row is removed there is no line and no label.
//
// Rows that break rules of severity Warn alone are handed on. They are logged, "Kept 2 rows with 3 warnings", and are the metadata kept_with_warnings.
//
// A column that is missing or of another type is an error, and so is a broken rule of the table: no row could be removed to mend that. Other errors are those
// of Split. Nothing is handed on beside an error. Several filters in one step add up.
//
// Name the schema in the asset's Options.Schemas: its mistakes are then found at start, and `waggle quarantine replay` finds it.
func Filter[T any](ctx *asset.Context, s *Schema, rows T) (T, error) {
	var none T
	if err := s.usable(); err != nil {
		return none, fault.New(fault.Invalid, "%w", err).WithHint("name the schema in the Options.Schemas of the asset, and every command finds this at start")
	}
	good, bad, r, err := Split(s, rows)
	if err != nil {
		return none, err
	}
	if err := r.unfilterable(); err != nil {
		return none, err
	}
	if r.InvalidRowCount > 0 {
		if err := setAside(ctx, bad, r); err != nil {
			return none, fmt.Errorf("keep the rows that schema %q refuses: %w", s.Name(), err)
		}
	}
	if k := r.keptWithWarnings(); k.WarningCount > 0 {
		ctx.Gather(KeptLabel, func(before any) any {
			was, _ := before.(kept)
			return was.plus(k)
		})
		what := "the table" // only a rule of the table is broken
		if k.KeptRows > 0 {
			what = counted(k.KeptRows, "row")
		}
		ctx.Log.Warn(fmt.Sprintf("Kept %s with %s", what, counted(k.WarningCount, "warning")), "schema", s.Name())
	}
	return good, nil
}

// setAside stores the removed rows and reports them.
func setAside(ctx *asset.Context, bad any, r *Result) error {
	data, err := quarantined(bad, r)
	if err != nil {
		return err
	}
	blob, err := ctx.Keep("quarantine.parquet", data)
	if err != nil {
		return err
	}
	ctx.Gather(WarningsLabel, func(before any) any {
		w, _ := before.(warnings)
		w = w.plus(r)
		ctx.AddMetadata(metadata.Map{quarantineLabel(w.filters): metadata.Path(blob)})
		return w
	})
	ctx.Log.Warn(fmt.Sprintf("Filtered %s (%s)", counted(r.InvalidRowCount, "invalid row"), counted(r.ErrorCount, "error")), "schema", r.Schema)
	return nil
}

// unfilterable is the error of failures that are no row's.
func (r *Result) unfilterable() error {
	var words []string
	for _, f := range r.TableFailures() {
		if f.Severity == Error {
			words = append(words, inWords(f))
		}
	}
	if len(words) == 0 {
		return nil
	}
	return fault.New(fault.Invalid, "schema %q cannot judge these rows: %s", r.Schema, strings.Join(words, "; ")).
		WithHint("no filter mends that; change what makes the rows, or the schema")
}

// quarantineLabel is the label of a step's nth quarantine.
func quarantineLabel(n int) string {
	if n == 1 {
		return QuarantineLabel
	}
	return fmt.Sprintf("%s_%d", QuarantineLabel, n)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return humanize.Comma(int64(n)) + " " + what + "s"
}

// inWords is a failure as a person reads it: `row 3: sale_price_usd is -5, which breaks greater_than(0)`.
func inWords(f Failure) string {
	if f.Row == NoRow {
		return ofTheTable(f)
	}
	value := "null"
	if f.FailureCase != nil {
		value = fmt.Sprint(JSONCase(f.FailureCase))
	}
	if f.Column == "" {
		return fmt.Sprintf("row %d breaks %s", f.Row, f.Check)
	}
	return fmt.Sprintf("row %d: %s is %s, which breaks %s", f.Row, f.Column, value, f.Check)
}

// ofTheTable is a failure of no row in words: `column "title" is missing`.
func ofTheTable(f Failure) string {
	kind, isType := strings.CutPrefix(f.Check, "type(")
	switch {
	case f.Check == "column_present":
		return fmt.Sprintf("column %q is missing", f.Column)
	case isType:
		return fmt.Sprintf("column %q is %v, not %s", f.Column, f.FailureCase, strings.TrimSuffix(kind, ")"))
	case f.Check == "column_in_schema":
		return fmt.Sprintf("column %q is not in the schema", f.Column)
	case f.Column == "" && f.FailureCase != nil:
		rows, _ := f.FailureCase.(int64)
		return fmt.Sprintf("the table has %s, which breaks %s", counted(int(rows), "row"), f.Check)
	}
	return strings.TrimSpace(f.Column + " breaks " + f.Check)
}
