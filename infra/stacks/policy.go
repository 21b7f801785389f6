package stacks

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
	"waggle/shared/manifest"
	"waggle/shared/secret"
	"waggle/shared/store"
)

// allow is a statement of a policy: named actions on named resources.
func allow(id string, resources []string, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Sid: &id, Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...)})
}

func document(statements ...awsiam.PolicyStatement) awsiam.PolicyDocument {
	return awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements})
}

// useRecord is what everybody needs who reads and writes the record. An atomic write asks for the rights to its parts. Who may list the
// bucket is told that an object is not there; others are only refused.
func useRecord(n names) []awsiam.PolicyStatement {
	var indexes []string
	for _, index := range store.Indexes() {
		indexes = append(indexes, n.tableArn()+"/index/"+index)
	}
	return []awsiam.PolicyStatement{
		allow("UseTable", []string{n.tableArn()}, "dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
			"dynamodb:ConditionCheckItem"),
		allow("QueryIndexes", indexes, "dynamodb:Query"),
		allow("UseBlobs", []string{n.bucketArn("/*")}, "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
		allow("FindBlobs", []string{n.bucketArn("")}, "s3:ListBucket"),
	}
}

// publish allows events, and looking whether the bus is there: EventBridge takes events for one that is not, and drops them.
func publish(n names) awsiam.PolicyStatement {
	return allow("Publish", []string{n.busArn()}, "events:PutEvents", "events:DescribeEventBus")
}

func invoke(arns ...string) awsiam.PolicyStatement {
	return allow("Invoke", arns, "lambda:InvokeFunction")
}

func receive(n names) awsiam.PolicyStatement {
	return allow("ReceiveEvents", []string{n.queueArn(manifest.SensorFunction)}, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
}

// sendMail allows mails from the sender, by the configuration set. While an account is in the sandbox, SES asks for the right to the
// recipients' identities too.
func sendMail(n names, s settings.Settings) []awsiam.PolicyStatement {
	if s.Sender == "" {
		return nil
	}
	sender := settings.Address(s.Sender)
	identities := []string{sender, sender[strings.LastIndexByte(sender, '@')+1:]}
	for _, to := range s.Recipients {
		identities = append(identities, settings.Address(to))
	}
	arns := []string{n.arn("ses", "configuration-set", n.base())}
	for _, identity := range identities {
		if arn := n.arn("ses", "identity", identity); !slices.Contains(arns, arn) {
			arns = append(arns, arn)
		}
	}
	return []awsiam.PolicyStatement{allow("SendMail", arns, "ses:SendRawEmail")}
}

// readSecrets allows reading the secrets that variables and channels refer to. The name of a secret in Secrets Manager is followed by six
// characters of AWS's.
func readSecrets(n names, references []string) []awsiam.PolicyStatement {
	var parameters, secrets []string
	for _, reference := range references {
		scheme, name, _ := secret.Ref(reference).Parts()
		name, _, _ = strings.Cut(name, "#")
		switch {
		case scheme == secret.SchemeSSM && strings.HasPrefix(name, "arn:"):
			parameters = append(parameters, name)
		case scheme == secret.SchemeSSM:
			parameters = append(parameters, n.arn("ssm", "parameter", strings.TrimPrefix(name, "/")))
		case scheme == secret.SchemeSecretsManager && strings.HasPrefix(name, "arn:"):
			secrets = append(secrets, name)
		case scheme == secret.SchemeSecretsManager:
			secrets = append(secrets, n.colonArn("secretsmanager", "secret", name+"-??????"))
		}
	}
	var statements []awsiam.PolicyStatement
	if len(parameters) > 0 {
		statements = append(statements, allow("ReadParameters", distinct(parameters), "ssm:GetParameter"))
	}
	if len(secrets) > 0 {
		statements = append(statements, allow("ReadSecrets", distinct(secrets), "secretsmanager:GetSecretValue"))
	}
	return statements
}

func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}
