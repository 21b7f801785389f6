package main

import "fmt"

// zipBudget is how many bytes a zip may have.
const zipBudget = 10 << 20

// overBudget is an error where the zip is larger than it may be.
func (f *function) overBudget() error {
	if f.zip > zipBudget {
		return fmt.Errorf("%s has a zip of %.2f MB, over the budget of %d", f.name, float64(f.zip)/(1<<20), zipBudget>>20)
	}
	return nil
}
