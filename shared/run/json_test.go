package run_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"waggle/shared/run"
)

func TestAValueSurvivesJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		v := run.Value{Codec: rapid.SampledFrom([]string{"json", "parquet", "own"}).Draw(r, "codec"), Size: rapid.Int64().Draw(r, "size")}
		if rapid.Bool().Draw(r, "blob") {
			v.Blob = rapid.String().Draw(r, "name")
		} else if v.Codec == "json" {
			v.Inline, _ = json.Marshal(rapid.OneOf(rapid.String().AsAny(), rapid.Int64().AsAny(), rapid.Just(any(nil)), rapid.SliceOf(rapid.String()).AsAny()).Draw(r, "value"))
		} else {
			v.Inline = rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
		}
		data, err := json.Marshal(v)
		if err != nil {
			r.Fatal(err)
		}
		var got run.Value
		if err := json.Unmarshal(data, &got); err != nil {
			r.Fatal(err)
		}
		if diff := cmp.Diff(v, got, cmpopts.EquateEmpty()); diff != "" {
			r.Fatalf("%s: %s", data, diff)
		}
	})
}

func TestLargeIntegersOfAConfigSurviveJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Int64().Draw(r, "n")
		data, err := json.Marshal(run.Request{Config: run.Config{"n": n, "list": []any{n}}})
		if err != nil {
			r.Fatal(err)
		}
		var got run.Request
		if err := json.Unmarshal(data, &got); err != nil {
			r.Fatal(err)
		}
		if fmt.Sprint(got.Config["n"]) != fmt.Sprint(n) || fmt.Sprint(got.Config["list"]) != fmt.Sprint([]any{n}) {
			r.Fatalf("%d comes back as %v", n, got.Config)
		}
	})
}

func TestARequestIsNamedByItsJobOrItsOnlyStep(t *testing.T) {
	t.Parallel()
	for want, req := range map[string]run.Request{
		"gallery":   {Job: "gallery", Selection: []run.StepKey{"a"}},
		"a":         {Selection: []run.StepKey{"a"}},
		"selection": {Selection: []run.StepKey{"a", "b"}},
	} {
		if got := req.Name(); got != want {
			t.Errorf("%+v is named %q, want %q", req, got, want)
		}
	}
}

func TestTheDurationOfARunCountsFromItsStart(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		record run.Record
		now    time.Time
		want   time.Duration
	}{
		{run.Record{Launched: at}, at.Add(time.Hour), 0},
		{run.Record{Started: at}, at.Add(time.Minute), time.Minute},
		{run.Record{Started: at}, at.Add(-time.Minute), 0}, // the clock was set back
		{run.Record{Started: at, Ended: at.Add(time.Second)}, at.Add(time.Hour), time.Second},
	} {
		if got := c.record.Duration(c.now); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
