package cli_test

import (
	"strings"
	"testing"
)

// record leaves a history to look at: runs that succeeded, failed and had a check fail.
func record(t *testing.T) *desk {
	t.Helper()
	d := setup(t)
	d.must(0, "run", "--select", "orders,totals,totals:check_totals,invoice")
	d.must(0, "run", "--select", "orders,totals,totals:check_totals,invoice", "--config", "orders=1500", "--tag", "why=test")
	d.must(0, "run", "shop", "--config", "orders=900")
	d.must(1, "run", "shop", "--config", "fail=error")
	return d
}

func TestARunTellsWhatItDid(t *testing.T) {
	t.Parallel()
	d := setup(t)
	var b strings.Builder
	for _, command := range []string{
		"run --select orders,totals,invoice",
		"run --select orders,totals --config fail=error",
		"run --select orders,totals,invoice --config fail=check",
		"run --select orders:check_buyers",
		"run shop --config orders=7",
	} {
		b.WriteString(sortSteps(d.transcript(command)))
	}
	golden(t, "run", b.String())
}

func TestTheLastFiftyRecordsOfAFailedStepAreShown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	out, _ := d.must(1, "run", "--select", "orders,totals", "--config", "fail=lines", "--config", "orders=80")
	if n := strings.Count(out, "  adding  order="); n != 48 || !strings.Contains(out, "order=79") {
		t.Errorf("%d of the last records\n%s", n, out)
	}
}

func TestAPanicShowsItsStack(t *testing.T) {
	t.Parallel()
	d := setup(t)
	out, _ := d.must(1, "run", "--select", "orders,totals", "--config", "fail=panic")
	for _, want := range []string{"totals: panic: an order without a buyer\n", "definitions_test.go:", "FAILED selection: 1 of 2 assets, 1 failed"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestARunIsOneObjectInJSON(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "run_json", d.transcript("run --select orders,totals,invoice --json", "run --select orders,totals --config fail=error --json"))
}

func TestARunIsItsEventsAndThenItsSummaryInLines(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "run_jsonl", d.transcript("run --select orders -o jsonl"))
}

func TestRunsAreListed(t *testing.T) {
	t.Parallel()
	d := record(t)
	golden(t, "runs", d.transcript("runs", "runs --job shop", "runs --status failed", "runs --status running", "runs --last 6m", "runs --limit 3", "runs --json", "runs --job shop -o jsonl"))
}

func TestPagesOfRunsFollowEachOther(t *testing.T) {
	t.Parallel()
	d := record(t)
	_, talk := d.must(0, "runs", "--limit", "3", "--last", "7d")
	command, ok := strings.CutPrefix(strings.TrimSpace(talk), "more: waggle ")
	if !ok {
		t.Fatalf("stderr is %q", talk)
	}
	out, talk := d.must(0, strings.Fields(command)...)
	if n := strings.Count(out, "\n"); n != 2 || talk != "" {
		t.Errorf("the second page is\n%s%s", out, talk)
	}
}

func TestARunIsShown(t *testing.T) {
	t.Parallel()
	d := record(t)
	golden(t, "runs_show", d.transcript("runs show LAST", "runs show last --json"))
}

func TestALogIsShown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must(0, "run", "--select", "orders")
	d.must(1, "run", "--select", "totals", "--config", "fail=error") // one step after the other: the order is known
	golden(t, "runs_logs", d.transcript("runs logs LAST", "runs logs LAST --level warning", "runs logs LAST --step totals:check_totals", "runs logs LAST -f --step totals -o jsonl",
		"runs logs LAST --level critical", "runs logs LAST --level critical --json", "runs logs LAST --step totls"))
}

func TestAssetsAreListedAndShown(t *testing.T) {
	t.Parallel()
	d := record(t)
	golden(t, "assets", d.transcript("assets", "assets show orders", "assets show invoice", "assets show lonely", "assets show totals --json", "assets show ordrs"))
}

func TestChecksAreListedAndShown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=check")
	golden(t, "checks", d.transcript("checks", "checks --json", "checks show check_buyers", "checks show totals:check_totals --json", "checks show totals:check_total"))
}

func TestJobsAreListedAndShown(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must(1, "run", "shop", "--config", "fail=error")
	golden(t, "jobs", d.transcript("jobs", "jobs --json", "jobs show shop", "jobs show shop --json", "jobs show shp"))
}

func TestNothingYetIsASentenceAndEmptyJSON(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "empty", d.transcript("runs", "runs --json", "runs -o jsonl", "runs --status failed", "runs show LAST", "runs logs LAST", "checks show check_totals", "monitor --once", "monitor --once --json", "version"))
	d.app.Definitions.Assets, d.app.Definitions.Checks, d.app.Definitions.Jobs, d.app.Definitions.Schedules = nil, nil, nil, nil
	golden(t, "empty_definitions", d.transcript("assets", "assets --json", "checks", "checks --json", "jobs", "jobs -o jsonl", "jobs --json", "definitions", "run shop", "run"))
}

func TestDefinitionsAreOneManifest(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.app.Definitions.Assets = d.app.Definitions.Assets[:9]
	d.app.Definitions.Jobs = d.app.Definitions.Jobs[:2]
	golden(t, "definitions", d.transcript("definitions", "definitions -o jsonl"))
}

func TestWrongUsageSaysHowToGoOn(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "usage", d.transcript("run shopp", "run orders", "run", "run shop slow", "run --select ordrs", "run --select totals:check_total", "run shop --config orders",
		"run shop --config order=1", "run shop --config orders=many --config wait=5", "run shop --config orders=1 --config orders=2", "run shop --tag x", "run shop --jsn",
		"run shop -o xml", "run shop --json -o jsonl", "runz", "settle", "runs shwo", "runs show", "runs show a b", "runs show 01", "runs show zzzzz", "runs show 0199abcd", "runs --limit 0", "runs --limit many", "runs --env Prod", "runs --last soon",
		"runs --status done", "runs --job shopp", "runs --cursor x", "runs logs LAST --level loud", "runs cancel LAST", "assets --limit", "monitor", "version now"))
	out, _ := d.must(0, "runs", "--json")
	if !strings.Contains(out, `"runs": []`) {
		t.Errorf("wrong usage left a run:\n%s", out)
	}
}

func TestHelpIsShort(t *testing.T) {
	t.Parallel()
	d := setup(t)
	golden(t, "help", d.transcript("--help", "run --help", "runs --help", "runs show --help", "runs logs --help", "runs cancel --help", "assets --help", "assets show --help", "checks --help",
		"checks show --help", "jobs --help", "jobs show --help", "schedules --help", "schedules show --help", "runs retry --help", "dev --help", "gc --help", "definitions --help", "monitor --help", "version --help", "sensors test --help",
		"alerts --help", "alerts explain --help"))
}
