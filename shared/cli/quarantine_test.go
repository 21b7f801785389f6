package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
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
		"quarantine show parcels --limit 1", "quarantine show parcels --limit 1 -o jsonl", "quarantine show parcels --limit -1",
		"quarantine replay parcels", "quarantine replay parcels --json", "quarantine replay whole", "quarantine replay", "quarantine shw", "run --select whole", "quarantine show parcels --run LAST"))
}

func TestRowsThatAreGoneSayWhoseTheyWereAndWhatToDo(t *testing.T) {
	t.Parallel()
	d := setup(t)
	strict := schema.New("Parcels", schema.Int64("id"), schema.Float64("weight"), schema.Text("to"))
	d.app.Definitions = parcelDefinitions(strict, strict)
	d.must(0, "run", "post")
	if err := os.RemoveAll(filepath.Join(d.home, "blobs")); err != nil {
		t.Fatal(err)
	}
	_, talk := d.must(fault.ExitPlatform, "quarantine", "show", "parcels")
	for _, want := range []string{"what parcels set aside in run ", " cannot be read: there is no blob runs/", "(materialize it again with `waggle run --select parcels"} {
		if !strings.Contains(talk, want) {
			t.Errorf("no %q in %s", want, talk)
		}
	}
}

// letterDefinitions is a job that filters what it read and then what that handed on, by two schemas. What they are today is given.
func letterDefinitions(today ...asset.Schema) waggle.Definitions {
	type letter struct {
		LetterID int64
		Box      int64
		Town     string
	}
	known := schema.New("Known", schema.Int64("letter_id").AtLeast(1).Warn(), schema.Text("town").OneOf("Oslo", "Bern"))
	boxes := schema.New("Boxes", schema.Int64("box"), schema.Text("town"), schema.UniqueTogether(schema.AllButFirst, "box", "town"))
	letters := asset.New("letters", func(ctx *asset.Context) ([]letter, error) {
		rows := []letter{{0, 1, "Oslo"}, {1, 1, "Oslo"}}
		for i := range int64(30) {
			rows = append(rows, letter{2 + i, i, "Nowhere at all"})
		}
		rows, err := schema.Filter(ctx, known, rows)
		if err != nil {
			return nil, err
		}
		return schema.Filter(ctx, boxes, rows)
	}, &asset.Options{Schemas: today})
	// A check by another schema, which sets nothing aside.
	c := schema.Check(schema.New("Letters", schema.Int64("letter_id")), letters, nil)
	return waggle.Definitions{Assets: asset.List{letters}, Checks: check.List{c}, Jobs: job.List{job.New("post", asset.List{letters}, nil)}}
}

func TestEachFiltersRowsAreJudgedAgainByItsOwnSchema(t *testing.T) {
	t.Parallel()
	d := setup(t)
	known, boxes := schema.New("Known", schema.Text("town")), schema.New("Boxes", schema.Int64("box"), schema.Text("town"), schema.UniqueTogether(schema.AllButFirst, "box", "town"))
	d.app.Definitions = letterDefinitions(known)
	text := d.transcript("run post", "quarantine show letters --limit 2", "quarantine show letters", "quarantine replay letters")
	d.app.Definitions = letterDefinitions(known, boxes)
	text += d.transcript("quarantine replay letters", "quarantine replay letters -o jsonl")
	d.app.Definitions = letterDefinitions()
	golden(t, "quarantines", text+d.transcript("quarantine replay letters"))
	out := d.transcript("quarantine show letters --limit 0")
	if rows := strings.Count(out, "Nowhere"); rows != 30 {
		t.Errorf("%d of 30 rows are shown", rows)
	}
	if out = d.transcript("quarantine show letters -o jsonl"); strings.Count(out, `"schema":"Known"`) != 30 || strings.Count(out, `"schema":"Boxes"`) != 1 {
		t.Errorf("jsonl is not whole:\n%.2000s", out)
	}
}
