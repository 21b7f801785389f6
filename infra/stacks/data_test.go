package stacks_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

func TestTheTableIsTheOneThatTheStoreOpens(t *testing.T) {
	_, table := stays.named(t, "AWS::DynamoDB::Table", "TableName", "waggle-test")
	p := table.Properties
	keys := func(partition, sort string) []any {
		return []any{map[string]any{"AttributeName": partition, "KeyType": "HASH"}, map[string]any{"AttributeName": sort, "KeyType": "RANGE"}}
	}
	attributes := []any{map[string]any{"AttributeName": "pk", "AttributeType": "S"}, map[string]any{"AttributeName": "sk", "AttributeType": "S"}}
	var indexes []any
	for _, index := range dynamodriver.ShapeOf(store.Indexes()).Indexes {
		attributes = append(attributes, map[string]any{"AttributeName": index.Partition, "AttributeType": "S"}, map[string]any{"AttributeName": index.Sort, "AttributeType": "S"})
		var projected []any
		for _, name := range index.Projected {
			projected = append(projected, name)
		}
		indexes = append(indexes, map[string]any{"IndexName": index.Name, "KeySchema": keys(index.Partition, index.Sort),
			"Projection": map[string]any{"ProjectionType": "INCLUDE", "NonKeyAttributes": projected}})
	}
	want := map[string]any{"TableName": "waggle-test", "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys("pk", "sk"), "AttributeDefinitions": attributes, "GlobalSecondaryIndexes": indexes,
		"TimeToLiveSpecification":          map[string]any{"AttributeName": "expires", "Enabled": true},
		"PointInTimeRecoverySpecification": map[string]any{"PointInTimeRecoveryEnabled": true}, "DeletionProtectionEnabled": true,
		"Tags": []any{map[string]any{"Key": "waggle:environment", "Value": "test"}}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if len(indexes) != 5 {
		t.Errorf("%d indexes", len(indexes))
	}
}

func TestWhatWasRecordedStaysWhenTheStackGoes(t *testing.T) {
	for _, kind := range []string{"AWS::DynamoDB::Table", "AWS::S3::Bucket"} {
		for id, r := range stays.all(t, kind) {
			if r.DeletionPolicy != "Retain" || r.UpdateReplacePolicy != "Retain" {
				t.Errorf("%s: %s, %s", id, r.DeletionPolicy, r.UpdateReplacePolicy)
			}
		}
	}
	for id, r := range runs.Resources {
		if r.Type == "AWS::DynamoDB::Table" || r.Type == "AWS::S3::Bucket" || r.Type == "AWS::Events::EventBus" {
			t.Errorf("%s is in the stack that is replaced", id)
		}
	}
}

// TestTwoEnvironmentsShareNoName is about all that has a name in the account; a schedule has its in a group.
func TestTwoEnvironmentsShareNoName(t *testing.T) {
	own := regexp.MustCompile(`^(/aws/lambda/)?/?waggle[-/]test([-/]|$)`)
	seen := 0
	for _, tm := range []template{stays, runs} {
		for id, r := range tm.Resources {
			for _, property := range []string{"TableName", "BucketName", "FunctionName", "QueueName", "TopicName", "AlarmName", "DashboardName", "LogGroupName", "RoleName", "Name"} {
				name := text(r.Properties[property])
				if name == "" || strings.HasPrefix(name, "{") || r.Type == "AWS::Scheduler::Schedule" {
					continue
				}
				if seen++; !own.MatchString(name) {
					t.Errorf("%s is called %s in every environment", id, name)
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d names were looked at", seen)
	}
}

func TestTheBucketIsPrivateEncryptedAndCleansUp(t *testing.T) {
	_, bucket := stays.named(t, "AWS::S3::Bucket", "BucketName", "waggle-test--")
	p := bucket.Properties
	for name, want := range map[string]any{
		"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
		"BucketEncryption":               map[string]any{"ServerSideEncryptionConfiguration": []any{map[string]any{"ServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": "AES256"}}}},
		"VersioningConfiguration":        map[string]any{"Status": "Enabled"},
		"LifecycleConfiguration": map[string]any{"Rules": []any{map[string]any{"Id": "unfinished-and-deleted", "Status": "Enabled", "ExpiredObjectDeleteMarker": true,
			"AbortIncompleteMultipartUpload": map[string]any{"DaysAfterInitiation": 7.0}, "NoncurrentVersionExpiration": map[string]any{"NoncurrentDays": 30.0}}}},
	} {
		if diff := cmp.Diff(want, p[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, policy := range stays.all(t, "AWS::S3::BucketPolicy") {
		rule := items(policy.Properties["PolicyDocument"].(map[string]any)["Statement"])[0].(map[string]any)
		if rule["Effect"] != "Deny" || text(rule["Condition"]) != `{"Bool":{"aws:SecureTransport":"false"}}` {
			t.Errorf("plain connections are not denied: %v", rule)
		}
	}
}
