package dynamodriver

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"

	"waggle/shared/awserror"
	"waggle/shared/fault"
	"waggle/shared/plainbody"
)

const (
	defaultTimeout    = 10 * time.Second
	defaultTryTimeout = 3 * time.Second
)

// maxIndexes follows from DynamoDB's limit of 100 projected attributes a table: each of n indexes projects 2(n-1)
// attributes of the others and 3 more, 6 * 13 = 78 for six, 7 * 15 = 105 for seven.
const maxIndexes = 6

var (
	tableName = regexp.MustCompile(`^([a-zA-Z0-9_.-]{3,255}|arn:.+)$`)
	// regionName is what can be a part of a host's name.
	regionName = regexp.MustCompile(`^[a-zA-Z0-9-]{1,63}$`)
	indexName  = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,250}$`)
)

// connect checks what the caller gave and makes the driver. It asks for credentials and sends nothing to the table.
func connect(ctx context.Context, table string, opts *Options) (*Driver, error) {
	if opts == nil {
		opts = &Options{}
	}
	if err := checkNames(table, opts.Indexes); err != nil {
		return nil, err
	}
	d := &Driver{table: table, indexes: opts.Indexes, clock: &clock{local: opts.Clock, fixed: opts.Clock != nil}, timeout: opts.Timeout, usage: &usage{}}
	if d.clock.local == nil {
		d.clock.local = time.Now
	}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	try := opts.TryTimeout
	if try <= 0 {
		try = defaultTryTimeout
	}
	bounded, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	cfg, err := load(bounded, opts.Config)
	if err != nil {
		return nil, err
	}
	d.http = tuned(cfg.HTTPClient)
	d.client = dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = d.http
		o.Retryer = newRetryer()
		// An emulator's checksums are wrong in error answers, and the SDK logs each; over TLS there is nothing to check.
		o.DisableValidateResponseChecksum = true
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(&eachTry{timeout: try, usage: d.usage, clock: d.clock}, "Retry", middleware.After)
		})
	})
	return d, nil
}

func checkNames(table string, indexes []string) error {
	if !tableName.MatchString(table) {
		return fault.New(fault.Invalid, "%q cannot be the name of a DynamoDB table", table).
			WithHint("3 to 255 letters, digits, _, - and dots, or an ARN")
	}
	if len(indexes) == 0 || len(indexes) > maxIndexes {
		return fault.New(fault.Invalid, "%d indexes, 1 to %d are possible", len(indexes), maxIndexes)
	}
	seen := map[string]bool{}
	for _, name := range indexes {
		if !indexName.MatchString(name) || seen[name] {
			return fault.New(fault.Invalid, "index %q cannot be the name of an index, or is there twice", name)
		}
		seen[name] = true
	}
	return nil
}

// load completes the connection's settings and looks whether there are credentials, so that a person who has none
// reads that first.
func load(ctx context.Context, given *aws.Config) (aws.Config, error) {
	var cfg aws.Config
	if given != nil {
		cfg = given.Copy()
	} else {
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx); err != nil {
			return cfg, fault.New(fault.Invalid, "read the AWS settings: %w", err).WithHint("look at AWS_PROFILE and the files in ~/.aws")
		}
	}
	if cfg.Region == "" {
		return cfg, fault.New(fault.Invalid, "no AWS region is set").WithHint("set AWS_REGION to the region of the table")
	}
	if !regionName.MatchString(cfg.Region) {
		return cfg, fault.New(fault.Invalid, "%q cannot be the name of an AWS region", cfg.Region).WithHint("set AWS_REGION to the region of the table, such as eu-west-1")
	}
	if cfg.Credentials == nil {
		return cfg, noCredentials(errors.New("none are set"))
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return cfg, fault.Wrap(fault.Canceled, "look for AWS credentials", err)
		}
		return cfg, noCredentials(err)
	}
	return cfg, nil
}

func noCredentials(err error) error {
	return (&fault.Error{Op: "look for AWS credentials", Code: fault.Denied, Err: errors.New(awserror.Text(err))}).WithHint("%s", awserror.HintCredentials)
}

// tuned is the SDK's own transport (which knows AWS_CA_BUNDLE) with more connections kept open: one owner writes,
// settles and renews at once, and a new TLS connection costs more than a request. A client of another kind
// is the caller's matter.
func tuned(client dynamodb.HTTPClient) plainbody.Client {
	own, ok := client.(*awshttp.BuildableClient)
	if client == nil {
		own, ok = awshttp.NewBuildableClient(), true
	}
	if !ok {
		return plainbody.Client{Doer: client}
	}
	t := own.GetTransport()
	t.MaxIdleConnsPerHost, t.MaxIdleConns, t.IdleConnTimeout = 64, 128, 90*time.Second
	return plainbody.Client{Doer: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}
