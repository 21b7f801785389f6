package schema

import (
	"fmt"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/metadata"
)

// Filter hands on the valid rows of a []Struct or a *table.Table, and reports the others: it logs the warning "Filtered 3 invalid rows (5 errors)", sets the
// metadata validation_warnings, and stores the removed rows with their reasons as the step's quarantine, a Parquet table whose place is in the
// metadata. Removed and `waggle quarantine show` read it. Where no row is removed there is no line and no label.
//
// A column that is missing or of another type is an error, and so is a broken rule of the table: no row could be removed to mend that. Other errors are those
// of Split. Several filters in one step add up.
func Filter[T any](ctx *asset.Context, s *Schema, rows T) (T, error) {
	good, bad, r, err := Split(s, rows)
	if err != nil {
		return good, err
	}
	for _, f := range r.TableFailures() {
		if f.Severity == Error {
			return good, fault.New(fault.Invalid, "schema %q cannot judge these rows: %s", s.Name(), inWords(f))
		}
	}
	if r.InvalidRowCount == 0 {
		return good, nil
	}
	data, err := quarantined(bad, r)
	if err != nil {
		return good, fmt.Errorf("keep the rows that schema %q refuses: %w", s.Name(), err)
	}
	blob, err := ctx.Keep("quarantine.parquet", data)
	if err != nil {
		return good, fmt.Errorf("keep the rows that schema %q refuses: %w", s.Name(), err)
	}
	ctx.Gather(WarningsLabel, func(before any) any {
		w, _ := before.(warnings)
		w = w.plus(r)
		ctx.AddMetadata(metadata.Map{quarantineLabel(w.filters): metadata.Path(blob)})
		return w
	})
	ctx.Log.Warn(fmt.Sprintf("Filtered %s (%s)", counted(r.InvalidRowCount, "invalid row"), counted(r.ErrorCount, "error")), "schema", s.Name())
	return good, nil
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
	return fmt.Sprintf("%d %ss", n, what)
}

// inWords is a failure as a person reads it: `row 3: sale_price_usd is -5, which breaks greater_than(0)`.
func inWords(f Failure) string {
	what := f.Check
	if f.Column != "" {
		what = fmt.Sprintf("%s breaks %s", f.Column, f.Check)
	}
	if f.Row == NoRow {
		if f.FailureCase != nil {
			return fmt.Sprintf("%s (%v)", what, JSONCase(f.FailureCase))
		}
		return what
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
