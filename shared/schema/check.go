package schema

import (
	"fmt"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/metadata"
)

// Check declares the check that a schema holds for an asset, check_<asset>_schema. Its result has the metadata record_count and schema; if it failed also
// error (the first failure, in words), error_count, errors (each broken rule with ten examples, null where only the table is
// wrong) and invalid_row_count. Rules of severity Warn do not fail it; they are the metadata warnings.
//
// Mistakes in the schema are reported by Definitions.Validate, once, where the schema is declared.
func Check[T any](s *Schema, a *asset.Asset[T], opts *check.Options) *check.Check {
	return check.Define(checkName(a.Key(), "schema"), func(_ *asset.Context, in []any) (check.Result, error) {
		r, err := Validate(s, in[0])
		if err != nil {
			return check.Result{}, err
		}
		return r.CheckResult(), nil
	}, a.Definition(), []asset.Sourced{a}, s, opts)
}

// checkName is the name of a ready check: check_sales_transform_schema.
func checkName(key asset.Key, what string) string {
	return "check_" + strings.ReplaceAll(string(key), "/", "_") + "_" + what
}

// CheckResult is the result as that of a check, with the metadata that Check describes.
func (r *Result) CheckResult() check.Result {
	values := metadata.Map{"record_count": r.Rows, "schema": r.Schema}
	if w := brokenRules(r, Warn); len(w) > 0 {
		values["warnings"] = w
	}
	if r.Valid() {
		return check.Result{Passed: true, Description: "all " + counted(r.Rows, "row") + " as " + r.Schema + " says", Metadata: values}
	}
	first := ""
	for f := range r.Errors() {
		first = inWords(f)
		break
	}
	values["error"], values["error_count"], values["invalid_row_count"] = first, r.ErrorCount, r.InvalidRowCount
	values["errors"] = nil
	if list := brokenRules(r, Error); len(list) > 0 {
		values["errors"] = list
	}
	if err := r.unfilterable(); err != nil { // every row counts as invalid, which says nothing
		return check.Result{Description: first, Metadata: values}
	}
	return check.Result{Description: fmt.Sprintf("%s in %s: %s", counted(r.ErrorCount, "error"), counted(r.InvalidRowCount, "row"), first), Metadata: values}
}
