package stacks

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/jsii-runtime-go"

	"waggle/infra/settings"
	"waggle/shared/manifest"
)

// goFunction is a function in Go: its code, a role that is its own, a group of logs that ends, and a version of what is deployed,
// kept as long as the function.
type goFunction struct {
	name     string
	function awslambda.Function
	names    names
}

// goFunctionOptions are those of one function.
type goFunctionOptions struct {
	variables  map[string]string
	statements []awsiam.PolicyStatement
	// loops allows chains of invocations that come back to the function; Lambda ends others after some 16 times.
	loops bool
}

// zipOf is the file that the build wrote of a function for the architecture. Lambda gets it as it is.
func zipOf(f manifest.Function, s settings.Settings, dist string) string {
	z, _ := f.Zip(s.Architecture) // settings name no architecture that was not built
	return filepath.Join(dist, filepath.FromSlash(z.Path))
}

// newGoFunction makes a function of the manifest.
func newGoFunction(n names, f manifest.Function, s settings.Settings, dist string, o goFunctionOptions) goFunction {
	id := title(f.Name)
	logs := awslogs.NewLogGroup(n.stack, jsii.String(id+"Logs"), &awslogs.LogGroupProps{
		LogGroupName: jsii.String("/aws/lambda/" + n.of(f.Name)), RemovalPolicy: awscdk.RemovalPolicy_DESTROY, Retention: awslogs.RetentionDays_INFINITE})
	logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(s.LogRetentionDays))
	statements := append([]awsiam.PolicyStatement{allow("WriteLogs", []string{*logs.LogGroupArn()}, "logs:CreateLogStream", "logs:PutLogEvents")}, o.statements...)
	role := awsiam.NewRole(n.stack, jsii.String(id+"Role"), &awsiam.RoleProps{
		AssumedBy:      awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		InlinePolicies: &map[string]awsiam.PolicyDocument{f.Name: document(statements...)},
	})
	variables := map[string]*string{}
	for name, value := range o.variables {
		variables[name] = jsii.String(value)
	}
	memory := f.MemoryMB
	if set, ok := s.MemoryMB[f.Name]; ok {
		memory = set
	}
	architecture, recursion := awslambda.Architecture_ARM_64(), awslambda.RecursiveLoop_TERMINATE
	if s.Architecture == "amd64" {
		architecture = awslambda.Architecture_X86_64()
	}
	if o.loops {
		recursion = awslambda.RecursiveLoop_ALLOW
	}
	return goFunction{f.Name, awslambda.NewFunction(n.stack, &id, &awslambda.FunctionProps{
		FunctionName:          jsii.String(n.of(f.Name)),
		Runtime:               awslambda.Runtime_PROVIDED_AL2023(),
		Handler:               jsii.String("bootstrap"),
		Architecture:          architecture,
		Code:                  awslambda.Code_FromAsset(jsii.String(zipOf(f, s, dist)), nil),
		MemorySize:            jsii.Number(memory),
		Timeout:               awscdk.Duration_Seconds(jsii.Number(f.TimeoutSeconds)),
		Environment:           &variables,
		Role:                  role,
		LogGroup:              logs,
		RecursiveLoop:         recursion,
		CurrentVersionOptions: &awslambda.VersionOptions{RemovalPolicy: kept},
	}), n}
}

// kept is what a run ends on after the next deployment: the version that it began with, and how that is invoked. What a deployment
// made that failed goes, or the next could not make it.
const kept = awscdk.RemovalPolicy_RETAIN_ON_UPDATE_OR_DELETE

// version is the version of what is deployed.
func (f goFunction) version() awslambda.Version { return f.function.CurrentVersion() }

// latest is the qualifier of a function without a version.
const latest = "$LATEST"

// invokedOnce says that an asynchronous invocation of a qualifier (a version, $LATEST) that fails is not repeated by Lambda. Where
// another function is named it is told of the failure. What is said of a version stays when the next version gets its own.
func (f goFunction) invokedOnce(qualifier string, tells awslambda.Function) {
	props := &awslambda.CfnEventInvokeConfigProps{FunctionName: f.function.FunctionName(), Qualifier: &qualifier, MaximumRetryAttempts: jsii.Number(0)}
	if tells != nil {
		props.DestinationConfig = &awslambda.CfnEventInvokeConfig_DestinationConfigProperty{
			OnFailure: &awslambda.CfnEventInvokeConfig_OnFailureProperty{Destination: tells.FunctionArn()}}
	}
	made := awslambda.NewCfnEventInvokeConfig(f.names.stack, jsii.String(title(f.name)+"InvokedOnce"), props)
	if qualifier != latest {
		made.ApplyRemovalPolicy(kept, nil)
	}
}
