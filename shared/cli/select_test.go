package cli_test

import (
	"strings"
	"testing"
)

func TestASelectionChoosesWhatRunsAndWhatIsListed(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for _, c := range []struct {
		command []string
		want    string // the selection of the run, in JSON
	}{
		{[]string{"--select", "group:sums and not patient_totals", "--select", "orders"}, `"orders","totals"`},
		{[]string{"--select", "+totals"}, `"orders","totals"`},
		{[]string{"shop", "--select", "kind:csv+1"}, `"orders","totals","patient_totals"`},
		{[]string{"--select", "orders:check_buyers"}, `"orders:check_buyers"`},
	} {
		d.must(0, append([]string{"run"}, c.command...)...)
		if out, _ := d.must(0, "runs", "--limit", "1", "-o", "jsonl"); !strings.Contains(out, `"selection":[`+c.want+`],`) {
			t.Errorf("%q: %s", c.command, out)
		}
	}
	if out, _ := d.must(0, "assets", "--select", "group:output,lonely"); strings.Count(out, "\n") != 4 || strings.Contains(out, "totals") {
		t.Errorf("the assets are\n%s", out)
	}
}

func TestAWrongSelectionOrPrioritySaysWhereAndWhat(t *testing.T) {
	t.Parallel()
	d := setup(t)
	for _, c := range []struct {
		command []string
		want    string
	}{
		{[]string{"run", "--select", "group:sums and not (ordrs)"}, `waggle: selection "group:sums and not (ordrs)" at 21: unknown asset "ordrs" (did you mean "orders"?)`},
		{[]string{"run", "--select", "group:sum"}, `waggle: selection "group:sum" at 1: unknown group "sum" (did you mean "sums"?)`},
		{[]string{"run", "--select", "orders totals"}, `waggle: selection "orders totals" at 8: "totals" does not belong here (join with and, or, or a comma)`},
		{[]string{"run", "shop", "--select", "lonely"}, `unknown asset "lonely"`},
		{[]string{"run", "--select", ""}, "waggle: the selection is empty (name assets, or * for all)"},
		{[]string{"assets", "--select", "orders and totals"}, `waggle: selection "orders and totals" chooses nothing`},
		{[]string{"assets", "--select", "orders:check_buyers"}, `waggle: selection "orders:check_buyers" chooses no asset (name assets, not only checks)`},
		{[]string{"run", "shop", "--priority", "high"}, `waggle: --priority "high" is not a whole number (give a whole number from -10000 to 10000; the higher is first)`},
		{[]string{"run", "shop", "--priority", "1.5"}, `waggle: --priority "1.5" is not a whole number`},
		{[]string{"run", "shop", "--priority", "10001"}, "waggle: --priority 10001 is out of range (give a whole number from -10000 to 10000; the higher is first)"},
	} {
		if _, talk := d.must(2, c.command...); !strings.Contains(talk, c.want) || strings.Count(talk, "\n") != 1 {
			t.Errorf("%q: %s", c.command, talk)
		}
	}
	if out, _ := d.must(0, "runs", "--json"); !strings.Contains(out, `"runs": []`) {
		t.Errorf("they left a run:\n%s", out)
	}
}
