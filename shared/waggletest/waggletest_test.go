package waggletest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/metadata"
	"waggle/shared/run"
	"waggle/shared/waggle"
	"waggle/shared/waggletest"
)

type sale struct {
	ID    int64
	Price *int64
}

var (
	sales = asset.New("sales", func(*asset.Context) ([]sale, error) { return []sale{{ID: 2}, {ID: 1}}, nil }, nil)
	count = asset.New1("count", func(ctx *asset.Context, s []sale) (int, error) {
		ctx.AddMetadata(metadata.Map{"rows": len(s)})
		return len(s), nil
	}, sales, nil)
	sorter = asset.New1("sorter", func(_ *asset.Context, s []sale) (int, error) {
		slices.SortFunc(s, func(a, b sale) int { return int(a.ID - b.ID) })
		return len(s), nil
	}, sales, nil)
	some = check.New1("some", func(_ *asset.Context, s []sale) (check.Result, error) {
		return check.Result{Passed: len(s) > 0}, nil
	}, sales, check.Blocking)
)

func definitions(assets ...asset.Any) waggle.Definitions {
	return waggle.Definitions{Assets: assets, Checks: check.List{some}, Jobs: job.List{job.New("job", assets, nil)}}
}

func TestAJobRunsInMemoryAndItsValuesCanBeRead(t *testing.T) {
	t.Parallel()
	r := waggletest.RunJob(t, definitions(sales, count), "job", nil)
	if r.Status != run.Success || waggletest.Output(t, r, count) != 2 {
		t.Errorf("%s %s", r.Status, r.Error)
	}
}

func TestAGivenAssetIsNotMadeButCheckedAndRead(t *testing.T) {
	t.Parallel()
	given := waggletest.Given(sales, []sale{{ID: 1}, {ID: 2, Price: new(int64(5))}, {ID: 3}})
	r := waggletest.RunJob(t, definitions(sales, count), "job", &waggletest.Options{Given: []waggletest.Value{given}})
	if r.Status != run.Success || waggletest.Output(t, r, count) != 3 || len(r.Checks) != 1 {
		t.Errorf("%s %s, checks %v", r.Status, r.Error, r.Checks)
	}
	if r.Step("sales") != nil {
		t.Error("the given asset was made")
	}
}

func TestABlockingCheckOnAGivenAssetHoldsDownstreamBack(t *testing.T) {
	t.Parallel()
	given := waggletest.Given(sales, nil)
	r := waggletest.RunJob(t, definitions(sales, count), "job", &waggletest.Options{Given: []waggletest.Value{given}})
	if r.Status != run.Failure || len(r.Skipped()) != 1 {
		t.Errorf("%s %s, skipped %v", r.Status, r.Error, r.Skipped())
	}
}

func TestAStepThatChangesItsInputFailsByName(t *testing.T) {
	t.Parallel()
	r := waggletest.RunJob(t, definitions(sales, count, sorter), "job", nil)
	if r.Status != run.Failure || !strings.Contains(r.Error, "sorter: changed its input sales") {
		t.Errorf("%s %q", r.Status, r.Error)
	}
	if step := r.Step("count"); step == nil || step.Status != run.StepSucceeded {
		t.Error("the step that only reads did not succeed")
	}
}

func TestAContextRemembersWhatIsReported(t *testing.T) {
	t.Parallel()
	ctx, report := waggletest.Context(t, waggletest.Given(sales, []sale{{ID: 7}}))
	report.SetNow(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	stop := ctx.Time("nothing")
	loaded, err := asset.Load(ctx, sales)
	stop.Stop()
	ctx.AddMetadata(metadata.Map{"a": 1, "b": "x"}, metadata.Map{"a": 2})
	if err != nil || len(loaded) != 1 || loaded[0].ID != 7 {
		t.Errorf("loaded %v, %v", loaded, err)
	}
	if report.Metadata("a") != int64(2) || report.Metadata("b") != "x" || report.Metadata("c") != nil || report.Metadata("processing_time_ms") != 0.0 {
		t.Errorf("metadata %v", report.Labels())
	}
	if logs := report.Logs(); len(logs) != 1 || logs[0].Message != "Completed nothing in 0 ns" {
		t.Errorf("logs %v", logs)
	}
}
