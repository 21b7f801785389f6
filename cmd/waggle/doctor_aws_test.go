//go:build dynamodb && aws

package main

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/localstack/emulator"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

func TestTheDoctorSaysWhatARestoredTableLacks(t *testing.T) {
	cloud, err := emulator.MiniStack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	c := &checkup{cfg: aws.Config{Region: "us-east-1", BaseEndpoint: &cloud.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")},
		deployment: deployment{Table: "waggle"}}
	if err := dynamodriver.Create(t.Context(), "waggle", &dynamodriver.Options{Indexes: store.Indexes(), Config: &c.cfg}); err != nil {
		t.Fatal(err)
	}
	client, table := dynamodb.NewFromConfig(c.cfg), &c.Table
	expire := func(enabled bool) error {
		_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: table,
			TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("expires"), Enabled: &enabled}})
		return err
	}
	if err := expire(false); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		want string // of what it lacks
		mend func() error
	}{
		{"nothing expires, it cannot be restored, it can be deleted", func() error { return expire(true) }},
		{"it cannot be restored, it can be deleted", func() error {
			_, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{TableName: table,
				PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)}})
			return err
		}},
		{"it can be deleted", func() error {
			_, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: table, DeletionProtectionEnabled: aws.Bool(true)})
			return err
		}},
	} {
		f := c.upkeep(t.Context())
		if f.Text != step.want || strings.Count(f.Hint, "aws dynamodb ") != strings.Count(step.want, ",")+1 || f.Wrong {
			t.Errorf("got %+v, want %s", f, step.want)
		}
		if err := step.mend(); err != nil {
			t.Fatal(err)
		}
	}
	if f := c.upkeep(t.Context()); f.Hint != "" || !strings.HasPrefix(f.Text, "old rows expire") {
		t.Errorf("got %+v", f)
	}
	c.Table = "elsewhere"
	if f := c.upkeep(t.Context()); !strings.Contains(f.Hint, "allow dynamodb:DescribeTable") {
		t.Errorf("got %+v", f)
	}
}
