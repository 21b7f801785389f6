package main

import (
	"testing"

	"waggle/shared/run"
)

func TestARunIsToldOfWhereItsOwnNameStands(t *testing.T) {
	t.Parallel()
	ids := []run.ID{"01a214bf-2ee9-7000-8000-000000000001", "01a214bf-2ee9-7000-8000-000000000002", "01a214bf-2eea-7000-8000-000000000003", "01a214bf-2eeb-7000-8000-000000000004"}
	for _, c := range []struct {
		bodies          []string
		reported, twice int
	}{
		{nil, 0, 0},
		{[]string{"see 01a214bf-2eea now"}, 1, 0},
		{[]string{"see 01a214bf-2ee9"}, 0, 0},                                             // two have that name
		{[]string{"01a214bf-2ee9-7000-8000-000000000002 01a214bf-2eea"}, 2, 0},            // a whole id
		{[]string{"01a214bf-2eea 01a214bf-2eea", "01a214bf-2eea", "01a214bf-2eec"}, 1, 1}, // once a body; a stranger
	} {
		if reported, twice := told(ids, c.bodies); reported != c.reported || twice != c.twice {
			t.Errorf("%q: %d reported, %d twice", c.bodies, reported, twice)
		}
	}
}
