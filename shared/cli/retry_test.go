package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/waggle"
)

func TestARunIsRetriedFromFailureAndFromTheStart(t *testing.T) {
	t.Parallel()
	d := setup(t)
	mended := filepath.Join(filepath.Dir(d.home), "mended")
	d.app.Definitions = fragile(mended)
	d.must(1, "run", "fragile")
	first := d.newest()
	out, talk := d.must(1, "runs", "retry", "LAST")
	if !strings.Contains(out, "FAILED fragile: 0 of 2 assets, 1 failed, 1 blocked") || !strings.Contains(talk, " retries run "+first.Short()+": 2 of 3 steps\n") {
		t.Errorf("the first retry says\n%s%s", out, talk)
	}
	second := d.newest()
	if err := os.WriteFile(mended, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if out, talk := d.must(0, "runs", "retry", second.Short(), "--from-start"); !strings.Contains(out, "SUCCESS fragile: 2 assets") || !strings.Contains(talk, ": every step\n") {
		t.Errorf("the second retry says\n%s%s", out, talk)
	}
	third := d.newest()
	shown, _ := d.must(0, "runs", "show", second.Short())
	for _, want := range []string{"retry of    " + string(first) + "\n", "retried by  " + string(third) + "\n"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q in\n%s", want, shown)
		}
	}
	if shown, _ := d.must(0, "runs", "show", third.Short(), "--json"); !strings.Contains(shown, `"parent": "`+string(second)+`"`) || !strings.Contains(shown, `"root": "`+string(first)+`"`) {
		t.Errorf("the third run is\n%s", shown)
	}
	if shown, _ := d.must(0, "runs", "show", third.Short()); !strings.Contains(shown, "first try  "+string(first)+"\n") {
		t.Errorf("the third run is\n%s", shown)
	}
}

// fragile is a job whose second step fails until a file is there.
func fragile(mended string) waggle.Definitions {
	firm := asset.New("firm", func(*asset.Context) (int, error) { return 1, nil }, nil)
	weak := asset.New1("weak", func(_ *asset.Context, n int) (int, error) {
		_, err := os.Stat(mended)
		return n, err
	}, firm, nil)
	last := asset.New1("last", func(_ *asset.Context, n int) (int, error) { return n, nil }, weak, nil)
	list := asset.List{firm, weak, last}
	return waggle.Definitions{Assets: list, Jobs: job.List{job.New("fragile", list, nil)}}
}

// newest is the id of the newest run.
func (d *desk) newest() run.ID {
	d.t.Helper()
	st, err := d.app.Open(context.Background(), d.home)
	if err != nil {
		d.t.Fatal(err)
	}
	id, err := st.Find(context.Background(), "LAST")
	if err != nil {
		d.t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		d.t.Fatal(err)
	}
	return id
}

// dies makes a run one whose process died.
func (d *desk) dies(id run.ID) {
	d.t.Helper()
	st, err := d.app.Open(context.Background(), d.home)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := st.Acquire(context.Background(), id, "laptop:0"); err != nil {
		d.t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		d.t.Fatal(err)
	}
}

func TestARetryThatCannotBeSaysWhy(t *testing.T) {
	t.Parallel()
	d := setup(t)
	refused := func(want string, args ...string) {
		t.Helper()
		if _, talk := d.must(2, append([]string{"runs", "retry"}, args...)...); !strings.Contains(talk, want) {
			t.Errorf("no %q in %s", want, talk)
		}
	}
	refused("there is no run yet", "LAST")
	d.must(0, "run", "--select", "lonely,orders")
	refused(" of selection succeeded; there is nothing to retry (launch another with `waggle run --select 'orders, lonely'`)", "LAST")
	d.launch(1)
	refused(" of lonely has not ended (it goes on with `waggle monitor --once`)", "LAST")
	d.must(1, "run", "shop", "--config", "fail=error")
	failed := d.newest()
	refused("--from-start and --from-failure (give one of them)", "LAST", "--from-start", "--from-failure")
	d.must(1, "runs", "retry", failed.Short())
	refused("was retried already, by run "+d.newest().Short()+" (if that failed too: `waggle runs retry ", failed.Short())
	d.app.Definitions.Assets, d.app.Definitions.Checks, d.app.Definitions.Jobs, d.app.Definitions.Schedules = nil, nil, nil, nil
	refused(" of shop cannot be retried by this code: unknown job \"shop\"", "LAST")
}

func TestARetryOfWhatTheCodeNoLongerHasNamesIt(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.must(1, "run", "--select", "orders,totals", "--config", "fail=error")
	d.app.Definitions = waggle.Definitions{Assets: asset.List{orders}}
	if _, talk := d.must(2, "runs", "retry", "LAST"); !strings.Contains(talk, `cannot be retried by this code: unknown asset "totals"`) {
		t.Error(talk)
	}
}

func TestARunThatNobodyWorksOnIsCanceledAtOnce(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.launch(1)
	if out, talk := d.must(0, "runs", "cancel", "LAST"); !strings.HasSuffix(out, " of lonely is canceled\n") {
		t.Errorf("%s%s", out, talk)
	}
	if out, talk := d.must(0, "runs", "cancel", "LAST"); !strings.HasSuffix(out, " of lonely is canceled already\n") || talk != "" {
		t.Errorf("%s%s", out, talk)
	}
	d.launch(1)
	d.dies(d.newest())
	if out, _, _ := d.call("runs", "cancel", "LAST"); !strings.HasSuffix(out, " of lonely is canceled\n") {
		t.Errorf("of a run whose process died: %s", out)
	}
	d.must(0, "run", "--select", "lonely")
	if _, talk := d.must(2, "runs", "cancel", "LAST"); !strings.Contains(talk, "has ended with SUCCESS; there is nothing to cancel") {
		t.Error(talk)
	}
	if _, talk := d.must(2, "runs", "cancel", "01999999"); !strings.Contains(talk, `no run starts with "01999999"`) {
		t.Error(talk)
	}
}

func TestAQueuedRunSaysWhichLimitIsFullAndWhoHasItsSlots(t *testing.T) {
	t.Parallel()
	d := setup(t)
	one := asset.New("one", func(*asset.Context) (int, error) { return 1, nil }, nil)
	d.app.Definitions = waggle.Definitions{Assets: asset.List{one}, Jobs: job.List{job.New("single", asset.List{one}, &job.Options{MaxRuns: 1})}}
	req, _, err := d.app.Definitions.Request(run.Request{Job: "single"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	st, err := d.app.Open(ctx, d.home)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := st.Launch(ctx, req)
	if err == nil {
		err = st.Enqueue(ctx, holder, req)
	}
	if err == nil {
		_, err = st.Admit(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(time.Second)
	second, err := st.Launch(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := engine.New(st, d.app.Definitions, nil).Run(ctx, second, nil); err != nil || out.End != engine.Parked {
		t.Fatalf("%s %v", out.End, err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(-time.Minute) // the next command runs at the time of the launch
	why := "limit job:single is full: 1 of 1 slots taken by " + holder.Short() + "\n"
	if out, talk := d.must(0, "runs"); !strings.Contains(out, why) || !strings.Contains(out, "○ QUEUED") || talk != "" {
		t.Errorf("the list is\n%s%s", out, talk)
	}
	if out, _ := d.must(0, "runs", "show", second.Short()); !strings.Contains(out, why) {
		t.Errorf("it is shown as\n%s", out)
	}
	if out, _ := d.must(0, "runs", "cancel", second.Short()); !strings.Contains(out, "is canceled\n") {
		t.Error(out)
	}
}
