// Package dynamodriver keeps the table in DynamoDB: the store of a deployment in the cloud, shared by every
// function and every person with rights to the table.
//
// It holds no rule of Waggle's, and imports awserror, driver, fault and plainbody of ours. What the AWS SDK knows stays inside: the one
// type of its that crosses the border is Options.Config, for wiring that has loaded it already.
//
// # Repeated requests
//
// A request that gets no answer, or that DynamoDB refuses because it is busy, is sent again by a bounded policy. Where
// the answer was lost after the write was done, the repeated one fails its own condition; the *driver.ConflictError
// then carries the caller's own item, and only the caller can tell by a token in it. An atomic write carries a token
// of DynamoDB's, by which a repeated one is recognized there.
package dynamodriver

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"waggle/shared/fault"
	"waggle/shared/plainbody"
	"waggle/shared/store/driver"
)

var _ driver.Driver = (*Driver)(nil)

// Options of Open and Create. Indexes is required.
type Options struct {
	// Indexes are the names of the table's indexes: 1 to 6 of them, each of at least 3 letters, digits, _, - or dots.
	Indexes []string
	// Config is the connection: region, credentials, endpoint. Defaults to what environment, shared files and role say,
	// as for every AWS tool (AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, ...).
	Config *aws.Config
	// Clock says what time it is, for Expires and Driver.Now. Defaults to time.Now, corrected by DynamoDB's answers.
	Clock func() time.Time
	// Timeout is how long a request may take with all its tries, before it gives fault.Unavailable or
	// fault.Throttled. A PutAll or Query may make several requests. Defaults to 10 s.
	Timeout time.Duration
	// TryTimeout is how long one try may take. Defaults to 3 s.
	TryTimeout time.Duration
	// SkipCheck makes Open send nothing: for functions, whose table comes from the deployment that they come from.
	SkipCheck bool
	// KeepExpired makes Create leave the table's time to live off: expired items stay, hidden.
	KeepExpired bool
}

// Driver is a table in DynamoDB. Make one with Open.
type Driver struct {
	table   string
	indexes []string
	clock   *clock
	timeout time.Duration
	client  *dynamodb.Client
	http    plainbody.Client
	usage   *usage
	closed  atomic.Bool
}

// Open connects to a table that Create or a deployment made, and checks that it is one of ours. A table that
// does not exist in the region is fault.NotFound; one of another program, of a newer version or without
// one of the indexes fault.Incompatible; missing credentials or rights are fault.Denied.
func Open(ctx context.Context, table string, opts *Options) (*Driver, error) {
	d, err := connect(ctx, table, opts)
	if err != nil {
		return nil, err
	}
	if opts.SkipCheck {
		return d, nil
	}
	if err := d.checkTable(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// Features implements driver.Driver.
func (d *Driver) Features() driver.Features {
	return driver.Features{MultiProcess: true, Durable: true}
}

// Close implements driver.Driver. Calls under way go on.
func (d *Driver) Close() error {
	d.closed.Store(true)
	d.http.CloseIdleConnections()
	return nil
}

// do makes one request, with its tries, and translates what it fails with.
func (d *Driver) do(ctx context.Context, op string, request func(context.Context) error) error {
	if err := d.usable(ctx, op); err != nil {
		return err
	}
	var last lastTry
	bounded, cancel := context.WithTimeout(context.WithValue(ctx, lastTryKey{}, &last), d.timeout)
	defer cancel()
	err := request(bounded)
	var known *fault.Error
	if errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &known) {
		err = last.err
		if err == nil {
			err = &slowError{d.timeout}
		}
	}
	return d.translate(ctx, op, err)
}

func (d *Driver) usable(ctx context.Context, op string) error {
	if err := driver.CheckContext(ctx); err != nil {
		return fault.Wrap(fault.Canceled, op, err)
	}
	if d.closed.Load() {
		return &fault.Error{Op: op, Code: fault.Unavailable, Err: errClosed}
	}
	return nil
}
