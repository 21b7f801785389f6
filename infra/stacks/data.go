// Package stacks is the infrastructure of a deployment, in two stacks by how long they live: what was recorded stays, what runs is
// replaced with each deployment.
//
// It is generated from the manifest of what was built, and from settings. It imports infra's settings, and dynamodriver, fault,
// manifest, secret and store of the library.
package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// Data makes the stack waggle-ENVIRONMENT-data: the table, the bucket and the bus. Table and bucket stay when the stack is deleted, and
// the table refuses to be.
func Data(scope constructs.Construct, environment string) awscdk.Stack {
	name := "waggle-" + environment + "-data"
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{StackName: &name, AnalyticsReporting: jsii.Bool(false),
		Description: jsii.String("What Waggle recorded: the table, the bucket and the bus of the environment " + environment)})
	n := names{environment, stack}
	table(stack, n)
	bucket(stack, n)
	awsevents.NewCfnEventBus(stack, jsii.String("Bus"), &awsevents.CfnEventBusProps{Name: jsii.String(n.base())})
	return stack
}

// table is the one that dynamodriver opens: its shape and its indexes are read from the packages that use them.
func table(stack awscdk.Stack, n names) {
	shape := dynamodriver.ShapeOf(store.Indexes())
	props := &awsdynamodb.CfnTableProps{
		TableName:                        jsii.String(n.base()),
		BillingMode:                      jsii.String("PAY_PER_REQUEST"),
		DeletionProtectionEnabled:        jsii.Bool(true),
		PointInTimeRecoverySpecification: &awsdynamodb.CfnTable_PointInTimeRecoverySpecificationProperty{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		TimeToLiveSpecification:          &awsdynamodb.CfnTable_TimeToLiveSpecificationProperty{AttributeName: &shape.Expires, Enabled: jsii.Bool(true)},
		KeySchema:                        keySchema(shape.Partition, shape.Sort),
	}
	attributes := []any{textAttribute(shape.Partition), textAttribute(shape.Sort)}
	var indexes []any
	for _, index := range shape.Indexes {
		attributes = append(attributes, textAttribute(index.Partition), textAttribute(index.Sort))
		indexes = append(indexes, &awsdynamodb.CfnTable_GlobalSecondaryIndexProperty{IndexName: jsii.String(index.Name), KeySchema: keySchema(index.Partition, index.Sort),
			Projection: &awsdynamodb.CfnTable_ProjectionProperty{ProjectionType: jsii.String("INCLUDE"), NonKeyAttributes: jsii.Strings(index.Projected...)}})
	}
	props.AttributeDefinitions, props.GlobalSecondaryIndexes = attributes, indexes
	made := awsdynamodb.NewCfnTable(stack, jsii.String("Table"), props)
	made.ApplyRemovalPolicy(awscdk.RemovalPolicy_RETAIN, nil)
}

func keySchema(partition, sort string) []any {
	return []any{
		&awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: &partition, KeyType: jsii.String("HASH")},
		&awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: &sort, KeyType: jsii.String("RANGE")},
	}
}

func textAttribute(name string) any {
	return &awsdynamodb.CfnTable_AttributeDefinitionProperty{AttributeName: &name, AttributeType: jsii.String("S")}
}

// bucket holds what is too large for a row. Blobs are never changed, so a version that is not the newest is one that was deleted: it can
// be had back for a month.
func bucket(stack awscdk.Stack, n names) {
	awss3.NewBucket(stack, jsii.String("Bucket"), &awss3.BucketProps{
		BucketName:        jsii.String(n.bucket()),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL:        jsii.Bool(true),
		Versioned:         jsii.Bool(true),
		RemovalPolicy:     awscdk.RemovalPolicy_RETAIN,
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Id:                                  jsii.String("unfinished-and-deleted"),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(7)),
			NoncurrentVersionExpiration:         awscdk.Duration_Days(jsii.Number(30)),
			ExpiredObjectDeleteMarker:           jsii.Bool(true),
		}},
	})
}
