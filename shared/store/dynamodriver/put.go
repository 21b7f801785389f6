package dynamodriver

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/store/driver"
)

// onFailure asks for the item that a condition met: a second read could see another.
const onFailure = types.ReturnValuesOnConditionCheckFailureAllOld

// Put implements driver.Driver.
func (d *Driver) Put(ctx context.Context, item driver.Item, cond driver.Condition) error {
	if err := driver.CheckItem(&item); err != nil {
		return err
	}
	encoded, err := d.encode(&item)
	if err != nil {
		return err
	}
	now := d.Now().Unix()
	g := newGuard(cond, now)
	return d.do(ctx, "put "+item.Key.String(), func(ctx context.Context) error {
		out, err := d.client.PutItem(ctx, &dynamodb.PutItemInput{
			TableName:                           &d.table,
			Item:                                encoded,
			ConditionExpression:                 g.expression,
			ExpressionAttributeNames:            g.names,
			ExpressionAttributeValues:           g.values,
			ReturnValuesOnConditionCheckFailure: onFailure,
			ReturnConsumedCapacity:              types.ReturnConsumedCapacityIndexes,
		})
		if err != nil {
			return d.conflict(item.Key, err, now)
		}
		d.usage.wrote(one(out.ConsumedCapacity)...)
		return nil
	})
}

// Delete implements driver.Driver.
func (d *Driver) Delete(ctx context.Context, key driver.Key, cond driver.Condition) error {
	if err := driver.CheckKey(key); err != nil {
		return err
	}
	now := d.Now().Unix()
	g := newGuard(cond, now)
	return d.do(ctx, "delete "+key.String(), func(ctx context.Context) error {
		out, err := d.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{
			TableName:                           &d.table,
			Key:                                 keyOf(key),
			ConditionExpression:                 g.expression,
			ExpressionAttributeNames:            g.names,
			ExpressionAttributeValues:           g.values,
			ReturnValuesOnConditionCheckFailure: onFailure,
			ReturnConsumedCapacity:              types.ReturnConsumedCapacityIndexes,
		})
		if err != nil {
			return d.conflict(key, err, now)
		}
		d.usage.wrote(one(out.ConsumedCapacity)...)
		return nil
	})
}

// conflict turns a failed condition into a *driver.ConflictError and leaves other errors as they are.
func (d *Driver) conflict(key driver.Key, err error, now int64) error {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return err
	}
	stored, err := d.visible(failed.Item, now)
	if err != nil {
		return err
	}
	return &driver.ConflictError{Key: key, Stored: stored}
}

func one(c *types.ConsumedCapacity) []types.ConsumedCapacity {
	if c == nil {
		return nil
	}
	return []types.ConsumedCapacity{*c}
}
