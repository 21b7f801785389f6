package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"waggle/shared/manifest"
)

// fortnight is how long what could not be delivered is kept: the longest time that SQS knows.
const fortnight = 14 * 24 * 60 * 60

const (
	// visibility is six times the sensor's timeout, as Lambda asks for.
	visibility = 360
	// maxReceive is how often an event is brought before it is dead.
	maxReceive = 5
	// sensorsAtOnce keeps a burst of events from taking all concurrency of a small account; throttled invocations would count as tries.
	sensorsAtOnce = 5
	day           = 24 * 60 * 60
	// ruleTries is what EventBridge tries in a day by itself.
	ruleTries = 185
)

// deadQueue is a queue for what could not be delivered.
func (a app) deadQueue(end string) awssqs.CfnQueue {
	return awssqs.NewCfnQueue(a.stack, jsii.String(camel(end)), &awssqs.CfnQueueProps{QueueName: jsii.String(a.of(end)), SqsManagedSseEnabled: jsii.Bool(true),
		MessageRetentionPeriod: jsii.Number(fortnight)})
}

// bringEvents is the way from the bus to the sensor function: a rule for each type of events that any sensor wants, one queue, batches.
func (a app) bringEvents(sensor goFunction) {
	dead, rules := a.deadQueue(manifest.SensorDead), a.deadQueue(manifest.RulesDead)
	queue := awssqs.NewCfnQueue(a.stack, jsii.String("SensorQueue"), &awssqs.CfnQueueProps{QueueName: jsii.String(a.of(manifest.SensorFunction)), SqsManagedSseEnabled: jsii.Bool(true),
		VisibilityTimeout: jsii.Number(visibility), MessageRetentionPeriod: jsii.Number(fortnight),
		RedrivePolicy: map[string]any{"deadLetterTargetArn": dead.AttrArn(), "maxReceiveCount": maxReceive}})
	var ruleArns []string
	for _, detailType := range a.Manifest.DetailTypes() {
		name := a.of(strings.ToLower(strings.ReplaceAll(detailType, " ", "-")))
		awsevents.NewCfnRule(a.stack, jsii.String(strings.ReplaceAll(detailType, " ", "")+"Rule"), &awsevents.CfnRuleProps{
			Name: &name, EventBusName: jsii.String(a.base()), State: jsii.String("ENABLED"),
			EventPattern: map[string]any{"source": []string{"waggle"}, "detail-type": []string{detailType}},
			Targets: []any{&awsevents.CfnRule_TargetProperty{Id: jsii.String("sensors"), Arn: queue.AttrArn(),
				DeadLetterConfig: &awsevents.CfnRule_DeadLetterConfigProperty{Arn: rules.AttrArn()},
				RetryPolicy:      &awsevents.CfnRule_RetryPolicyProperty{MaximumEventAgeInSeconds: jsii.Number(day), MaximumRetryAttempts: jsii.Number(ruleTries)}}},
		})
		ruleArns = append(ruleArns, a.arn("events", "rule", a.base()+"/"+name))
	}
	if len(ruleArns) > 0 {
		a.takeFromRules("SensorQueuePolicy", queue, ruleArns)
		a.takeFromRules("RulesDeadPolicy", rules, ruleArns)
	}
	awslambda.NewCfnEventSourceMapping(a.stack, jsii.String("SensorEvents"), &awslambda.CfnEventSourceMappingProps{
		FunctionName: sensor.function.FunctionName(), EventSourceArn: queue.AttrArn(), BatchSize: jsii.Number(10), MaximumBatchingWindowInSeconds: jsii.Number(0),
		FunctionResponseTypes: jsii.Strings("ReportBatchItemFailures"),
		ScalingConfig:         &awslambda.CfnEventSourceMapping_ScalingConfigProperty{MaximumConcurrency: jsii.Number(sensorsAtOnce)},
	})
}

// takeFromRules lets EventBridge send to a queue, for these rules alone.
func (a app) takeFromRules(id string, queue awssqs.CfnQueue, rules []string) {
	statement := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Sid: jsii.String("FromRules"), Actions: jsii.Strings("sqs:SendMessage"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Resources:  &[]*string{queue.AttrArn()}, Conditions: &map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rules}}})
	awssqs.NewCfnQueuePolicy(a.stack, &id, &awssqs.CfnQueuePolicyProps{Queues: &[]*string{queue.Ref()}, PolicyDocument: document(statement)})
}

// title is a word with a capital letter.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// camel is words joined by dashes as the id of a construct: sensor-dead is SensorDead.
func camel(words string) string {
	var id string
	for _, word := range strings.Split(words, "-") {
		id += title(word)
	}
	return id
}
