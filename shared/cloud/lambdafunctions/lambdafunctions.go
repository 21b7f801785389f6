// Package lambdafunctions starts the functions of a deployment on AWS Lambda: asynchronous invocations, which Lambda queues and runs at
// least once.
//
// It imports awserror, cloud and fault of ours.
package lambdafunctions

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"waggle/shared/awserror"
	"waggle/shared/cloud"
	"waggle/shared/fault"
)

var _ cloud.Functions = (*Functions)(nil)

// Names are those of the functions, or their ARNs, with or without a version. A function that is never called may be empty.
type Names struct{ Run, Step, Sensor string }

// Functions calls Lambda. It is safe for several goroutines.
type Functions struct {
	client *lambda.Client
	names  Names
}

// New returns the functions of a deployment. Nothing is sent.
func New(config aws.Config, names Names) *Functions {
	return &Functions{client: lambda.NewFromConfig(config), names: names}
}

// Run implements cloud.Functions.
func (f *Functions) Run(ctx context.Context, name string, call cloud.RunCall) error {
	if name == "" {
		name = f.names.Run
	}
	return f.invoke(ctx, name, call)
}

// Step implements cloud.Functions.
func (f *Functions) Step(ctx context.Context, call cloud.StepCall) error {
	return f.invoke(ctx, f.names.Step, call)
}

// Sensor implements cloud.Functions.
func (f *Functions) Sensor(ctx context.Context, own string) error {
	name := f.names.Sensor
	if own != "" && name != "" {
		name += "-" + own
	}
	return f.invoke(ctx, name, struct {
		Wake bool `json:"wake"`
	}{true})
}

func (f *Functions) invoke(ctx context.Context, name string, payload any) error {
	if name == "" {
		return fault.New(fault.Invalid, "this function does not know the one that it is to call").
			WithHint("set WAGGLE_RUN_FUNCTION, WAGGLE_STEP_FUNCTION and WAGGLE_SENSOR_FUNCTION, as a deployment does")
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return fault.Wrap(fault.Internal, "encode the call of "+name, err)
	}
	input := &lambda.InvokeInput{InvocationType: types.InvocationTypeEvent, Payload: body}
	function, version := split(name)
	input.FunctionName = &function
	if version != "" {
		input.Qualifier = &version
	}
	if _, err = f.client.Invoke(ctx, input); err != nil {
		return translate(err, "invoke "+name)
	}
	return nil
}

// split parts a name or ARN from the version behind it.
func split(name string) (function, version string) {
	i := strings.LastIndexByte(name, ':')
	if i < 0 {
		return name, ""
	}
	if v := name[i+1:]; v == "$LATEST" || v != "" && strings.Trim(v, "0123456789") == "" {
		return name[:i], v
	}
	return name, ""
}

func translate(err error, op string) error {
	f := &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New(awserror.Text(err))}
	if awserror.NoCredentials(err) {
		f.Code, f.Hint = fault.Denied, awserror.HintCredentials
		return f
	}
	code, _, _ := awserror.Answer(err)
	switch code {
	case "ResourceNotFoundException":
		f.Code, f.Hint = fault.NotFound, "deploy again"
	case "RequestTooLargeException", "InvalidRequestContentException":
		f.Code = fault.TooLarge
	}
	switch awserror.KindOf(code) {
	case awserror.Throttled:
		f.Code, f.Hint = fault.Throttled, "ask AWS for more concurrent executions of Lambda functions; what was not started is started by the monitor"
	case awserror.Denied:
		f.Code, f.Hint = fault.Denied, "allow lambda:InvokeFunction on it"
	case awserror.Unknown, awserror.Expired, awserror.BadSignature:
		f.Code, f.Hint = fault.Denied, awserror.HintCredentials
	}
	return f
}
