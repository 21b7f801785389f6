package cli_test

import (
	"testing"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/schema"
	"waggle/shared/waggle"
)

type parcel struct {
	ID     int64
	Weight *float64
	To     string
}

// parcelDefinitions is a job that sets rows aside by one schema, and checks by another of the same name.
func parcelDefinitions(judge, today *schema.Schema) waggle.Definitions {
	parcels := asset.New("parcels", func(ctx *asset.Context) ([]parcel, error) {
		return schema.Filter(ctx, judge, []parcel{{1, new(2.5), "Oslo"}, {2, nil, "Rome | Lazio"}, {3, new(-1.0), ""}, {1, new(4.0), "Bern"}})
	}, nil)
	whole := asset.New("whole", func(*asset.Context) ([]parcel, error) { return nil, nil }, nil)
	list := asset.List{parcels, whole}
	return waggle.Definitions{Assets: list, Checks: check.List{schema.Check(today, parcels, nil)}, Jobs: job.List{job.New("post", list, &job.Options{Parallelism: 1})}}
}

func TestWhatWasSetAsideIsShownAndJudgedAgain(t *testing.T) {
	t.Parallel()
	d := setup(t)
	strict := schema.New("Parcels", schema.Int64("id").Unique(schema.AllButFirst), schema.Float64("weight").GreaterThan(0), schema.Text("to").NotEmpty())
	mended := schema.New("Parcels", schema.Int64("id").Unique(schema.AllButFirst), schema.Float64("weight").Null().GreaterThan(0), schema.Text("to"))
	d.app.Definitions = parcelDefinitions(strict, mended)
	golden(t, "quarantine", d.transcript("quarantine show parcels", "run post", "quarantine show parcels", "quarantine show parcels -o jsonl", "quarantine show parcels --run LAST --json",
		"quarantine show whole", "quarantine show whole --json", "quarantine show parcel", "quarantine show parcels --run 0000",
		"quarantine replay parcels", "quarantine replay parcels --json", "quarantine replay whole", "quarantine replay", "quarantine shw", "run --select whole", "quarantine show parcels --run LAST"))
}
