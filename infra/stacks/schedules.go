package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsscheduler"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"waggle/shared/manifest"
)

// monitorSchedule has a dash, which no schedule of a pipeline has.
const monitorSchedule = "waggle-monitor"

// A launch is tried for an hour. After that the monitor has launched it.
const (
	launchTries = 10
	launchAge   = 60 * 60
)

// schedules makes one of EventBridge Scheduler for each schedule of the manifest, and one that wakes the monitor each minute.
func (a app) schedules(f functions) {
	group := awsscheduler.NewCfnScheduleGroup(a.stack, jsii.String("Schedules"), &awsscheduler.CfnScheduleGroupProps{Name: jsii.String(a.base())})
	dead := a.deadQueue(manifest.SchedulesDead)
	role := awsiam.NewRole(a.stack, jsii.String("SchedulesRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("scheduler.amazonaws.com"), &awsiam.ServicePrincipalOpts{Conditions: &map[string]any{
			"StringEquals": map[string]any{"aws:SourceAccount": a.stack.Account()},
			"ArnEquals":    map[string]any{"aws:SourceArn": a.arn("scheduler", "schedule-group", a.base())}}}),
		InlinePolicies: &map[string]awsiam.PolicyDocument{"schedules": document(
			invoke(*f.run.version().FunctionArn(), a.functionArn(manifest.MonitorFunction)),
			allow("KeepDead", []string{*dead.AttrArn()}, "sqs:SendMessage"))},
	})
	launches := constructs.NewConstruct(a.stack, jsii.String("Launch")) // keeps ids apart that differ by _ alone
	schedule := func(scope constructs.Construct, id, name, expression, zone, input string, target *string, tries, age int) {
		awsscheduler.NewCfnSchedule(scope, &id, &awsscheduler.CfnScheduleProps{
			Name: &name, GroupName: group.Ref(), ScheduleExpression: &expression, ScheduleExpressionTimezone: &zone, State: jsii.String("ENABLED"),
			FlexibleTimeWindow: &awsscheduler.CfnSchedule_FlexibleTimeWindowProperty{Mode: jsii.String("OFF")},
			Target: &awsscheduler.CfnSchedule_TargetProperty{Arn: target, RoleArn: role.RoleArn(), Input: &input,
				RetryPolicy:      &awsscheduler.CfnSchedule_RetryPolicyProperty{MaximumRetryAttempts: jsii.Number(tries), MaximumEventAgeInSeconds: jsii.Number(age)},
				DeadLetterConfig: &awsscheduler.CfnSchedule_DeadLetterConfigProperty{Arn: dead.AttrArn()}},
		})
	}
	for _, s := range a.Manifest.Schedules {
		input := `{"schedule":"` + s.Name + `","time":"<aws.scheduler.scheduled-time>"}` // Scheduler puts the time in; a name needs no escaping
		schedule(launches, s.Name, s.Name, s.Expression, s.TimeZone, input, f.run.version().FunctionArn(), launchTries, launchAge)
	}
	// The next minute comes: what failed is not tried again.
	schedule(a.stack, "MonitorSchedule", monitorSchedule, "rate(1 minute)", "UTC", `{"monitor":true}`, f.monitor.function.FunctionArn(), 0, 60)
}
