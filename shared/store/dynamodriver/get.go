package dynamodriver

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// Get implements driver.Driver.
func (d *Driver) Get(ctx context.Context, key driver.Key) (item driver.Item, err error) {
	if err := driver.CheckKey(key); err != nil {
		return driver.Item{}, err
	}
	err = d.do(ctx, "get "+key.String(), func(ctx context.Context) error {
		out, err := d.client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName:              &d.table,
			Key:                    keyOf(key),
			ConsistentRead:         aws.Bool(true),
			ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes,
		})
		if err != nil {
			return err
		}
		d.usage.read(out.ConsumedCapacity)
		stored, err := d.visible(out.Item, d.Now().Unix())
		if err == nil && stored == nil {
			err = fault.New(fault.NotFound, "nothing is stored")
		}
		if err == nil {
			item = *stored
		}
		return err
	})
	return item, err
}
