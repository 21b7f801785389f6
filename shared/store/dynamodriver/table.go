package dynamodriver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

// layoutVersion is the version of how items are laid out, stored in the table under layoutKey by whoever opens it first.
const layoutVersion = 1

var layoutKey = driver.Key{Partition: "WAGGLE", Sort: "LAYOUT"}

const hintIncompatible = "name another table, or deploy this version's"

// Create makes the table, on demand, with its indexes and its time to live, and waits until it can be used: for
// tests and local use; a deployment makes its own. One that exists is fault.Conflict.
func Create(ctx context.Context, table string, opts *Options) error {
	d, err := connect(ctx, table, opts)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	op := "create table " + table
	err = d.do(ctx, op, func(ctx context.Context) error {
		_, err := d.client.CreateTable(ctx, d.definition())
		var exists *types.ResourceInUseException
		if errors.As(err, &exists) {
			return fault.New(fault.Conflict, "it exists").WithHint("open it, or name another")
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := d.untilActive(ctx, op); err != nil {
		return err
	}
	if !opts.KeepExpired {
		err = d.do(ctx, op, func(ctx context.Context) error {
			_, err := d.client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: &d.table,
				TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(attrExpires), Enabled: aws.Bool(true)}})
			return err
		})
		if err != nil {
			return err
		}
	}
	return d.markLayout(ctx)
}

// definition is the table as Create makes it.
func (d *Driver) definition() *dynamodb.CreateTableInput {
	shape := ShapeOf(d.indexes)
	in := &dynamodb.CreateTableInput{
		TableName:            &d.table,
		BillingMode:          types.BillingModePayPerRequest,
		KeySchema:            keySchema(shape.Partition, shape.Sort),
		AttributeDefinitions: []types.AttributeDefinition{textAttribute(shape.Partition), textAttribute(shape.Sort)},
	}
	for _, index := range shape.Indexes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, textAttribute(index.Partition), textAttribute(index.Sort))
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName:  aws.String(index.Name),
			KeySchema:  keySchema(index.Partition, index.Sort),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: index.Projected},
		})
	}
	return in
}

func keySchema(partition, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(partition), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

func textAttribute(name string) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: types.ScalarAttributeTypeS}
}

// untilActive waits for a new table: a moment on an emulator, some ten seconds on AWS; two minutes at most.
func (d *Driver) untilActive(ctx context.Context, op string) error {
	bounded, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		about, err := d.describe(bounded, op)
		if err == nil && about.TableStatus == types.TableStatusActive {
			return nil
		}
		if err != nil && !errors.Is(err, fault.NotFound) { // the new table is not known everywhere yet
			return err
		}
		if err := sleep(bounded, pause(4)); err != nil {
			return d.translate(ctx, op, fmt.Errorf("it is not ready: %w", err))
		}
	}
}

func (d *Driver) describe(ctx context.Context, op string) (about *types.TableDescription, err error) {
	err = d.do(ctx, op, func(ctx context.Context) error {
		out, err := d.client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &d.table})
		if err == nil {
			about = out.Table
		}
		return err
	})
	return about, err
}

// checkTable looks at the table's shape and then at the version of its layout. A table of the right shape without a
// version is new, and gets one.
func (d *Driver) checkTable(ctx context.Context) error {
	op := "open table " + d.table
	about, err := d.describe(ctx, op)
	if err != nil {
		return err
	}
	if err := d.checkShape(about); err != nil {
		return d.translate(ctx, op, err)
	}
	layout, err := d.Get(ctx, layoutKey)
	switch {
	case errors.Is(err, fault.NotFound):
		if err := d.markLayout(ctx); err != nil && !errors.Is(err, fault.Denied) { // who may only read may look
			return err
		}
		return nil
	case err != nil:
		return err
	case layout.Version > layoutVersion:
		return d.translate(ctx, op, fault.New(fault.Incompatible, "its layout %d is newer than %d, the newest that this waggle reads", layout.Version, layoutVersion).
			WithHint("use a newer waggle, or name another table"))
	}
	return nil
}

func (d *Driver) checkShape(about *types.TableDescription) error {
	switch about.TableStatus {
	case types.TableStatusCreating, types.TableStatusDeleting:
		return fault.New(fault.Unavailable, "its status is %s", about.TableStatus).WithHint("wait until that is done")
	}
	if !sameKeys(about.KeySchema, attrPartition, attrSort) {
		return fault.New(fault.Incompatible, "its keys are not %s and %s: it is of another program", attrPartition, attrSort).WithHint(hintIncompatible)
	}
	for _, index := range d.indexes {
		if err := d.checkIndexShape(index, about.GlobalSecondaryIndexes); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) checkIndexShape(index string, all []types.GlobalSecondaryIndexDescription) error {
	i := slices.IndexFunc(all, func(g types.GlobalSecondaryIndexDescription) bool { return aws.ToString(g.IndexName) == index })
	if i < 0 {
		return fault.New(fault.Incompatible, "it has no index %q: it is of another program or version", index).WithHint(hintIncompatible)
	}
	found := all[i]
	if p, s := indexAttributes(index); !sameKeys(found.KeySchema, p, s) {
		return fault.New(fault.Incompatible, "the keys of its index %q are not %s and %s", index, p, s).WithHint(hintIncompatible)
	}
	if found.Projection != nil && found.Projection.ProjectionType != types.ProjectionTypeAll {
		for _, name := range projected(d.indexes, index) {
			if !slices.Contains(found.Projection.NonKeyAttributes, name) {
				return fault.New(fault.Incompatible, "its index %q does not hold the attribute %s", index, name).WithHint(hintIncompatible)
			}
		}
	}
	if found.IndexStatus == types.IndexStatusCreating {
		return fault.New(fault.Unavailable, "its index %q is being built", index).WithHint("wait until that is done")
	}
	return nil
}

func sameKeys(schema []types.KeySchemaElement, partition, sort string) bool {
	return len(schema) == 2 &&
		aws.ToString(schema[0].AttributeName) == partition && schema[0].KeyType == types.KeyTypeHash &&
		aws.ToString(schema[1].AttributeName) == sort && schema[1].KeyType == types.KeyTypeRange
}

func (d *Driver) markLayout(ctx context.Context) error {
	data := fmt.Appendf(nil, `{"written_by":"waggle","about":"the version of this item is the version of the table's layout"}`)
	err := d.Put(ctx, driver.Item{Key: layoutKey, Version: layoutVersion, Data: data}, driver.IfAbsent)
	if errors.Is(err, fault.Conflict) { // another process was faster
		return nil
	}
	return err
}
