package dynamodriver

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/store/driver"
)

// Write implements driver.Driver. One op alone is a Put or Delete, at half the price.
func (d *Driver) Write(ctx context.Context, ops []driver.Op) error {
	if err := driver.CheckWrite(ops); err != nil {
		return err
	}
	switch {
	case len(ops) == 0:
		return d.usable(ctx, "write nothing")
	case len(ops) == 1 && ops[0].Put != nil:
		return d.Put(ctx, *ops[0].Put, ops[0].If)
	case len(ops) == 1:
		return d.Delete(ctx, *ops[0].Delete, ops[0].If)
	}
	now := d.Now().Unix()
	parts := make([]types.TransactWriteItem, len(ops))
	for i := range ops {
		part, err := d.part(&ops[i], now)
		if err != nil {
			return err
		}
		parts[i] = part
	}
	op := driver.Several("write", ops[0].Key(), len(ops))
	return d.do(ctx, op, func(ctx context.Context) error {
		err := d.transact(ctx, parts)
		// Each call makes a token of its own, so only an earlier try of this one can have used it. DynamoDB Local says so
		// at times where AWS repeats its answer. With a new token the conditions tell what came of that try.
		var used *types.IdempotentParameterMismatchException
		if errors.As(err, &used) {
			err = d.transact(ctx, parts)
		}
		return d.firstConflict(ops, err, now)
	})
}

func (d *Driver) transact(ctx context.Context, parts []types.TransactWriteItem) error {
	out, err := d.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		TransactItems:          parts, // the SDK adds a token, the same for all tries
		ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
	})
	if err == nil {
		d.usage.wrote(out.ConsumedCapacity...)
	}
	return err
}

func (d *Driver) part(op *driver.Op, now int64) (types.TransactWriteItem, error) {
	g := newGuard(op.If, now)
	if op.Delete != nil {
		return types.TransactWriteItem{Delete: &types.Delete{
			TableName:                           &d.table,
			Key:                                 keyOf(*op.Delete),
			ConditionExpression:                 g.expression,
			ExpressionAttributeNames:            g.names,
			ExpressionAttributeValues:           g.values,
			ReturnValuesOnConditionCheckFailure: onFailure,
		}}, nil
	}
	encoded, err := d.encode(op.Put)
	return types.TransactWriteItem{Put: &types.Put{
		TableName:                           &d.table,
		Item:                                encoded,
		ConditionExpression:                 g.expression,
		ExpressionAttributeNames:            g.names,
		ExpressionAttributeValues:           g.values,
		ReturnValuesOnConditionCheckFailure: onFailure,
	}}, err
}

// firstConflict turns a transaction that a condition canceled into the *driver.ConflictError of the first such op, and
// leaves other errors as they are.
func (d *Driver) firstConflict(ops []driver.Op, err error, now int64) error {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return err
	}
	for i, reason := range canceled.CancellationReasons {
		if aws.ToString(reason.Code) != "ConditionalCheckFailed" || i >= len(ops) {
			continue
		}
		stored, err := d.visible(reason.Item, now)
		if err != nil {
			return err
		}
		return &driver.ConflictError{Key: ops[i].Key(), Stored: stored}
	}
	return err
}
