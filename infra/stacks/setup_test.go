package stacks_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
	"waggle/infra/stacks"
	"waggle/shared/manifest"
)

// shop is a deployment that has something of everything, its functions stubs. No test changes it, and none runs beside another: CDK is one
// process that answers one call after the other.
var shop stacks.Deployment

// stays and runs are the templates of its stacks.
var stays, runs template

func TestMain(m *testing.M) {
	status := func() int {
		dist, err := os.MkdirTemp("", "dist")
		if err != nil {
			panic(err)
		}
		defer func() { _ = os.RemoveAll(dist) }()
		functions := manifest.Functions()
		for i := range functions {
			functions[i].Zips = zipsOf(functions[i].Program)
			for _, z := range functions[i].Zips {
				path := filepath.Join(dist, z.Path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					panic(err)
				}
				if err := os.WriteFile(path, []byte(z.Path), 0o600); err != nil {
					panic(err)
				}
			}
		}
		shop = stacks.Deployment{Dist: dist,
			Settings: settings.Settings{Environment: "test", Architecture: "arm64", Sender: "Waggle <waggle@example.com>", Recipients: []string{"team@example.org", "Ops <ops@example.com>"},
				LinkBase: "https://waggle.example.com", LogLevel: "info", LogRetentionDays: 90, AlarmMail: "alarms@example.com", MemoryMB: map[string]int{"run": 3008},
				Variables: map[string]string{"HOOK_URL": "ssm:/shop/hook", "SLACK_CHANNEL": "C024"}},
			Manifest: manifest.Manifest{Version: 1, CodeVersion: "0123456789ab", Functions: functions,
				Schedules: []manifest.Schedule{
					{Name: "at_two", Cron: "0 2 * * *", Expression: "cron(0 2 * * ? *)", TimeZone: "UTC", Job: "nightly"},
					{Name: "attwo", Cron: "0 2 * * 1-5", Expression: "cron(0 2 ? * MON-FRI *)", TimeZone: "Europe/London", Job: "nightly"}},
				Sensors: []manifest.Sensor{{Name: "failed", DetailTypes: []string{"Run Status Change"}}, {Name: "made", DetailTypes: []string{"Asset Materialized"}},
					{Name: "succeeded", DetailTypes: []string{"Run Status Change"}}},
				Channels: []manifest.Channel{{Name: "hook", Kind: "webhook", Variables: []manifest.Variable{{Name: "HOOK_URL", Secret: true}}, References: []string{"secretsmanager:shop/key#hmac"}},
					{Name: "slack", Kind: "slack", Variables: []manifest.Variable{{Name: "SLACK_WEBHOOK_URL", Secret: true}}}}}}
		if stays, runs, err = synthesize(shop); err != nil {
			panic(err)
		}
		return m.Run()
	}()
	jsii.Close()
	os.Exit(status)
}

// zipsOf are the zips of a program, as the build names them.
func zipsOf(program string) (zips []manifest.Zip) {
	for _, architecture := range []string{"arm64", "amd64"} {
		zips = append(zips, manifest.Zip{Architecture: architecture, Path: architecture + "/" + program + ".zip"})
	}
	return zips
}

// template is a stack's template as CloudFormation gets it.
type template struct {
	Resources map[string]resource
	text      string
}

type resource struct {
	Type                string
	Properties          map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
}

func synthesize(d stacks.Deployment) (stays, runs template, err error) {
	app := awscdk.NewApp(nil)
	if err := stacks.Add(app, d); err != nil {
		return stays, runs, err
	}
	for name, to := range map[string]*template{"waggle-" + d.Settings.Environment + "-data": &stays, "waggle-" + d.Settings.Environment: &runs} {
		stack := app.Node().FindChild(&name).(awscdk.Stack)
		text, err := json.MarshalIndent(assertions.Template_FromStack(stack, nil).ToJSON(), "", "  ")
		if err != nil {
			return stays, runs, err
		}
		if err := json.Unmarshal(text, to); err != nil {
			return stays, runs, err
		}
		to.text = string(text) + "\n"
	}
	return stays, runs, nil
}

