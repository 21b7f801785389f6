//go:build !duckdb

package gallery

import "waggle/shared/waggle"

// inSQL is empty: the job gallery_sql is built with -tags duckdb.
var inSQL waggle.Definitions
