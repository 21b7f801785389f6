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

	"waggle/shared/fault"
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
	indexName = regexp.MustCompile(`^[a-zA-Z0-9_.-]{3,250}$`)
)

// connect checks what the caller gave and makes the driver. It asks for credentials and sends nothing to the table.
func connect(ctx context.Context, table string, opts *Options) (*Driver, error) {
	if opts == nil {
		opts = &Options{}
	}
	if err := checkNames(table, opts.Indexes); err != nil {
		return nil, err
	}
	d := &Driver{table: table, indexes: opts.Indexes, clock: opts.Clock, timeout: opts.Timeout, usage: &usage{}}
	if d.clock == nil {
		d.clock = time.Now
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
	d.client = dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.HTTPClient = tuned(o.HTTPClient)
		o.Retryer = newRetryer()
		// An emulator's checksums are wrong in error answers, and the SDK logs each; over TLS there is nothing to check.
		o.DisableValidateResponseChecksum = true
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Insert(&eachTry{timeout: try, usage: d.usage}, "Retry", middleware.After)
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
	return (&fault.Error{Op: "look for AWS credentials", Code: fault.Denied, Err: err}).WithHint("%s", hintCredentials)
}

// tuned is the SDK's own client (which knows AWS_CA_BUNDLE) with more connections kept open: one owner writes,
// settles and renews at once, and a new TLS connection costs more than a request. A client of another kind
// is the caller's matter.
func tuned(client dynamodb.HTTPClient) dynamodb.HTTPClient {
	own, ok := client.(*awshttp.BuildableClient)
	if client == nil {
		own, ok = awshttp.NewBuildableClient(), true
	}
	if !ok {
		return client
	}
	return own.WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = 64
		t.MaxIdleConns = 128
		t.IdleConnTimeout = 90 * time.Second
		t.ForceAttemptHTTP2 = false // DynamoDB speaks HTTP/1.1
	})
}
