package stacks_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/infra/settings"
)

func TestEachTypeOfEventsThatASensorWantsHasARuleToTheQueue(t *testing.T) {
	queue, _ := runs.named(t, "AWS::SQS::Queue", "QueueName", "waggle-test-sensor")
	dead, _ := runs.named(t, "AWS::SQS::Queue", "QueueName", "waggle-test-rules-dead")
	for name, detailType := range map[string]string{"waggle-test-run-status-change": "Run Status Change", "waggle-test-asset-materialized": "Asset Materialized"} {
		_, rule := runs.named(t, "AWS::Events::Rule", "Name", name)
		p := rule.Properties
		if p["EventBusName"] != "waggle-test" || p["State"] != "ENABLED" || text(p["EventPattern"]) != `{"detail-type":["`+detailType+`"],"source":["waggle"]}` {
			t.Errorf("%s: %v", name, p)
		}
		target := items(p["Targets"])[0].(map[string]any)
		if text(target["Arn"]) != "{"+queue+".Arn}" || text(target["DeadLetterConfig"].(map[string]any)["Arn"]) != "{"+dead+".Arn}" ||
			text(target["RetryPolicy"]) != `{"MaximumEventAgeInSeconds":86400,"MaximumRetryAttempts":185}` {
			t.Errorf("%s: %v", name, target)
		}
	}
	if rules := runs.all(t, "AWS::Events::Rule"); len(rules) != 2 {
		t.Errorf("%d rules", len(rules))
	}
}

func TestOnlyTheRulesMaySendToTheQueues(t *testing.T) {
	for _, name := range []string{"waggle-test-sensor", "waggle-test-rules-dead"} {
		queue, _ := runs.named(t, "AWS::SQS::Queue", "QueueName", name)
		_, policy := runs.named(t, "AWS::SQS::QueuePolicy", "Queues", `[{"Ref":"`+queue+`"}]`)
		s := items(policy.Properties["PolicyDocument"].(map[string]any)["Statement"])
		rule := s[0].(map[string]any)
		from := rule["Condition"].(map[string]any)["ArnEquals"].(map[string]any)["aws:SourceArn"]
		want := []string{"arn::events:::rule/waggle-test/waggle-test-asset-materialized", "arn::events:::rule/waggle-test/waggle-test-run-status-change"}
		if diff := cmp.Diff(want, texts(from)); diff != "" || len(s) != 1 || rule["Action"] != "sqs:SendMessage" || text(rule["Principal"]) != `{"Service":"events.amazonaws.com"}` {
			t.Errorf("%s: %v\n%s", name, rule, diff)
		}
	}
}

func TestEventsThatCannotBeHandledAreKept(t *testing.T) {
	_, queue := runs.named(t, "AWS::SQS::Queue", "QueueName", "waggle-test-sensor")
	dead, d := runs.named(t, "AWS::SQS::Queue", "QueueName", "waggle-test-sensor-dead")
	redrive := queue.Properties["RedrivePolicy"].(map[string]any)
	if queue.Properties["VisibilityTimeout"] != 360.0 || redrive["maxReceiveCount"] != 5.0 || text(redrive["deadLetterTargetArn"]) != "{"+dead+".Arn}" || d.Properties["MessageRetentionPeriod"] != 1209600.0 {
		t.Errorf("%v\n%v", queue.Properties, d.Properties)
	}
	for id, q := range runs.all(t, "AWS::SQS::Queue") {
		if q.Properties["SqsManagedSseEnabled"] != true {
			t.Errorf("%s is not encrypted", id)
		}
	}
	sensor, _ := runs.function(t, "sensor")
	_, source := runs.named(t, "AWS::Lambda::EventSourceMapping", "FunctionName", "{"+sensor+"}")
	p := source.Properties
	if p["BatchSize"] != 10.0 || p["MaximumBatchingWindowInSeconds"] != 0.0 || text(p["FunctionResponseTypes"]) != `["ReportBatchItemFailures"]` || text(p["ScalingConfig"]) != `{"MaximumConcurrency":5}` {
		t.Errorf("%v", p)
	}
}

