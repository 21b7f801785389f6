//go:build aws

package e2e_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"waggle/localstack/emulator"
)

// TestTheRightsOfADeploymentSuffice runs the sample where the policies of roles are enforced.
func TestTheRightsOfADeploymentSuffice(t *testing.T) {
	d := deployed(t, built(t), "", emulator.MiniStackEnforcing)
	// The emulator looks for the right to send mail at any identity, for that to see a bus at a rule of its name, and for that to call a version
	// at the function. AWS looks at the identities, the bus and the version, which the policies name.
	d.attach("sensor", "emulator-mail", statement{"Allow", "ses:SendRawEmail", "*"})
	for _, function := range []string{"run", "sensor"} {
		d.attach(function, "emulator-bus", statement{"Allow", "events:DescribeEventBus", "arn:aws:events:us-east-1:000000000000:rule/*"})
	}
	d.attach("monitor", "emulator-version", statement{"Allow", "lambda:InvokeFunction", "arn:aws:lambda:us-east-1:000000000000:function:" + base + "-run"})
	galleryRuns(d.place)
	recordIsThere(d.place)
	failureAlertsAndResolves(d.place)
	filesComeAndGo(d.place)
	d.look()
	w := d.waits("gate/rights")
	w.kill()
	d.write("gate/rights", nil)
	d.died(w.run)
	if status := w.end(); status != 0 {
		t.Errorf("a run whose process was killed ended with %d\n%s%s", status, &w.out, &w.talk)
	}

	d.attach("run", "no-files", statement{"Deny", "s3:PutObject", "arn:aws:s3:::" + bucketName + "/files/*"})
	if out, talk := d.must(1, "run", "gallery"); !strings.Contains(out+talk, "AccessDenied") {
		t.Errorf("without the right to write files the gallery says\n%s%s", out, talk)
	}
}

// statement is one of a policy.
type statement struct{ Effect, Action, Resource string }

// attach adds a policy to the role of a function.
func (d deployment) attach(function, name string, s statement) {
	d.t.Helper()
	found, err := lambda.NewFromConfig(d.config).GetFunctionConfiguration(d.t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String(base + "-" + function)})
	if err != nil {
		d.t.Fatal(err)
	}
	policy, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []statement{s}})
	if err != nil {
		d.t.Fatal(err)
	}
	role := aws.ToString(found.Role)
	if _, err := iam.NewFromConfig(d.config).PutRolePolicy(d.t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(role[strings.LastIndexByte(role, '/')+1:]),
		PolicyName: &name, PolicyDocument: aws.String(string(policy))}); err != nil {
		d.t.Fatal(err)
	}
}
