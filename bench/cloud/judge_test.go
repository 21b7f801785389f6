package main

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gocloud.dev/blob/memblob"

	"waggle/shared/cloud/cloudtest"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
)

func TestAFigureIsTheMedianRunAndTheKeysThatAllShare(t *testing.T) {
	t.Parallel()
	one := func(asset string, units float64) cost {
		return cost{writes: 10 + units, reads: 4, blobs: 2, keys: map[key]float64{{"", "RUN#id"}: 6, {"all", "RUN"}: 4, {"", asset}: units}}
	}
	got := figureOf("x", "e", []cost{one("a", 90), one("b", 10), one("c", 30)})
	want := figure{Case: "x", Emulator: "e", WriteUnits: 40, ReadUnits: 4, Bill: bill{DynamoDB: 0.0255, S3: 0.01, Sum: 0.0355}, Blobs: 2, LargestKey: "c", LargestPercent: 75,
		SharedKey: "RUN#id", SharedPercent: 11.25, Runs: 3, Invocations: map[string]int{}, Prices: "us-east-1 2026-11", Verified: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnAccountThatDoesNotAddUpIsAnError(t *testing.T) {
	t.Parallel()
	if err := (cost{writes: 3, keys: map[key]float64{{"", "a"}: 3}}).check(); err != nil {
		t.Error(err)
	}
	for _, c := range []cost{{writes: 3, keys: map[key]float64{{"", "a"}: 2}}, {}} {
		if c.check() == nil {
			t.Errorf("%+v passes", c)
		}
	}
}

func TestOverItsBudgetACaseSaysSo(t *testing.T) {
	t.Parallel()
	if err := chain().budget(cost{writes: 200}); err != nil {
		t.Error(err)
	}
	if err := sample(0.10).budget(cost{writes: 159, mails: 1000}); err != nil {
		t.Error(err)
	}
	if chain().budget(cost{writes: 201}) == nil || sample(0.10).budget(cost{writes: 161}) == nil || sample(0.10).budget(cost{blobs: 21}) == nil {
		t.Error("what is over its budget passes")
	}
	if err := (crowd{Runs: 2, Succeeded: 2, Invocations: 2}).check(); err != nil {
		t.Error(err)
	}
	if (crowd{Runs: 2, Succeeded: 1, Invocations: 2}).check() == nil || (crowd{Runs: 2, Succeeded: 2, Invocations: 3}).check() == nil {
		t.Error("runs that did not succeed at once pass")
	}
	if (idle{}).budget(0.5) != nil || (idle{}).budget(0.51) == nil {
		t.Error("a month that is too dear passes")
	}
}

func TestABillHasAllThatIsPaidByThePiece(t *testing.T) {
	t.Parallel()
	c := cost{writes: 160, reads: 80, blobs: 2, scheduled: 1, mails: 2, attached: 1e6, tally: cloudtest.Tally{Events: 3, Queued: 2,
		Invocations: map[string]cloudtest.Invocations{"run": {Count: 1, Time: time.Second}, "sensor": {Count: 4, Time: 2 * time.Second}}}}
	want := bill{DynamoDB: 0.11, S3: 0.01, EventBridge: 0.003, SQS: 0.0024, Lambda: 0.001, Scheduler: 0.001, Sum: 0.1274}
	if diff := cmp.Diff(want, c.bill().cents()); diff != "" {
		t.Error(diff)
	}
	if got := cents(c.mailUSD()); got != 0.32 {
		t.Errorf("mails cost %v", got)
	}
	if got := gbSeconds(c.tally); got != 2 { // 1 GB for a second, half a GB for two
		t.Errorf("%v GB-seconds", got)
	}
}

func TestTheItemsOfAMonthAddUp(t *testing.T) {
	t.Parallel()
	list, sum := idle{looks: minutesAMonth, reads: 4, invocations: 1, gbSeconds: 0.01}.items("e")
	added := 0.0
	for _, i := range list {
		if i.Item == "sum" {
			break
		}
		added += i.USD
	}
	if math.Abs(added-sum) > 0.001 || math.Abs(sum-0.3466) > 0.001 {
		t.Errorf("%v, of which items are %v", sum, added)
	}
}

func TestAChangedRecordOfTheGalleryIsNotVerified(t *testing.T) {
	t.Parallel()
	c := sample(0.10)
	db, bucket := memorydriver.New(nil), memblob.OpenBucket(nil)
	s := store.New(db, store.NewBlobs(bucket), nil)
	t.Cleanup(func() { _ = s.Close() })
	id, _, err := c.run(t.Context(), db, bucket)
	if err != nil {
		t.Fatal(err)
	}
	verify := func() error { return c.verify(context.Background(), s, id) }
	if err := verify(); err != nil {
		t.Fatalf("a whole record: %v", err)
	}
	m, err := s.Latest(t.Context(), "sales_output")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*run.Materialization){
		"value":   func(m *run.Materialization) { m.Value = &run.Value{Codec: "json", Inline: []byte("0"), Size: 1} },
		"label":   func(m *run.Materialization) { m.Metadata = nil },
		"verdict": func(m *run.Materialization) { m.Verdict = run.Bad },
	} {
		other := m
		change(&other)
		put := func(m run.Materialization) {
			if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
				t.Fatal(err)
			}
		}
		put(other)
		if verify() == nil {
			t.Errorf("it passes with another %s", name)
		}
		put(m)
	}
	m.Seq++
	if err := s.PutRows(t.Context(), runlog.Rows{Materializations: []run.Materialization{m}}); err != nil {
		t.Fatal(err)
	}
	if verify() == nil {
		t.Error("it passes with a row too many")
	}
}
