//go:build dynamodb && aws

package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"waggle/localstack/emulator"
	"waggle/shared/cli"
	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

func TestAFindingSaysItsHintOnce(t *testing.T) {
	inner := fault.New(fault.NotFound, "there is no such parameter").WithHint("store it")
	for _, c := range []struct {
		err  error
		want cli.Finding
	}{
		{inner, cli.Finding{Text: "there is no such parameter", Hint: "store it"}},
		{fault.Wrap(fault.Invalid, "channel slack", inner), cli.Finding{Text: "channel slack: there is no such parameter", Hint: "store it"}},
		{errors.New("no route"), cli.Finding{Text: "no route", Hint: "try again, or look at it in the console of AWS"}},
	} {
		c.want.What, c.want.Wrong = "channel", true
		if got := wrong("channel", c.err); got != c.want {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
	}
}

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

func TestTheDoctorCountsDeadLetters(t *testing.T) {
	cloud, err := emulator.MiniStack(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	c := &checkup{environment: "test", cfg: aws.Config{Region: "us-east-1", BaseEndpoint: &cloud.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}}
	if f := c.deadLetters(t.Context()); f.Wrong || !strings.Contains(f.Hint, "sqs:GetQueueUrl") {
		t.Errorf("without queues: %+v", f)
	}
	client := sqs.NewFromConfig(c.cfg)
	urls := map[string]*string{}
	for _, end := range manifest.DeadQueues() {
		out, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("waggle-test-" + end)})
		if err != nil {
			t.Fatal(err)
		}
		urls[end] = out.QueueUrl
	}
	if f := c.deadLetters(t.Context()); f != (cli.Finding{What: "dead letters", Text: "none"}) {
		t.Errorf("got %+v", f)
	}
	for _, end := range []string{manifest.SensorDead, manifest.SensorDead, manifest.SchedulesDead} {
		if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: urls[end], MessageBody: aws.String("x")}); err != nil {
			t.Fatal(err)
		}
	}
	if f := c.deadLetters(t.Context()); f.Text != "2 in waggle-test-sensor-dead, 1 in waggle-test-schedules-dead" || !f.Wrong {
		t.Errorf("got %+v", f)
	}
}
