package dynamodriver

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// A request of PutAll holds at most this: DynamoDB takes 25 items and 16 MB, and fewer bytes arrive within one try.
const (
	batchItems = 25
	batchBytes = 4 << 20
)

// PutAll implements driver.Driver. Its requests go one after the other: what one owner writes lies in few partitions,
// and those have a limit of their own.
func (d *Driver) PutAll(ctx context.Context, items []driver.Item) error {
	if err := driver.CheckItems(items); err != nil {
		return err
	}
	encoded := make([]types.WriteRequest, len(items))
	for i := range items {
		a, err := d.encode(&items[i])
		if err != nil {
			return err
		}
		encoded[i].PutRequest = &types.PutRequest{Item: a}
	}
	if len(items) == 0 {
		return d.usable(ctx, "put nothing")
	}
	for from := 0; from < len(items); {
		to, bytes := from, 0
		for to < len(items) && to-from < batchItems && (to == from || bytes+driver.Size(&items[to]) <= batchBytes) {
			bytes += driver.Size(&items[to])
			to++
		}
		op := driver.Several("put", items[from].Key, to-from)
		if err := d.putBatch(ctx, op, encoded[from:to]); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// putBatch sends what DynamoDB left undone again, until all is written or as many tries in a row wrote nothing as a
// request has.
func (d *Driver) putBatch(ctx context.Context, op string, left []types.WriteRequest) error {
	return d.do(ctx, op, func(ctx context.Context) error {
		for idle := 0; ; {
			out, err := d.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
				RequestItems:           map[string][]types.WriteRequest{d.table: left},
				ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
			})
			if idle > 0 && errors.Is(err, context.DeadlineExceeded) {
				return fault.New(fault.Throttled, "%d items are left unwritten: %w", len(left), err)
			}
			if err != nil {
				return err
			}
			d.usage.wrote(out.ConsumedCapacity...)
			before := len(left)
			left = nil
			for _, requests := range out.UnprocessedItems { // under the table's name, or its ARN
				left = append(left, requests...)
			}
			if len(left) == 0 {
				return nil
			}
			if idle++; len(left) < before {
				idle = 1
			}
			if idle == tries {
				return fault.New(fault.Throttled, "%d items are left unwritten after %d tries", len(left), tries)
			}
			if err := sleep(ctx, pause(idle)); err != nil {
				return fault.New(fault.Throttled, "%d items are left unwritten: %w", len(left), err)
			}
		}
	})
}

func sleep(ctx context.Context, length time.Duration) error {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
