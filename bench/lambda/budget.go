package main

import (
	"debug/buildinfo"
	"fmt"
)

// Budgets of a zip, in bytes. SQLite has one of its own: a function links it for the sources that its assets read.
const (
	zipBudget    = 10 << 20
	sqliteBudget = 2 << 20
)

// overBudget is an error where the zip is larger than it may be.
func (f *function) overBudget() error {
	info, err := buildinfo.ReadFile(f.program)
	if err != nil {
		return fmt.Errorf("%s: which modules it links: %w", f.name, err)
	}
	var budget int64 = zipBudget
	for _, module := range info.Deps {
		if module.Path == "modernc.org/sqlite" {
			budget += sqliteBudget
		}
	}
	if f.zip > budget {
		return fmt.Errorf("%s has a zip of %.1f MB, over the budget of %d", f.name, float64(f.zip)/(1<<20), budget>>20)
	}
	return nil
}
