package main

import "testing"

func TestEachTestIsCountedOnceWithItsSubtests(t *testing.T) {
	t.Parallel()
	tally := "engine.test TestA\nengine.test TestA/x\nowner.test TestA\nengine.test TestB/y\n"
	if got, want := count(tally), "engine 2 tests, owner 1 tests"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := count(""); got != "" {
		t.Errorf("nothing counts as %q", got)
	}
}
