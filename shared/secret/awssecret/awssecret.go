// Package awssecret reads secrets that AWS keeps: parameters of Systems Manager, and secrets of Secrets Manager.
//
// It holds nothing that it read. It imports awserror, fault, plainbody and secret of ours.
package awssecret

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"waggle/shared/plainbody"
	"waggle/shared/secret"
)

// Timeout is how long reading one secret may take, the SDK's three tries included.
const Timeout = 10 * time.Second

// Options are the optional parts of Sources. The zero value and nil mean all defaults.
type Options struct {
	// Timeout defaults to Timeout.
	Timeout time.Duration
}

// Sources returns what reads ssm: and secretsmanager: references, for secret.NewResolver, with the region, credentials and
// endpoint of a loaded configuration. It sends nothing. Of what a source returns:
//
//	fault.NotFound     there is no such parameter, secret or field, or it is marked for deletion
//	fault.Denied       the credentials lack a right, which the text names, or AWS does not know them
//	fault.Invalid      the name can be none, or what is there is not of a kind that can be read
//	fault.Throttled, fault.Unavailable   the same may work later
func Sources(cfg aws.Config, opts *Options) map[string]secret.Source {
	limit := Timeout
	if opts != nil && opts.Timeout > 0 {
		limit = opts.Timeout
	}
	cfg = cfg.Copy()
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient()
	}
	cfg.HTTPClient = plainbody.Client{Doer: cfg.HTTPClient}
	parameters, secrets := ssm.NewFromConfig(cfg), secretsmanager.NewFromConfig(cfg)
	within := func(read secret.Source) secret.Source {
		return func(ctx context.Context, name string) (string, error) {
			limited, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			plain, err := read(limited, name)
			if err != nil {
				return "", translate(ctx, limit, err)
			}
			return plain, nil
		}
	}
	return map[string]secret.Source{
		secret.SchemeSSM:            within(func(ctx context.Context, name string) (string, error) { return parameter(ctx, parameters, name) }),
		secret.SchemeSecretsManager: within(func(ctx context.Context, name string) (string, error) { return managed(ctx, secrets, name) }),
	}
}
