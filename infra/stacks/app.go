package stacks

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsssm"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
	"waggle/shared/fault"
	"waggle/shared/manifest"
)

// Deployment is what runs: made from settings, from the manifest, and from the folder that holds it.
type Deployment struct {
	Settings settings.Settings
	Manifest manifest.Manifest
	Dist     string
}

// app is the stack as it is made.
type app struct {
	Deployment
	names
}

// Add adds both stacks to an app of CDK: the one that runs is deployed after the one that stays.
func Add(scope constructs.Construct, d Deployment) error {
	stays := Data(scope, d.Settings.Environment)
	runs, err := App(scope, d)
	if err != nil {
		return err
	}
	runs.AddStackDependency(stays, jsii.String("its functions use table, bucket and bus by name"))
	awscdk.Tags_Of(scope).Add(jsii.String("waggle:environment"), &d.Settings.Environment, nil)
	return nil
}

// App makes the stack waggle-ENVIRONMENT: the functions and all that starts, feeds and watches them. A function whose zip is not in the
// folder is fault.NotFound.
func App(scope constructs.Construct, d Deployment) (awscdk.Stack, error) {
	for _, f := range d.Manifest.Functions {
		if _, err := os.Stat(zipOf(f, d.Settings, d.Dist)); err != nil {
			return nil, (&fault.Error{Op: "function " + f.Name, Code: fault.NotFound, Err: err}).WithHint("make build")
		}
	}
	name := "waggle-" + d.Settings.Environment
	stack := awscdk.NewStack(scope, &name, &awscdk.StackProps{StackName: &name, AnalyticsReporting: jsii.Bool(false),
		Description: jsii.String("What runs Waggle's jobs and tells people: the environment " + d.Settings.Environment)})
	a := app{d, names{d.Settings.Environment, stack}}
	f := a.functions()
	a.bringEvents(f.sensor)
	a.schedules(f)
	a.mail()
	a.watch()
	a.parameter(f)
	return stack, nil
}

// functions are those of a deployment.
type functions struct{ run, step, sensor, monitor goFunction }

// functions makes them in the order in which their variables name each other: run is given the version of step, the others that of run.
// Runs and steps call each other for as long as a run lasts, and a sensor goes on with what it had no time for: Lambda, which ends chains
// that come back to a function some 16 times, lets these. A monitor that is cut off looks again the next minute.
func (a app) functions() functions {
	run, step, sensor, monitor := manifest.RunFunction, manifest.StepFunction, manifest.SensorFunction, manifest.MonitorFunction
	var f functions
	f.step = a.function(step, goFunctionOptions{loops: true, variables: map[string]string{"WAGGLE_SENSOR_FUNCTION": a.of(sensor)},
		statements: []awsiam.PolicyStatement{invoke(a.versionsArn(run), a.functionArn(sensor), a.functionArn(monitor))}})
	f.run = a.function(run, goFunctionOptions{loops: true,
		variables: map[string]string{"WAGGLE_STEP_FUNCTION": *f.step.version().FunctionArn(), "WAGGLE_SENSOR_FUNCTION": a.of(sensor)},
		statements: []awsiam.PolicyStatement{publish(a.names),
			invoke(a.versionsArn(run), a.versionsArn(step), a.functionArn(sensor), a.functionArn(monitor))}})
	version := *f.run.version().FunctionArn()
	known := map[string]string{"WAGGLE_RUN_FUNCTION": version, "WAGGLE_SENSOR_FUNCTION": a.of(sensor)}
	wakes := []string{a.versionsArn(run), a.functionArn(sensor)}
	tell := slices.Concat(sendMail(a.names, a.Settings), readSecrets(a.names, a.references()))
	for _, own := range a.Manifest.Functions {
		if own.Sensor == "" {
			continue
		}
		variables := maps.Clone(known)
		variables["WAGGLE_SENSOR"] = own.Sensor
		a.function(own.Name, goFunctionOptions{loops: true, variables: variables,
			statements: slices.Concat([]awsiam.PolicyStatement{publish(a.names), invoke(a.versionsArn(run), a.functionArn(own.Name))}, tell)})
		wakes = append(wakes, a.functionArn(own.Name))
	}
	f.sensor = a.function(sensor, goFunctionOptions{loops: true, variables: known,
		statements: slices.Concat([]awsiam.PolicyStatement{publish(a.names), receive(a.names), invoke(wakes...)}, tell)})
	f.monitor = a.function(monitor, goFunctionOptions{variables: known, statements: []awsiam.PolicyStatement{invoke(wakes...)}})
	f.run.invokedOnce(*f.run.version().Version(), f.monitor.function)
	f.step.invokedOnce(*f.step.version().Version(), f.monitor.function)
	f.monitor.invokedOnce(latest, nil) // the next minute looks again
	return f
}

// function makes a function with what all of them have: the variables, and the right to the record.
func (a app) function(name string, o goFunctionOptions) goFunction {
	f, _ := a.Manifest.Function(name)
	variables := a.variables()
	maps.Copy(variables, o.variables)
	o.variables, o.statements = variables, append(useRecord(a.names), o.statements...)
	return newGoFunction(a.names, f, a.Settings, a.Dist, o)
}

// slackVariable holds the reference to the webhook that `waggle secrets set slack` stores, where settings do not say otherwise.
const slackVariable = "SLACK_WEBHOOK_URL"

// variables are those of every function. Secrets are references.
func (a app) variables() map[string]string {
	all := map[string]string{
		"WAGGLE_ENV": a.environment, "WAGGLE_TABLE": a.base(), "WAGGLE_BUCKET": a.bucket(), "WAGGLE_BUS": a.base(),
		"WAGGLE_LINK_BASE": a.Settings.LinkBase, "WAGGLE_LOG_LEVEL": a.Settings.LogLevel,
		"MAIL_FROM": a.Settings.Sender, "MAIL_TO": strings.Join(a.Settings.Recipients, ", "),
		slackVariable: "ssm:" + a.names.parameter("slack"),
	}
	maps.Copy(all, a.Settings.Variables)
	return all
}

// references lists the secrets that variables and channels refer to.
func (a app) references() []string {
	list := slices.Collect(maps.Values(a.variables()))
	for _, c := range a.Manifest.Channels {
		list = append(list, c.References...)
	}
	return list
}

// parameter tells commands on a laptop where the deployment is.
func (a app) parameter(f functions) {
	text := map[string]string{
		"table": a.base(), "bucket": a.bucket(), "bus": a.base(), "run_function": *f.run.version().FunctionArn(), "sensor_function": a.of(manifest.SensorFunction),
		"code_version": a.Manifest.CodeVersion,
	}
	value, _ := json.Marshal(text) // texts always encode
	awsssm.NewCfnParameter(a.stack, jsii.String("Deployment"), &awsssm.CfnParameterProps{Name: jsii.String(a.names.parameter("deployment")), Type: jsii.String("String"),
		Value: jsii.String(string(value)), Description: jsii.String("Where Waggle's environment " + a.environment + " is")})
}
