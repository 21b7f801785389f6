package awssecret

import (
	"context"
	"errors"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"waggle/shared/fault"
)

// ours are the parameters that a deployment reads: /waggle/ENVIRONMENT/NAME.
var ours = regexp.MustCompile(`^/waggle/([^/]+)/([A-Za-z0-9_.-]+)$`)

// parameter reads a parameter, decrypted where it is a SecureString: "/waggle/production/slack", with ":3" its third version.
func parameter(ctx context.Context, client *ssm.Client, name string) (string, error) {
	out, err := client.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	var none *types.ParameterNotFound
	var noVersion *types.ParameterVersionNotFound
	switch {
	case errors.As(err, &none):
		return "", missingParameter(name, "there is no such parameter")
	case errors.As(err, &noVersion):
		return "", fault.New(fault.NotFound, "the parameter has no such version")
	case err != nil:
		return "", &refusal{action: "ssm:GetParameter", err: err}
	case out.Parameter == nil || blank(aws.ToString(out.Parameter.Value)):
		return "", missingParameter(name, "the parameter is empty")
	}
	return *out.Parameter.Value, nil
}

func missingParameter(name, text string) error {
	err := fault.New(fault.NotFound, "%s", text)
	if found := ours.FindStringSubmatch(name); found != nil {
		return err.WithHint("store it with `waggle secrets set %s --env %s`", found[2], found[1])
	}
	return err.WithHint("store it in Systems Manager as a SecureString, in the region of this program")
}
