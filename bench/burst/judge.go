package main

import (
	"regexp"
	"slices"
	"strings"

	"waggle/shared/run"
)

// name is how a message names a run: by its id, or the first characters of it.
var name = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]*`)

// told counts the runs that bodies name, and those that more than one names. A name that two runs share names none.
func told(ids []run.ID, bodies []string) (reported, twice int) {
	times := make([]int, len(ids))
	for _, body := range bodies {
		named := map[int]bool{}
		for _, text := range name.FindAllString(body, -1) {
			i, _ := slices.BinarySearch(ids, run.ID(text))
			fits := func(i int) bool { return i < len(ids) && strings.HasPrefix(string(ids[i]), text) }
			if fits(i) && !fits(i+1) {
				named[i] = true
			}
		}
		for i := range named {
			times[i]++
		}
	}
	for _, n := range times {
		if n > 0 {
			reported++
		}
		if n > 1 {
			twice++
		}
	}
	return reported, twice
}
