//go:build aws

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ses"
	"github.com/aws/aws-sdk-go-v2/service/ses/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"waggle/pipelines"
	"waggle/shared/awserror"
	"waggle/shared/cli"
	"waggle/shared/eventbus/eventbridge"
	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/notify/senders"
	"waggle/shared/store/dynamodriver"
)

// doctor looks at a deployment. What follows from something that is wrong is not looked at.
func doctor(ctx context.Context, name string) iter.Seq[cli.Finding] {
	return func(yield func(cli.Finding) bool) {
		cfg, err := loadConfig(ctx)
		if err != nil {
			yield(wrong("credentials", err))
			return
		}
		if cfg.Region == "" {
			yield(cli.Finding{What: "region", Text: "none is set", Hint: "set AWS_REGION to the region of the deployment", Wrong: true})
			return
		}
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil)
		if err != nil {
			yield(wrong("credentials", refused(cfg, "", "sts:GetCallerIdentity", err)))
			return
		}
		if !yield(cli.Finding{What: "credentials", Text: aws.ToString(who.Arn) + " in " + cfg.Region}) {
			return
		}
		d, err := findDeployment(ctx, cfg, name)
		if err != nil {
			yield(wrong("deployment", err))
			return
		}
		c := &checkup{cfg: cfg, environment: name, deployment: d}
		for _, look := range []func(context.Context) cli.Finding{c.table, c.upkeep, c.bucket, c.bus, c.functions, c.deadLetters, c.concurrency, c.mail} {
			if !yield(look(ctx)) {
				return
			}
		}
		for _, f := range c.channels(ctx) {
			if !yield(f) {
				return
			}
		}
	}
}

// lookAgain is the hint where an error has none.
const lookAgain = "try again, or look at it in the console of AWS"

// wrong is a finding of an error, and of the first hint in it.
func wrong(what string, err error) cli.Finding {
	f := cli.Finding{What: what, Text: err.Error(), Wrong: true, Hint: lookAgain}
	var known *fault.Error
	for cause := err; errors.As(cause, &known); cause = known.Err {
		if known.Hint != "" {
			f.Text, f.Hint = strings.Replace(f.Text, " ("+known.Hint+")", "", 1), known.Hint
			break
		}
	}
	return f
}

type checkup struct {
	cfg         aws.Config
	environment string
	deployment
	variables map[string]string // of the function that sends; functions reads them
}

func (c *checkup) table(ctx context.Context) cli.Finding {
	db, err := openTable(ctx, c.Table, &c.cfg)
	if err != nil {
		return wrong("table", err)
	}
	_ = db.Close()
	return cli.Finding{What: "table", Text: c.Table}
}

// upkeep looks at what a table that was restored from a backup lacks.
func (c *checkup) upkeep(ctx context.Context) cli.Finding {
	f := cli.Finding{What: "upkeep"}
	client, table := dynamodb.NewFromConfig(c.cfg), &c.Table
	described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
	expiry, expiryErr := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: table})
	backups, backupsErr := client.DescribeContinuousBackups(ctx, &dynamodb.DescribeContinuousBackupsInput{TableName: table})
	if err := cmp.Or(err, expiryErr, backupsErr); err != nil {
		f.Text, f.Hint = awserror.Text(err), "allow dynamodb:DescribeTable, DescribeTimeToLive and DescribeContinuousBackups to see how the table is kept"
		return f
	}
	var lacks, commands []string
	lack := func(what, command string) {
		lacks, commands = append(lacks, what), append(commands, "aws dynamodb "+command+" --table-name "+c.Table)
	}
	if d := expiry.TimeToLiveDescription; d == nil || d.TimeToLiveStatus != dynamodbtypes.TimeToLiveStatusEnabled && d.TimeToLiveStatus != dynamodbtypes.TimeToLiveStatusEnabling {
		lack("nothing expires", "update-time-to-live --time-to-live-specification Enabled=true,AttributeName="+dynamodriver.ShapeOf(nil).Expires)
	}
	if d := backups.ContinuousBackupsDescription; d == nil || d.PointInTimeRecoveryDescription == nil ||
		d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus != dynamodbtypes.PointInTimeRecoveryStatusEnabled {
		lack("it cannot be restored", "update-continuous-backups --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true")
	}
	if !aws.ToBool(described.Table.DeletionProtectionEnabled) {
		lack("it can be deleted", "update-table --deletion-protection-enabled")
	}
	if len(lacks) == 0 {
		f.Text = "old rows expire, any second of the last 35 days can be restored, nobody deletes the table by mistake"
		return f
	}
	f.Text, f.Hint = strings.Join(lacks, ", "), strings.Join(commands, "; ")
	return f
}

func (c *checkup) bucket(ctx context.Context) cli.Finding {
	if _, err := s3.NewFromConfig(c.cfg).HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &c.Bucket}); err != nil {
		return wrong("bucket", &fault.Error{Op: "look at bucket " + c.Bucket, Code: fault.NotFound, Err: errors.New(awserror.Text(err)), Hint: "deploy again, or allow s3:ListBucket on it"})
	}
	return cli.Finding{What: "bucket", Text: c.Bucket}
}

func (c *checkup) bus(ctx context.Context) cli.Finding {
	if _, err := eventbridge.Open(ctx, c.Bus, &eventbridge.Options{Config: &c.cfg}); err != nil {
		return wrong("bus", err)
	}
	return cli.Finding{What: "bus", Text: c.Bus}
}