// changed synthesizes the shop with other settings.
func changed(t *testing.T, change func(*settings.Settings)) template {
	t.Helper()
	d := shop
	change(&d.Settings)
	_, runs, err := synthesize(d)
	if err != nil {
		t.Fatal(err)
	}
	return runs
}

// all returns the resources of a type, by their ids; some there must be.
func (tm template) all(t *testing.T, kind string) map[string]resource {
	t.Helper()
	found := map[string]resource{}
	for id, r := range tm.Resources {
		if r.Type == kind {
			found[id] = r
		}
	}
	if len(found) == 0 {
		t.Fatalf("there is no %s", kind)
	}
	return found
}

// named returns the one resource of a type whose property has a value.
func (tm template) named(t *testing.T, kind, property, value string) (id string, r resource) {
	t.Helper()
	for i, candidate := range tm.all(t, kind) {
		if text(candidate.Properties[property]) == value {
			if id != "" {
				t.Fatalf("two %s have the %s %s", kind, property, value)
			}
			id, r = i, candidate
		}
	}
	if id == "" {
		t.Fatalf("no %s has the %s %s", kind, property, value)
	}
	return id, r
}

// function returns a function and its id.
func (tm template) function(t *testing.T, name string) (string, resource) {
	t.Helper()
	return tm.named(t, "AWS::Lambda::Function", "FunctionName", "waggle-test-"+name)
}

// version returns the id of a function's version.
func (tm template) version(t *testing.T, name string) string {
	t.Helper()
	function, _ := tm.function(t, name)
	id, _ := tm.named(t, "AWS::Lambda::Version", "FunctionName", "{"+function+"}")
	return id
}

// role returns the statements of a function's role.
func (tm template) role(t *testing.T, function string) []statement {
	t.Helper()
	_, f := tm.function(t, function)
	return statements(t, tm.Resources[idOf(f.Properties["Role"])])
}

// statement is one of a policy, its resources as texts.
type statement struct {
	Sid, Effect        string
	Actions, Resources []string
}

// statements reads the policies of a role.
func statements(t *testing.T, role resource) []statement {
	t.Helper()
	if role.Properties["ManagedPolicyArns"] != nil {
		t.Errorf("a role has managed policies: %v", role.Properties["ManagedPolicyArns"])
	}
	var list []statement
	for _, policy := range items(role.Properties["Policies"]) {
		list = append(list, document(policy.(map[string]any)["PolicyDocument"])...)
	}
	if len(list) == 0 {
		t.Fatal("a role without a policy")
	}
	return list
}

func document(doc any) []statement {
	var list []statement
	for _, s := range items(doc.(map[string]any)["Statement"]) {
		fields := s.(map[string]any)
		list = append(list, statement{text(fields["Sid"]), text(fields["Effect"]), texts(fields["Action"]), texts(fields["Resource"])})
	}
	return list
}

// items is a list, or the one item where JSON has no list.
func items(value any) []any {
	if list, ok := value.([]any); ok {
		return list
	}
	return []any{value}
}

func texts(value any) []string {
	var list []string
	for _, item := range items(value) {
		list = append(list, text(item))
	}
	return list
}

// text is a value as one reads it: {Id} for a Ref, {Id.Arn} for an attribute, joined texts together, without the account, region and
// partition of ARNs.
func text(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case map[string]any:
		if ref, ok := v["Ref"].(string); ok {
			return unlessPseudo(ref)
		}
		if attribute, ok := v["Fn::GetAtt"].([]any); ok {
			return "{" + text(attribute[0]) + "." + text(attribute[1]) + "}"
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			return strings.Join(texts(join[1]), text(join[0]))
		}
	}
	data, _ := json.Marshal(value)
	return string(data)
}

// idOf is the id of the resource that a value refers to.
func idOf(value any) string {
	id, _, _ := strings.Cut(strings.Trim(text(value), "{}"), ".")
	return id
}

func unlessPseudo(ref string) string {
	if strings.HasPrefix(ref, "AWS::") {
		return ""
	}
	return "{" + ref + "}"
}
