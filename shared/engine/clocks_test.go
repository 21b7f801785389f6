package engine_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gocloud.dev/blob/memblob"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/tabletest"
)

// TestOfTwoWorkersWhoseClocksAreTwoMinutesApartOneIsShutOut lets a worker whose clock is off take a run whose owner lives, since by
// that clock its lease is over, or was written before the clock was set back. Where nothing corrects the clock, this is no death of a worker, and no loss: the
// owner before is told, stops its steps and writes no more.
func TestOfTwoWorkersWhoseClocksAreTwoMinutesApartOneIsShutOut(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{2 * time.Minute, -2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var begun, stopped atomic.Int64
			slow := asset.New("a", func(ctx *asset.Context) (int, error) {
				n := int(begun.Add(1))
				select {
				case <-ctx.Done():
					stopped.Add(1)
					return 0, ctx.Err()
				case <-time.After(3 * time.Minute):
					return n, nil
				}
			}, nil)
			defs := definitions(asset.List{slow, plus("b", slow, nil)})
			bucket := memblob.OpenBucket(nil)
			db := tabletest.New(t, nil)
			first := newProcess(db, bucket, defs, &store.Options{Lease: time.Minute}, impatient)
			second := newProcess(db, bucket, defs, &store.Options{Lease: time.Minute, Now: func() time.Time { return time.Now().Add(off) }}, impatient)
			id := first.launch(t)
			lost := make(chan error, 1)
			go func() {
				_, err := first.engine.Run(context.Background(), id, nil)
				lost <- err
			}()
			time.Sleep(time.Minute)
			out, err := second.engine.Run(t.Context(), id, nil)
			if err != nil || out.Record.Status != run.Success {
				t.Fatalf("%s off: %s %s, %v", off, out.Record.Status, out.Record.Error, err)
			}
			if err := <-lost; !errors.Is(err, fault.Lost) {
				t.Errorf("%s off: the owner before says %v", off, err)
			}
			fold := ended(t, db, first.store, id)
			if want(t, fold.Record, "SUCCESS a SUCCEEDED, b SUCCEEDED"); begun.Load() != 2 || stopped.Load() != 1 || fold.Epoch != 2 {
				t.Errorf("%s off: the step began %d times and was stopped %d times, under %d owners", off, begun.Load(), stopped.Load(), fold.Epoch)
			}
			if m, err := first.store.Latest(t.Context(), "b"); err != nil || string(m.Value.Inline) != "3" {
				t.Errorf("%s off: b is %+v, %v", off, m, err)
			}
			_ = bucket.Close()
		})
	}
}