// functions looks at the two that others call.
func (c *checkup) functions(ctx context.Context) cli.Finding {
	for _, name := range []string{c.RunFunction, c.SensorFunction} {
		out, err := lambda.NewFromConfig(c.cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &name})
		if err != nil {
			return wrong("functions", &fault.Error{Op: "look at function " + name, Code: fault.NotFound, Err: errors.New(awserror.Text(err)), Hint: "deploy again, or allow lambda:GetFunctionConfiguration on it"})
		}
		if name == c.SensorFunction && out.Environment != nil {
			c.variables = out.Environment.Variables
		}
	}
	return cli.Finding{What: "functions", Text: "code " + c.CodeVersion}
}

// deadLetters counts what could not be delivered.
func (c *checkup) deadLetters(ctx context.Context) cli.Finding {
	f := cli.Finding{What: "dead letters", Text: "none"}
	client := sqs.NewFromConfig(c.cfg)
	var found []string
	for _, end := range manifest.DeadQueues() {
		name := "waggle-" + c.environment + "-" + end
		queue, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
		var out *sqs.GetQueueAttributesOutput
		if err == nil {
			out, err = client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqstypes.QueueAttributeName{messages}})
		}
		if err != nil {
			f.Text, f.Hint = awserror.Text(err), "allow sqs:GetQueueUrl and sqs:GetQueueAttributes on "+name+" to see what could not be delivered"
			return f
		}
		if n := out.Attributes[string(messages)]; n != "0" {
			found = append(found, n+" in "+name)
		}
	}
	if len(found) > 0 {
		f.Text, f.Hint, f.Wrong = strings.Join(found, ", "), "look at them, and send them back when the cause is gone; docs/operating-on-aws.md says how", true
	}
	return f
}

// messages is how many messages a queue has.
const messages = sqstypes.QueueAttributeNameApproximateNumberOfMessages

// fewFunctions is how many may run at once in a new account.
const fewFunctions = 10

func (c *checkup) concurrency(ctx context.Context) cli.Finding {
	out, err := lambda.NewFromConfig(c.cfg).GetAccountSettings(ctx, nil)
	if err != nil {
		return cli.Finding{What: "limits", Text: awserror.Text(err), Hint: "allow lambda:GetAccountSettings to see how many functions may run at once"}
	}
	f := cli.Finding{What: "limits", Text: fmt.Sprintf("%d functions may run at once", out.AccountLimit.ConcurrentExecutions)}
	if out.AccountLimit.ConcurrentExecutions <= fewFunctions {
		f.Hint = "ask AWS for more in Service Quotas: what is throttled starts a minute later"
	}
	return f
}

// sandboxQuota is how many mails a day an account in the sandbox of SES may send.
const sandboxQuota = 200

func (c *checkup) mail(ctx context.Context) cli.Finding {
	from := c.variables["MAIL_FROM"]
	if from == "" {
		return cli.Finding{What: "mail", Text: "no sender is set, so no mail is sent by SES", Hint: "set sender and recipients in cdk.json, and deploy"}
	}
	address := from
	if at := strings.LastIndexByte(from, '<'); at >= 0 {
		address = strings.Trim(from[at:], "<> ")
	}
	_, domain, _ := strings.Cut(address, "@")
	client := ses.NewFromConfig(c.cfg)
	verified, err := client.GetIdentityVerificationAttributes(ctx, &ses.GetIdentityVerificationAttributesInput{Identities: []string{address, domain}})
	if err != nil {
		return wrong("mail", refused(c.cfg, "ask SES for "+address, "ses:GetIdentityVerificationAttributes", err))
	}
	is := func(identity string) bool {
		return verified.VerificationAttributes[identity].VerificationStatus == types.VerificationStatusSuccess
	}
	if !is(address) && !is(domain) {
		return cli.Finding{What: "mail", Text: address + " is not verified", Hint: "follow the link in the mail that AWS has sent to it; where none came, verify it in SES", Wrong: true}
	}
	f := cli.Finding{What: "mail", Text: "from " + from}
	if quota, err := client.GetSendQuota(ctx, nil); err == nil && quota.Max24HourSend <= sandboxQuota {
		f.Hint = "SES is in its sandbox: it sends to verified addresses alone; verify the recipients, or ask for production access"
	}
	return f
}

// channels opens each channel as the deployment does, by its variables. Nothing is sent.
func (c *checkup) channels(ctx context.Context) []cli.Finding {
	opts := senders.Options{Lookup: func(name string) (string, bool) { v, ok := c.variables[name]; return v, ok }, Apart: true}
	if err := withCloud(ctx, &opts); err != nil {
		return []cli.Finding{wrong("channels", err)}
	}
	opened, err := senders.Open(ctx, pipelines.Definitions.Channels, opts)
	if err != nil {
		return []cli.Finding{wrong("channels", err)}
	}
	var list []cli.Finding
	for _, channel := range pipelines.Definitions.Channels {
		def := channel.Definition()
		if _, err := opened.Of(def); err != nil {
			f := wrong("channel "+def.Name, err)
			if f.Hint == lookAgain { // what is set is no good
				f.Hint = "mend it: a secret with `waggle secrets set NAME --env " + c.environment + "`, what else is set in cdk.json, and deploy"
			}
			list = append(list, f)
			continue
		}
		list = append(list, cli.Finding{What: "channel " + def.Name, Text: string(def.Kind)})
	}
	return list
}
