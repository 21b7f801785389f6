package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
)

// names are what things are called in the account. All follow from the environment, so that the two stacks, and a role and what it may
// use, refer to each other without depending on each other.
//
//	waggle-ENV                       table, bus, group of schedules, dashboard, configuration set of mails
//	waggle-ENV-run|step|sensor|monitor   functions
//	waggle-ENV-sensor                queue; with -dead behind it, what could not be handled
//	waggle-ENV-rules-dead            events that did not reach the queue
//	waggle-ENV-schedules-dead        launches that did not reach their function
//	waggle-ENV-ACCOUNT-REGION        bucket
//	/waggle/ENV/deployment           parameter
type names struct {
	environment string
	stack       awscdk.Stack // of whoever asks: its account and region are in the ARNs
}

func (n names) base() string { return "waggle-" + n.environment }

// of is the name of one thing among several of its kind.
func (n names) of(what string) string { return n.base() + "-" + what }

func (n names) bucket() string {
	return strings.Join([]string{n.base(), *n.stack.Account(), *n.stack.Region()}, "-")
}

// parameter is the name of a parameter of Systems Manager.
func (n names) parameter(what string) string { return "/waggle/" + n.environment + "/" + what }

// arn is the ARN of a thing in the account and region: table/NAME, event-bus/NAME.
func (n names) arn(service, resource, name string) string {
	return *n.stack.FormatArn(&awscdk.ArnComponents{Service: &service, Resource: &resource, ResourceName: &name})
}

// colonArn is arn for services that write a colon before the name.
func (n names) colonArn(service, resource, name string) string {
	return *n.stack.FormatArn(&awscdk.ArnComponents{Service: &service, Resource: &resource, ResourceName: &name, ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME})
}

// bucketArn is the ARN of a bucket or of objects in it.
func (n names) bucketArn(objects string) string {
	resource := n.bucket() + objects
	return *n.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("s3"), Account: jsii.String(""), Region: jsii.String(""), Resource: &resource, ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME})
}

func (n names) queueArn(what string) string {
	name := n.of(what)
	return *n.stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("sqs"), Resource: &name, ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME})
}

func (n names) tableArn() string { return n.arn("dynamodb", "table", n.base()) }

func (n names) busArn() string { return n.arn("events", "event-bus", n.base()) }

// functionArn is the ARN of a function, without a version.
func (n names) functionArn(name string) string { return n.colonArn("lambda", "function", n.of(name)) }

// versionsArn is that of all versions of a function: a run ends on the one that it began with, long after the next was deployed.
func (n names) versionsArn(name string) string { return n.functionArn(name) + ":*" }
