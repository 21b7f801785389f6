package stacks_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"waggle/infra/settings"
	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/secret"
)

func TestEachFunctionIsAsTheManifestSays(t *testing.T) {
	for name, want := range map[string]struct {
		memory, timeout float64
		loop            string
	}{"run": {3008, 900, "Allow"}, "step": {2048, 900, "Allow"}, "sensor": {512, 60, "Allow"}, "monitor": {512, 55, "Terminate"}} {
		_, f := runs.function(t, name)
		p := f.Properties
		if p["MemorySize"] != want.memory || p["Timeout"] != want.timeout || p["RecursiveLoop"] != want.loop || p["Runtime"] != "provided.al2023" || p["Handler"] != "bootstrap" || text(p["Architectures"]) != `["arm64"]` {
			t.Errorf("%s: %v", name, p)
		}
		if _, reserved := p["ReservedConcurrentExecutions"]; reserved {
			t.Errorf("%s reserves concurrency, which a new account cannot", name)
		}
	}
	for _, r := range changed(t, func(s *settings.Settings) { s.Architecture = "amd64" }).all(t, "AWS::Lambda::Function") {
		if text(r.Properties["Architectures"]) != `["x86_64"]` {
			t.Errorf("%v", r.Properties["Architectures"])
		}
	}
}

func TestASensorMayHaveAFunctionOfItsOwn(t *testing.T) {
	d := shop
	d.Manifest.Functions = append(slices.Clone(d.Manifest.Functions), manifest.Function{Name: "sensor-heavy", Program: "sensor", Sensor: "heavy", Zips: zipsOf("sensor"), MemoryMB: 1024, TimeoutSeconds: 900})
	_, tm, err := synthesize(d)
	if err != nil {
		t.Fatal(err)
	}
	_, shared := tm.function(t, "sensor")
	_, own := tm.function(t, "sensor-heavy")
	variables := own.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
	if diff := cmp.Diff(shared.Properties["Code"], own.Properties["Code"]); diff != "" || variables["WAGGLE_SENSOR"] != "heavy" || own.Properties["Timeout"] != 900.0 || own.Properties["RecursiveLoop"] != "Allow" {
		t.Errorf("%v\n%s", own.Properties, diff)
	}
	const function = "arn::lambda:::function:waggle-test-"
	for name, want := range map[string]string{
		"sensor":       function + "run:* " + function + "sensor " + function + "sensor-heavy",
		"monitor":      function + "run:* " + function + "sensor " + function + "sensor-heavy",
		"sensor-heavy": function + "run:* " + function + "sensor-heavy",
	} {
		if list := may(tm.role(t, name)); !slices.Contains(list, "Invoke: lambda:InvokeFunction on "+want) {
			t.Errorf("%s: %v", name, list)
		}
	}
	list := may(tm.role(t, "sensor-heavy"))
	for _, s := range may(runs.role(t, "sensor")) { // it tells people as the function of all others does, and takes nothing from the queue
		if logs, invoke, queue := strings.HasPrefix(s, "WriteLogs"), strings.HasPrefix(s, "Invoke"), strings.HasPrefix(s, "ReceiveEvents"); slices.Contains(list, s) == (logs || invoke || queue) {
			t.Errorf("%s, among %v", s, list)
		}
	}
}

