//go:build duckdb && !cgo

package sqlasset

// DuckDB is C++. The name of this constant is what the compiler prints.
const _ = the_tag_duckdb_needs_a_C_compiler_and_CGO_ENABLED_1
