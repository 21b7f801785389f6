package table_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"waggle/shared/fault"
	"waggle/shared/table"
)

func TestBatchesAreTheRowsInOrderAndBounded(t *testing.T) {
	t.Parallel()
	type numbered struct {
		N    int64
		Half *int64
	}
	rows := make([]numbered, 300_000)
	for i := range rows {
		rows[i].N = int64(i)
		if i%2 == 0 {
			rows[i].Half = new(int64(i / 2))
		}
	}
	whole, err := table.FromRows(rows)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]any{"structs": rows, "table": whole, "none": []numbered{}} {
		r, err := table.Batches(in)
		if err != nil {
			t.Fatal(err)
		}
		var batches []arrow.RecordBatch
		for r.Next() {
			if n := r.RecordBatch().NumRows(); n > 131_072 {
				t.Errorf("%s: a batch of %d rows", name, n)
			}
			batch := r.RecordBatch()
			batch.Retain()
			batches = append(batches, batch)
		}
		got := array.NewTableFromRecords(r.Schema(), batches)
		if name == "none" {
			if got.NumRows() != 0 || !got.Schema().Equal(whole.Arrow().Schema()) || r.Err() != nil {
				t.Errorf("no rows are %v, %v", got, r.Err())
			}
			continue
		}
		if r.Err() != nil || !array.TableEqual(whole.Arrow(), got) {
			t.Errorf("%s: the batches are not the rows: %v", name, r.Err())
		}
	}
}

func TestARowThatNoColumnHoldsEndsTheBatches(t *testing.T) {
	t.Parallel()
	type moment struct{ At time.Time }
	r, err := table.Batches([]moment{{}, {time.Date(1500, 1, 1, 0, 0, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	if r.Next() {
		t.Error("there is a batch")
	}
	if r.Next() || !errors.Is(r.Err(), fault.Invalid) || !strings.Contains(r.Err().Error(), `row 1, column "at"`) {
		t.Errorf("got %v", r.Err())
	}
	if _, err := table.Batches(7); !errors.Is(err, fault.Invalid) {
		t.Errorf("batches of 7: %v", err)
	}
}
