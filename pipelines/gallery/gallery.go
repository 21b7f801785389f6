// Package gallery is the sample pipeline. A gallery gets its sales, artworks and artists as CSV files
// and its media as a SQLite database; the pipeline joins them, writes two JSON files and checks them.
//
// Read it in the order of the data: harvest.go, sales.go and artworks.go, outputs.go, checks.go;
// definitions.go lists all of it.
package gallery

//go:generate go run ./generate --out data
