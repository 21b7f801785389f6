package stacks

import (
	"maps"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"

	"waggle/shared/manifest"
	"waggle/shared/metric"
)

// alarm is a sum over some minutes that is at a threshold or over it, or under it.
type alarm struct {
	id, about         string
	namespace, metric string
	dimension, of     string
	statistic         string
	minutes           int
	under             bool // it rings under a threshold of 1, also where nothing is measured
}

// watch makes alarms that need nothing of Waggle to ring, the topic that they ring on, and a dashboard. There are ten: AWS charges from
// the eleventh on.
func (a app) watch() {
	topic := awssns.NewCfnTopic(a.stack, jsii.String("Alarms"), &awssns.CfnTopicProps{TopicName: jsii.String(a.of("alarms"))})
	if to := a.Settings.AlarmMail; to != "" {
		awssns.NewCfnSubscription(a.stack, jsii.String("AlarmMail"), &awssns.CfnSubscriptionProps{TopicArn: topic.Ref(), Protocol: jsii.String("email"), Endpoint: jsii.String(to)})
	}
	awssns.NewCfnTopicPolicy(a.stack, jsii.String("AlarmsPolicy"), &awssns.CfnTopicPolicyProps{Topics: &[]*string{topic.Ref()},
		PolicyDocument: document(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{Sid: jsii.String("FromAlarms"), Actions: jsii.Strings("sns:Publish"),
			Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)}, Resources: &[]*string{topic.Ref()},
			Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": a.stack.Account()}}}))})
	for _, r := range a.alarms() {
		threshold, missing := "GreaterThanOrEqualToThreshold", "notBreaching"
		if r.under {
			threshold, missing = "LessThanThreshold", "breaching"
		}
		awscloudwatch.NewCfnAlarm(a.stack, jsii.String(camel(r.id)+"Alarm"), &awscloudwatch.CfnAlarmProps{
			AlarmName: jsii.String(a.of(r.id)), AlarmDescription: &r.about, AlarmActions: &[]any{topic.Ref()}, OkActions: &[]any{topic.Ref()},
			Namespace: &r.namespace, MetricName: &r.metric, Dimensions: []any{&awscloudwatch.CfnAlarm_DimensionProperty{Name: &r.dimension, Value: jsii.String(a.of(r.of))}},
			Statistic: &r.statistic, Period: jsii.Number(60 * r.minutes), EvaluationPeriods: jsii.Number(1), Threshold: jsii.Number(1),
			ComparisonOperator: &threshold, TreatMissingData: &missing,
		})
	}
	a.dashboard()
}

func (a app) alarms() []alarm {
	ofFunction := func(id, about, name, metric string) alarm {
		return alarm{id: id, about: about, namespace: "AWS/Lambda", metric: metric, dimension: "FunctionName", of: name, statistic: "Sum", minutes: 5}
	}
	dead := func(end, about string) alarm {
		return alarm{id: end, about: about, namespace: "AWS/SQS", metric: "ApproximateNumberOfMessagesVisible", dimension: "QueueName", of: end, statistic: "Maximum", minutes: 1}
	}
	silent := ofFunction("monitor-silent", "The monitor did not run for five minutes: what is due is not woken", manifest.MonitorFunction, "Invocations")
	silent.under = true
	return []alarm{
		ofFunction("run-errors", "The function run died or timed out; the monitor takes its runs over", manifest.RunFunction, "Errors"),
		ofFunction("step-errors", "The function step died or timed out; its step failed", manifest.StepFunction, "Errors"),
		ofFunction("sensor-errors", "The function sensor failed; its events are brought again", manifest.SensorFunction, "Errors"),
		ofFunction("monitor-errors", "The monitor failed; it looks again each minute", manifest.MonitorFunction, "Errors"),
		ofFunction("run-throttles", "The account's concurrency does not allow more runs", manifest.RunFunction, "Throttles"),
		ofFunction("sensor-throttles", "The account's concurrency does not allow more sensors", manifest.SensorFunction, "Throttles"),
		dead(manifest.SensorDead, "Events could not be handled five times and wait in a queue"),
		dead(manifest.RulesDead, "Events did not reach the sensors' queue and wait in another"),
		dead(manifest.SchedulesDead, "Launches by schedule did not reach their function and wait in a queue"),
		silent,
	}
}

// dashboard shows for each function what it does, how long it takes and what fails, what waits, which runs failed and how soon people were told.
func (a app) dashboard() {
	var names []string
	for _, f := range a.Manifest.Functions {
		names = append(names, f.Name)
	}
	perFunction := func(metric, statistic string) map[string]any {
		var metrics []any
		for _, name := range names {
			metrics = append(metrics, []any{"AWS/Lambda", metric, "FunctionName", a.of(name), map[string]any{"label": name, "stat": statistic}})
		}
		return map[string]any{"title": metric, "metrics": metrics}
	}
	var waiting []any
	for _, end := range append([]string{manifest.SensorFunction}, manifest.DeadQueues()...) {
		waiting = append(waiting, []any{"AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", a.of(end), map[string]any{"label": end, "stat": "Maximum"}})
	}
	table := []any{}
	for _, metric := range []string{"ConsumedWriteCapacityUnits", "ConsumedReadCapacityUnits"} {
		table = append(table, []any{"AWS/DynamoDB", metric, "TableName", a.base(), map[string]any{"label": metric, "stat": "Sum"}})
	}
	// What functions say themselves, by metrics in their logs.
	said := func(name metric.Name, statistic, label string) []any {
		return []any{metric.Namespace, name, metric.Dimension, a.environment, map[string]any{"label": label, "stat": statistic}}
	}
	ended := []any{said(metric.RunsFailed, "SampleCount", "runs that ended"), said(metric.RunsFailed, "Sum", "of them failed"), said(metric.MessagesDead, "Sum", "messages given up")}
	told := []any{said(metric.AlertMilliseconds, "p50", "median"), said(metric.AlertMilliseconds, "p99", "99 of 100")}
	graphs := []map[string]any{perFunction("Invocations", "Sum"), perFunction("Errors", "Sum"), perFunction("Throttles", "Sum"), perFunction("Duration", "p95"),
		{"title": "Waiting in queues", "metrics": waiting}, {"title": "Units of the table", "metrics": table},
		{"title": "Runs and messages", "metrics": ended}, {"title": "Milliseconds until people are told", "metrics": told}}
	var widgets []any
	for i, graph := range graphs {
		properties := map[string]any{"region": a.stack.Region(), "view": "timeSeries", "period": 300}
		maps.Copy(properties, graph)
		widgets = append(widgets, map[string]any{"type": "metric", "x": 12 * (i % 2), "y": 6 * (i / 2), "width": 12, "height": 6, "properties": properties})
	}
	awscloudwatch.NewCfnDashboard(a.stack, jsii.String("Dashboard"), &awscloudwatch.CfnDashboardProps{DashboardName: jsii.String(a.base()),
		DashboardBody: a.stack.ToJsonString(map[string]any{"widgets": widgets}, nil)})
}