func TestVariablesOfTheEnvironment(t *testing.T) {
	common := map[string]string{"WAGGLE_ENV": "test", "WAGGLE_TABLE": "waggle-test", "WAGGLE_BUCKET": "waggle-test--", "WAGGLE_BUS": "waggle-test",
		"WAGGLE_LINK_BASE": "https://waggle.example.com", "WAGGLE_LOG_LEVEL": "info", "MAIL_FROM": "Waggle <waggle@example.com>", "MAIL_TO": "team@example.org, Ops <ops@example.com>",
		"SLACK_WEBHOOK_URL": "ssm:/waggle/test/slack", "HOOK_URL": "ssm:/shop/hook", "SLACK_CHANNEL": "C024"}
	run, step := "{"+runs.version(t, "run")+"}", "{"+runs.version(t, "step")+"}"
	for name, own := range map[string]map[string]string{
		"run":     {"WAGGLE_STEP_FUNCTION": step, "WAGGLE_SENSOR_FUNCTION": "waggle-test-sensor"},
		"step":    {"WAGGLE_SENSOR_FUNCTION": "waggle-test-sensor"},
		"sensor":  {"WAGGLE_RUN_FUNCTION": run, "WAGGLE_SENSOR_FUNCTION": "waggle-test-sensor"},
		"monitor": {"WAGGLE_RUN_FUNCTION": run, "WAGGLE_SENSOR_FUNCTION": "waggle-test-sensor"},
	} {
		_, f := runs.function(t, name)
		got := map[string]string{}
		for key, value := range f.Properties["Environment"].(map[string]any)["Variables"].(map[string]any) {
			got[key] = text(value)
		}
		maps.Copy(own, common)
		if diff := cmp.Diff(own, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestVariablesWithSecretsHoldReferences(t *testing.T) {
	checked := 0
	for id, f := range runs.all(t, "AWS::Lambda::Function") {
		variables := f.Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		for _, c := range shop.Manifest.Channels {
			for _, v := range c.Variables {
				scheme, _, ok := secret.Ref(text(variables[v.Name])).Parts()
				if v.Secret && (!ok || scheme == secret.SchemeEnv) {
					t.Errorf("%s: %s holds %v", id, v.Name, variables[v.Name])
				}
				checked++
			}
		}
	}
	if checked != 8 {
		t.Errorf("%d variables were looked at", checked)
	}
	for id, r := range runs.Resources {
		if r.Type == "AWS::SecretsManager::Secret" || r.Type == "AWS::SSM::Parameter" && text(r.Properties["Name"]) != "/waggle/test/deployment" {
			t.Errorf("%s holds a secret", id)
		}
	}
}

func TestAVersionAndHowItIsInvokedAreKeptForTheRunsThatBeganWithIt(t *testing.T) {
	for id, r := range runs.all(t, "AWS::Lambda::Version") {
		if r.DeletionPolicy != "RetainExceptOnCreate" || r.UpdateReplacePolicy != "Retain" {
			t.Errorf("%s is not kept", id)
		}
	}
	monitor, _ := runs.function(t, "monitor")
	for _, name := range []string{"run", "step"} {
		function, _ := runs.function(t, name)
		_, c := runs.named(t, "AWS::Lambda::EventInvokeConfig", "FunctionName", "{"+function+"}")
		p := c.Properties
		if text(p["Qualifier"]) != "{"+runs.version(t, name)+".Version}" || p["MaximumRetryAttempts"] != 0.0 || c.UpdateReplacePolicy != "Retain" || c.DeletionPolicy != "RetainExceptOnCreate" ||
			text(p["DestinationConfig"].(map[string]any)["OnFailure"].(map[string]any)["Destination"]) != "{"+monitor+".Arn}" {
			t.Errorf("%s: %v %s", name, p, c.UpdateReplacePolicy)
		}
	}
	_, c := runs.named(t, "AWS::Lambda::EventInvokeConfig", "FunctionName", "{"+monitor+"}")
	if c.Properties["Qualifier"] != "$LATEST" || c.Properties["MaximumRetryAttempts"] != 0.0 {
		t.Errorf("monitor: %v", c.Properties)
	}
}

func TestLogsEnd(t *testing.T) {
	for _, name := range []string{"run", "step", "sensor", "monitor"} {
		id, logs := runs.named(t, "AWS::Logs::LogGroup", "LogGroupName", "/aws/lambda/waggle-test-"+name)
		_, f := runs.function(t, name)
		if logs.Properties["RetentionInDays"] != 90.0 || text(f.Properties["LoggingConfig"].(map[string]any)["LogGroup"]) != "{"+id+"}" {
			t.Errorf("%s: %v, %v", name, logs.Properties, f.Properties["LoggingConfig"])
		}
	}
}

// may lists what a role allows, as "Sid: actions on resources".
func may(statements []statement) []string {
	var list []string
	for _, s := range statements {
		list = append(list, s.Sid+": "+strings.Join(s.Actions, " ")+" on "+strings.Join(s.Resources, " "))
	}
	return list
}

func TestEachRoleMayDoWhatItsFunctionDoesAndNoMore(t *testing.T) {
	const (
		table   = "UseTable: dynamodb:GetItem dynamodb:Query dynamodb:PutItem dynamodb:DeleteItem dynamodb:BatchWriteItem dynamodb:ConditionCheckItem on arn::dynamodb:::table/waggle-test"
		indexes = "QueryIndexes: dynamodb:Query on arn::dynamodb:::table/waggle-test/index/due arn::dynamodb:::table/waggle-test/index/all arn::dynamodb:::table/waggle-test/index/job arn::dynamodb:::table/waggle-test/index/status arn::dynamodb:::table/waggle-test/index/job_status"
		blobs   = "UseBlobs: s3:GetObject s3:PutObject s3:AbortMultipartUpload on arn::s3:::waggle-test--/*"
		find    = "FindBlobs: s3:ListBucket on arn::s3:::waggle-test--"
		publish = "Publish: events:PutEvents events:DescribeEventBus on arn::events:::event-bus/waggle-test"
		lambda  = "arn::lambda:::function:waggle-test-"
	)
	for name, want := range map[string][]string{
		"step": {"Invoke: lambda:InvokeFunction on " + lambda + "run:* " + lambda + "sensor " + lambda + "monitor"},
		"run":  {publish, "Invoke: lambda:InvokeFunction on " + lambda + "run:* " + lambda + "step:* " + lambda + "sensor " + lambda + "monitor"},
		"sensor": {publish, "ReceiveEvents: sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes on arn::sqs:::waggle-test-sensor",
			"Invoke: lambda:InvokeFunction on " + lambda + "run:* " + lambda + "sensor",
			"SendMail: ses:SendRawEmail on arn::ses:::configuration-set/waggle-test arn::ses:::identity/waggle@example.com arn::ses:::identity/example.com arn::ses:::identity/team@example.org arn::ses:::identity/ops@example.com",
			"ReadParameters: ssm:GetParameter on arn::ssm:::parameter/shop/hook arn::ssm:::parameter/waggle/test/slack",
			"ReadSecrets: secretsmanager:GetSecretValue on arn::secretsmanager:::secret:shop/key-??????"},
		"monitor": {"Invoke: lambda:InvokeFunction on " + lambda + "run:* " + lambda + "sensor"},
	} {
		logs, _ := runs.named(t, "AWS::Logs::LogGroup", "LogGroupName", "/aws/lambda/waggle-test-"+name)
		want = append([]string{"WriteLogs: logs:CreateLogStream logs:PutLogEvents on {" + logs + ".Arn}", table, indexes, blobs, find}, want...)
		if diff := cmp.Diff(want, may(runs.role(t, name))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if roles := runs.all(t, "AWS::IAM::Role"); len(roles) != 5 { // and that of schedules
		t.Errorf("%d roles", len(roles))
	}
}

func TestNothingIsAllowedByAWildcardThatNeedNotBe(t *testing.T) {
	needed := []string{"arn::s3:::waggle-test--/*", "arn::lambda:::function:waggle-test-run:*", "arn::lambda:::function:waggle-test-step:*"}
	seen := 0
	for _, tm := range []template{stays, runs} {
		for id, r := range tm.Resources {
			documents := []any{}
			if r.Properties["PolicyDocument"] != nil {
				documents = append(documents, r.Properties["PolicyDocument"])
			}
			for _, policy := range items(r.Properties["Policies"]) {
				if policy != nil {
					documents = append(documents, policy.(map[string]any)["PolicyDocument"])
				}
			}
			for _, d := range documents {
				for _, s := range document(d) {
					seen++
					for _, action := range s.Actions {
						if s.Effect == "Allow" && strings.Contains(action, "*") {
							t.Errorf("%s allows %s", id, action)
						}
					}
					for _, of := range s.Resources {
						if s.Effect == "Allow" && (of == "" || strings.Contains(of, "*") && !slices.Contains(needed, of)) {
							t.Errorf("%s allows %v on %q", id, s.Actions, of)
						}
					}
				}
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d statements were looked at", seen)
	}
}

func TestAFunctionThatIsNotBuiltIsAnErrorThatSaysWhatToDo(t *testing.T) {
	d := shop
	d.Dist = t.TempDir()
	if _, _, err := synthesize(d); !errors.Is(err, fault.NotFound) || !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "function run: ") || !strings.HasSuffix(err.Error(), "(make build)") {
		t.Errorf("got %v", err)
	}
}

func TestTheParameterTellsCommandsWhereTheDeploymentIs(t *testing.T) {
	_, p := runs.named(t, "AWS::SSM::Parameter", "Name", "/waggle/test/deployment")
	want := `{"bucket":"waggle-test--","bus":"waggle-test","code_version":"0123456789ab","run_function":"{` + runs.version(t, "run") + `}","sensor_function":"waggle-test-sensor","table":"waggle-test"}`
	if got := text(p.Properties["Value"]); got != want || p.Properties["Type"] != "String" {
		t.Errorf("got %s, want %s", got, want)
	}
}
