//go:build aws

package main

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"gocloud.dev/blob/s3blob"

	"waggle/pipelines"
	"waggle/shared/awserror"
	"waggle/shared/cli"
	"waggle/shared/cloud"
	"waggle/shared/cloud/lambdafunctions"
	"waggle/shared/fault"
	"waggle/shared/run"
	"waggle/shared/store"
)

// deployment is what a deployment says of itself, in the parameter /waggle/NAME/deployment.
type deployment struct {
	Table          string `json:"table"`
	Bucket         string `json:"bucket"`
	Bus            string `json:"bus"`
	CodeVersion    string `json:"code_version"`
	RunFunction    string `json:"run_function"`
	SensorFunction string `json:"sensor_function"`
}

// openDeployment opens a deployment with the caller's own credentials.
func openDeployment(ctx context.Context, name string) (*cli.Deployed, error) {
	cfg, err := loadConfig(ctx)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		return nil, fault.New(fault.Invalid, "no AWS region is set").WithHint("set AWS_REGION to the region of the deployment, or a profile that has one")
	}
	d, err := findDeployment(ctx, cfg, name)
	if err != nil {
		return nil, err
	}
	db, err := openTable(ctx, d.Table, &cfg)
	if err != nil {
		return nil, err
	}
	bucket, err := s3blob.OpenBucket(ctx, s3.NewFromConfig(cfg), d.Bucket, nil)
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	functions := lambdafunctions.New(cfg, lambdafunctions.Names{Run: d.RunFunction, Sensor: d.SensorFunction})
	return &cli.Deployed{Store: store.New(db, store.NewBlobs(bucket), &store.Options{Lease: cloudLease, Now: db.Now, PaidBySize: true}),
		Sensor: func(ctx context.Context) error { return cloud.WakeSensors(ctx, functions, pipelines.Definitions) },
		SetSecret: func(ctx context.Context, secret, value string) error {
			return storeSecret(ctx, cfg, name, secret, value)
		},
		Run: func(ctx context.Context, id run.ID) error { return functions.Run(ctx, "", cloud.RunCall{Run: id}) }}, nil
}

// storeSecret puts a secret where the functions of a deployment look for it.
func storeSecret(ctx context.Context, cfg aws.Config, environment, name, value string) error {
	parameter := "/waggle/" + environment + "/" + name
	if name == "deployment" {
		return fault.New(fault.Invalid, "%s says where the deployment is", parameter).WithHint("choose another name")
	}
	_, err := ssm.NewFromConfig(cfg).PutParameter(ctx, &ssm.PutParameterInput{Name: &parameter, Value: &value, Type: types.ParameterTypeSecureString, Overwrite: aws.Bool(true)})
	if err != nil {
		return refused(cfg, "store "+parameter, "ssm:PutParameter on it", err)
	}
	return nil
}

func findDeployment(ctx context.Context, cfg aws.Config, name string) (deployment, error) {
	parameter := "/waggle/" + name + "/deployment"
	out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &parameter})
	switch code, _, _ := awserror.Answer(err); {
	case code == "ParameterNotFound":
		return deployment{}, fault.New(fault.NotFound, "no deployment %q in %s", name, cfg.Region).
			WithHint("name another, set AWS_REGION or AWS_PROFILE to where it is, or make it with `waggle deploy`")
	case code == "ValidationException":
		return deployment{}, fault.New(fault.Invalid, "%q is no name of a deployment", name).WithHint("names have small letters and digits")
	case err != nil:
		return deployment{}, refused(cfg, "find deployment "+name, "ssm:GetParameter on "+parameter, err)
	}
	var d deployment
	if err := json.Unmarshal([]byte(aws.ToString(out.Parameter.Value)), &d); err != nil || d.Table == "" || d.Bucket == "" || d.RunFunction == "" {
		return d, fault.New(fault.Corrupt, "the parameter %s does not say what the deployment consists of", parameter).WithHint("deploy it again")
	}
	return d, nil
}
