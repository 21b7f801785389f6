// Package eventbridge publishes events on a bus of Amazon EventBridge, and reads what its rules hand on.
//
// An event is published at least once: where an answer is lost it comes twice, with one id. Events come in any order.
//
// It imports awserror, event and fault of ours.
package eventbridge

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"waggle/shared/fault"
)

// Source is the source of every event that Waggle publishes.
const Source = "waggle"

// Publisher publishes on one bus. It is safe for several goroutines.
type Publisher struct {
	client *eventbridge.Client
	bus    string
	opts   Options
	sdk    aws.Retryer // knows which of its errors pass
}

// Options are the optional parts of a publisher. The zero value and nil mean all defaults.
type Options struct {
	// Config says how to reach AWS. Nil: what the SDK finds in the environment and in ~/.aws.
	Config *aws.Config
	// Timeout is how long one call of Publish, or of Open, tries, should its context not end before. Defaults to 10 s.
	Timeout time.Duration
	// TryTimeout is how long one request may take before it is sent again. Defaults to 1 s.
	TryTimeout time.Duration
	// SkipCheck has Open not ask whether the bus is there. EventBridge takes the events for a bus that is not, and drops them: skip it
	// only where something else has seen the bus, such as the deployment that made the function.
	SkipCheck bool
}

// Open returns a publisher for a bus, by its name or ARN. fault.NotFound: the bus does not exist. fault.Denied: no credentials, or no
// right to events:DescribeEventBus.
func Open(ctx context.Context, bus string, opts *Options) (*Publisher, error) {
	p := &Publisher{bus: bus, sdk: retry.NewStandard()}
	if opts != nil {
		p.opts = *opts
	}
	if p.opts.Timeout <= 0 {
		p.opts.Timeout = 10 * time.Second
	}
	if p.opts.TryTimeout <= 0 {
		p.opts.TryTimeout = time.Second
	}
	if bus == "" {
		return nil, fault.New(fault.Invalid, "no event bus is named")
	}
	var cfg aws.Config
	if p.opts.Config != nil {
		cfg = *p.opts.Config
	} else {
		var err error
		if cfg, err = config.LoadDefaultConfig(ctx); err != nil {
			return nil, fault.New(fault.Invalid, "read the AWS settings: %w", err).WithHint("look at AWS_PROFILE and the files in ~/.aws")
		}
	}
	if cfg.Region == "" {
		return nil, fault.New(fault.Invalid, "no AWS region is set").WithHint("set AWS_REGION to the region of the bus")
	}
	p.client = eventbridge.NewFromConfig(cfg, func(o *eventbridge.Options) {
		o.Retryer = aws.NopRetryer{} // Publish tries again by itself: what was refused of a batch, and whole requests
	})
	if p.opts.SkipCheck {
		return p, nil
	}
	return p, p.check(ctx)
}

// check asks whether the bus is there.
func (p *Publisher) check(outer context.Context) error {
	ctx, stop := context.WithTimeout(outer, p.opts.Timeout)
	defer stop()
	return p.persist(ctx, outer, "look for event bus "+p.bus, func(ctx context.Context) error {
		_, err := p.client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: &p.bus})
		return err
	})
}

// persist sends a request again and again, until it succeeds, fails for good, or ctx ends. outer is the caller's context. The error says
// why the last request failed that had its time.
func (p *Publisher) persist(ctx, outer context.Context, op string, send func(context.Context) error) error {
	var last error
	for n := 1; ; n++ {
		err := p.try(ctx, send)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil && last != nil: // the time ended in the middle of this one
			return p.translate(outer, op, last)
		case !p.passes(err):
			return p.translate(outer, op, err)
		}
		if last = err; !rest(ctx, n) {
			return p.translate(outer, op, err)
		}
	}
}

// slowError says that one request took too long.
type slowError struct{ after time.Duration }

func (e *slowError) Error() string { return "no answer within " + e.after.String() }

// try sends one request, in its own time.
func (p *Publisher) try(ctx context.Context, send func(context.Context) error) error {
	bounded, stop := context.WithTimeout(ctx, p.opts.TryTimeout)
	defer stop()
	err := send(bounded)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		return &slowError{p.opts.TryTimeout}
	}
	return err
}

// passes reports whether the same request may succeed later.
func (p *Publisher) passes(err error) bool {
	var slow *slowError
	var refused *entryError
	return errors.As(err, &slow) || errors.As(err, &refused) || p.sdk.IsErrorRetryable(err) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
