package cli_test

import (
	"strings"
	"testing"
)

func TestHintsNameTheProgramAsItWasCalled(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.app.Program = "bin/waggle"
	for want, args := range map[string][]string{
		"`bin/waggle run JOB`":           {"runs", "show", "LAST"},
		"`bin/waggle runs --help`":       {"runs", "-x"},
		"`bin/waggle --help` lists them": {"settle"},
		"`bin/waggle runs` lists them":   {"runs", "show", "0199abcd"},
	} {
		if _, talk := d.must(2, args...); !strings.Contains(talk, want) {
			t.Errorf("waggle %s lacks %q\n%s", strings.Join(args, " "), want, talk)
		}
	}
}