func TestSchedulesFireInTheirTimeZoneAndKeepWhatCouldNotBeLaunched(t *testing.T) {
	run := runs.version(t, "run")
	dead, _ := runs.named(t, "AWS::SQS::Queue", "QueueName", "waggle-test-schedules-dead")
	group, _ := runs.named(t, "AWS::Scheduler::ScheduleGroup", "Name", "waggle-test")
	monitor, _ := runs.function(t, "monitor")
	for name, want := range map[string]struct{ expression, zone, arn, input, retry string }{
		"at_two":         {"cron(0 2 * * ? *)", "UTC", "{" + run + "}", `{"schedule":"at_two","time":"<aws.scheduler.scheduled-time>"}`, `{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":10}`},
		"attwo":          {"cron(0 2 ? * MON-FRI *)", "Europe/London", "{" + run + "}", `{"schedule":"attwo","time":"<aws.scheduler.scheduled-time>"}`, `{"MaximumEventAgeInSeconds":3600,"MaximumRetryAttempts":10}`},
		"waggle-monitor": {"rate(1 minute)", "UTC", "{" + monitor + ".Arn}", `{"monitor":true}`, `{"MaximumEventAgeInSeconds":60,"MaximumRetryAttempts":0}`},
	} {
		_, schedule := runs.named(t, "AWS::Scheduler::Schedule", "Name", name)
		p := schedule.Properties
		target := p["Target"].(map[string]any)
		if p["ScheduleExpression"] != want.expression || p["ScheduleExpressionTimezone"] != want.zone || p["State"] != "ENABLED" || text(p["GroupName"]) != "{"+group+"}" || text(p["FlexibleTimeWindow"]) != `{"Mode":"OFF"}` {
			t.Errorf("%s: %v", name, p)
		}
		if text(target["Arn"]) != want.arn || target["Input"] != want.input || text(target["RetryPolicy"]) != want.retry || text(target["DeadLetterConfig"].(map[string]any)["Arn"]) != "{"+dead+".Arn}" {
			t.Errorf("%s: %v", name, target)
		}
		role := idOf(target["RoleArn"])
		want := []string{"Invoke: lambda:InvokeFunction on {" + run + "} arn::lambda:::function:waggle-test-monitor", "KeepDead: sqs:SendMessage on {" + dead + ".Arn}"}
		if diff := cmp.Diff(want, may(statements(t, runs.Resources[role]))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		trust := items(runs.Resources[role].Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"])[0].(map[string]any)
		if text(trust["Condition"].(map[string]any)["ArnEquals"].(map[string]any)["aws:SourceArn"]) != "arn::scheduler:::schedule-group/waggle-test" {
			t.Errorf("%s: others may take the role: %v", name, trust)
		}
	}
	if schedules := runs.all(t, "AWS::Scheduler::Schedule"); len(schedules) != 3 {
		t.Errorf("%d schedules", len(schedules))
	}
}

func TestMailNeedsASender(t *testing.T) {
	set, _ := runs.named(t, "AWS::SES::ConfigurationSet", "Name", "waggle-test")
	_, identity := runs.named(t, "AWS::SES::EmailIdentity", "EmailIdentity", "waggle@example.com")
	if text(identity.Properties["ConfigurationSetAttributes"].(map[string]any)["ConfigurationSetName"]) != "{"+set+"}" {
		t.Errorf("%v", identity.Properties)
	}
	count := func(tm template, kind string) (n int) {
		for _, r := range tm.Resources {
			if r.Type == kind {
				n++
			}
		}
		return n
	}
	verified := changed(t, func(s *settings.Settings) { s.SenderVerified = true })
	none := changed(t, func(s *settings.Settings) { s.Sender = "" })
	if count(verified, "AWS::SES::EmailIdentity") != 0 || count(verified, "AWS::SES::ConfigurationSet") != 1 || count(none, "AWS::SES::ConfigurationSet") != 0 {
		t.Error("an identity that is there is made again, or mail is set up without a sender")
	}
	for _, s := range none.role(t, "sensor") {
		if s.Sid == "SendMail" {
			t.Error("the sensor may send mail, and there is no sender")
		}
	}
}
