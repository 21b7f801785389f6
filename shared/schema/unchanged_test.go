package schema_test

import (
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/engine"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/schema"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/table"
	"waggle/shared/waggle"
)

// seen is what CheckUnchanged says of the next run.
type seen struct {
	defs              waggle.Definitions
	passed            bool
	says              string
	changes, expected string
}

func wantSeen(t *testing.T, all ...seen) {
	t.Helper()
	st := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = st.Close() })
	last := ""
	for i, c := range all {
		got := runOn(t, st, c.defs)
		wantCheck(t, got.Checks[0], c.passed, c.says, nil)
		values := got.Checks[0].Metadata
		if changes, expected := string(values["changes"].Value), string(values["expected_changes"].Value); changes != c.changes || expected != c.expected {
			t.Errorf("run %d: changes %s, want %s; expected %s, want %s", i+1, changes, c.changes, expected, c.expected)
		}
		if with, _ := values["compared_with"].Any().(string); with != last {
			t.Errorf("run %d is compared with %q, want %q", i+1, with, last)
		}
		if !c.passed && got.Checks[0].Blocking {
			continue
		}
		last = string(got.ID)
	}
}

// ofTable is an asset that is a table of no rows, with the columns of a struct.
func ofTable[R any](expected []string, opts *check.Options) waggle.Definitions {
	return unchanged(asset.New("a", func(*asset.Context) (*table.Table, error) { return table.FromRows([]R{}) }, nil), expected, opts)
}

// ofStructs is an asset that is a slice of structs.
func ofStructs[R any](expected []string, opts *check.Options) waggle.Definitions {
	return unchanged(asset.New("a", func(*asset.Context) ([]R, error) { return make([]R, 3), nil }, nil), expected, opts)
}

func unchanged[T any](a *asset.Asset[T], expected []string, opts *check.Options) waggle.Definitions {
	return waggle.Definitions{Assets: asset.List{a}, Checks: check.List{schema.CheckUnchanged(a, expected, opts)}, Jobs: job.List{job.New("job", asset.List{a}, nil)}}
}

type firstColumns struct {
	ID   int64
	Name string
}

type secondColumns struct {
	Extra bool
	ID    string
}

const asBefore, none = "its columns are those of the last time", "there is no earlier table"

const firstToSecond = `["column id was int64, now text","column name is gone","column extra is new"]`

func TestAChangeOfColumns(t *testing.T) {
	t.Parallel()
	for name, of := range map[string][2]func([]string, *check.Options) waggle.Definitions{
		"tables":            {ofTable[firstColumns], ofTable[secondColumns]},
		"structs":           {ofStructs[firstColumns], ofStructs[secondColumns]},
		"structs to tables": {ofStructs[firstColumns], ofTable[secondColumns]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first, second := of[0](nil, nil), of[1](nil, nil)
			wantSeen(t, seen{first, true, none, "", ""}, seen{first, true, asBefore, "", ""},
				seen{second, false, "column id was int64, now text, and 2 more changes", firstToSecond, ""}, seen{second, true, asBefore, "", ""})
		})
	}
}

func TestChangesThatAreExpectedPass(t *testing.T) {
	t.Parallel()
	first := ofStructs[firstColumns](nil, nil)
	wantSeen(t, seen{first, true, none, "", ""},
		seen{ofStructs[secondColumns]([]string{"id", "extra"}, nil), false, "column name is gone", `["column name is gone"]`, `["column id was int64, now text","column extra is new"]`})
	wantSeen(t, seen{first, true, none, "", ""}, seen{ofStructs[secondColumns]([]string{"name", "id", "extra"}, nil), true, "3 changes, as expected", "", firstToSecond})
}

func TestABlockingCheckComparesWithWhatItLastLetPass(t *testing.T) {
	t.Parallel()
	first, second := ofStructs[firstColumns](nil, check.Blocking), ofStructs[secondColumns](nil, check.Blocking)
	refused := seen{second, false, "column id was int64, now text, and 2 more changes", firstToSecond, ""}
	wantSeen(t, seen{first, true, none, "", ""}, refused, refused, seen{first, true, asBefore, "", ""})
}

func TestColumnsOfAValueThatIsNotStoredAsATableCannotBeCompared(t *testing.T) {
	t.Parallel()
	asJSON := asset.New("a", func(*asset.Context) ([]firstColumns, error) { return nil, nil }, &asset.Options{Codec: asset.JSON})
	err := unchanged(asJSON, nil, nil).Validate()
	if err == nil || !strings.Contains(err.Error(), "a is not stored as a table") || !strings.Contains(err.Error(), "unchanged_test.go:") {
		t.Error(err)
	}
	plain := asset.New("a", func(*asset.Context) ([]firstColumns, error) { return nil, nil }, &asset.Options{Codec: asset.JSON})
	before := waggle.Definitions{Assets: asset.List{plain}, Checks: check.List{schema.CheckMinRows(plain, 1, nil)}, Jobs: job.List{job.New("job", asset.List{plain}, nil)}}
	st := store.New(memorydriver.New(nil), store.NewBlobs(memblob.OpenBucket(nil)), nil)
	t.Cleanup(func() { _ = st.Close() })
	runOn(t, st, before)
	got := runOn(t, st, ofStructs[firstColumns](nil, nil)).Checks[0]
	wantCheck(t, got, true, none, map[string]string{"columns": `["id","name"]`, "compared_with": "null"})
}

func TestEachTypeOfAColumnIsComparedAsItIsStored(t *testing.T) {
	t.Parallel()
	type wide struct {
		Visit visit
		Many  []int32
		Maybe *float64
		Small uint8
		Bytes []byte
	}
	first := ofStructs[wide](nil, nil)
	wantSeen(t, seen{first, true, none, "", ""}, seen{first, true, asBefore, "", ""})
	wantSeen(t, seen{ofTable[visit](nil, nil), true, none, "", ""}, seen{ofStructs[visit](nil, nil), true, asBefore, "", ""}, seen{ofTable[visit](nil, nil), true, asBefore, "", ""})
}

func TestTheColumnsOfALargeValueAreRead(t *testing.T) {
	t.Parallel()
	many := func(rows int) waggle.Definitions {
		return unchanged(asset.New("a", func(*asset.Context) ([]firstColumns, error) {
			list := make([]firstColumns, rows)
			for i := range list {
				list[i].ID = int64(i) * 0x1e3779b97f4a7c15
			}
			return list, nil
		}, nil), nil, nil)
	}
	wantSeen(t, seen{many(3000), true, none, "", ""}, seen{many(1), true, asBefore, "", ""}, seen{ofTable[secondColumns](nil, nil), false, "column id was int64, now text, and 2 more changes", firstToSecond, ""})
}

// runOn runs the job over a store that other runs have written to.
func runOn(t *testing.T, st *store.Store, defs waggle.Definitions) run.Record {
	t.Helper()
	id, err := st.Launch(t.Context(), run.Request{Job: "job"})
	if err != nil {
		t.Fatal(err)
	}
	out, err := engine.New(st, defs, nil).Run(t.Context(), id, nil)
	if err != nil || len(out.Record.Checks) != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	return out.Record
}
