package stacks_test

import (
	"encoding/json"
	"strings"
	"testing"

	"waggle/infra/settings"
)

func TestAlarmsRingOnTheTopicAndAreNoMoreThanAreFree(t *testing.T) {
	topic, _ := runs.named(t, "AWS::SNS::Topic", "TopicName", "waggle-test-alarms")
	alarms := runs.all(t, "AWS::CloudWatch::Alarm")
	if len(alarms) > 10 {
		t.Errorf("%d alarms", len(alarms))
	}
	watched := map[string]string{}
	for id, a := range alarms {
		p := a.Properties
		if text(p["AlarmActions"]) != `[{"Ref":"`+topic+`"}]` || p["Threshold"] != 1.0 || p["AlarmDescription"] == "" {
			t.Errorf("%s: %v", id, p)
		}
		dimension := items(p["Dimensions"])[0].(map[string]any)
		watched[text(p["MetricName"])] += " " + strings.TrimPrefix(text(dimension["Value"]), "waggle-test-")
		name := text(dimension["Value"])
		found := false
		for _, r := range runs.Resources {
			found = found || r.Properties["FunctionName"] == name || r.Properties["QueueName"] == name
		}
		if !found {
			t.Errorf("%s watches %s, which is not there", id, name)
		}
		if silent := p["TreatMissingData"] == "breaching"; silent != (p["MetricName"] == "Invocations") || silent && p["ComparisonOperator"] != "LessThanThreshold" {
			t.Errorf("%s: %v", id, p)
		}
	}
	for metric, want := range map[string][]string{"Errors": {"run", "step", "sensor", "monitor"}, "Throttles": {"run", "sensor"}, "Invocations": {"monitor"},
		"ApproximateNumberOfMessagesVisible": {"sensor-dead", "rules-dead", "schedules-dead"}} {
		for _, name := range want {
			if !strings.Contains(watched[metric]+" ", " "+name+" ") {
				t.Errorf("no alarm watches %s of %s", metric, name)
			}
		}
	}
}

func TestAlarmsAreMailedWhereAnAddressIsGiven(t *testing.T) {
	_, mail := runs.named(t, "AWS::SNS::Subscription", "Endpoint", "alarms@example.com")
	if mail.Properties["Protocol"] != "email" {
		t.Errorf("%v", mail.Properties)
	}
	for id, r := range changed(t, func(s *settings.Settings) { s.AlarmMail = "" }).Resources {
		if r.Type == "AWS::SNS::Subscription" {
			t.Errorf("%s: nobody asked for it", id)
		}
	}
	_, policy := runs.named(t, "AWS::SNS::TopicPolicy", "Topics", `[{"Ref":"Alarms"}]`)
	if s := document(policy.Properties["PolicyDocument"]); len(s) != 1 || s[0].Actions[0] != "sns:Publish" {
		t.Errorf("%v", s)
	}
}

func TestTheDashboardShowsEveryFunction(t *testing.T) {
	_, dashboard := runs.named(t, "AWS::CloudWatch::Dashboard", "DashboardName", "waggle-test")
	body := text(dashboard.Properties["DashboardBody"])
	if !json.Valid([]byte(body)) {
		t.Fatalf("no JSON: %s", body)
	}
	for _, f := range shop.Manifest.Functions {
		if strings.Count(body, `"waggle-test-`+f.Name+`",{"label":"`+f.Name+`"`) < 4 {
			t.Errorf("it lacks %s", f.Name)
		}
	}
}
