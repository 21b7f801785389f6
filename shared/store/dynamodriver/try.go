package dynamodriver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// The policy: pauses are drawn between nothing and a ceiling that doubles from firstPause up to longestPause. Eight tries
// pause 3.55 s at most, and half of it as a rule: 50, 100, 200, 400, 800, 1000 and 1000 ms.
const (
	tries        = 8
	firstPause   = 50 * time.Millisecond
	longestPause = time.Second
)

// newRetryer returns the policy in the SDK's terms. The SDK's own is meant for slower services: its first pause is up to
// a second, and it stops trying once many requests of the process have failed, which is when a store must go on.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = tries
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) { return pause(attempt), nil })
		o.RateLimiter = ratelimit.None
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(retryable)}, o.Retryables...)
	})
}

// pause is how long to wait after a number of tries, from 1.
func pause(attempt int) time.Duration {
	ceiling := longestPause
	if n := attempt - 1; n < 8 {
		ceiling = min(ceiling, firstPause<<max(n, 0))
	}
	return rand.N(ceiling)
}

// retryable adds to what the SDK knows: transactions in each other's way, and answers that broke off.
func retryable(err error) aws.Ternary {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return aws.BoolTernary(crowded(canceled))
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		switch api.ErrorCode() {
		case codeTransactionConflict, codeReplicatedConflict:
			return aws.TrueTernary
		}
		return aws.UnknownTernary
	}
	var slow *slowError
	var garbled *smithy.DeserializationError
	switch {
	case errors.As(err, &slow), errors.As(err, &garbled),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// crowded reports whether a transaction was canceled only because others were in its way.
func crowded(canceled *types.TransactionCanceledException) bool {
	busy := false
	for _, reason := range canceled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "", "None":
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded":
			busy = true
		default:
			return false
		}
	}
	return busy
}

// eachTry counts the tries, bounds each, and hears what time it is.
type eachTry struct {
	timeout time.Duration
	usage   *usage
	clock   *clock
}

// ID implements middleware.FinalizeMiddleware.
func (*eachTry) ID() string { return "WaggleEachTry" }

// HandleFinalize implements middleware.FinalizeMiddleware.
func (e *eachTry) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
	e.usage.request()
	last, _ := ctx.Value(lastTryKey{}).(*lastTry)
	bounded, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	out, metadata, err := next.HandleFinalize(bounded, in)
	if at, ok := awsmiddleware.GetServerTime(metadata); ok {
		e.clock.heard(at)
	}
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = &slowError{e.timeout} // the SDK takes the end of a context for the caller's wish, and would not try again
	}
	if last != nil && ctx.Err() == nil {
		last.err = err
	}
	return out, metadata, err
}

// lastTry is what the newest try failed with. Where the time for all of them ends during a pause, the SDK only says
// that; what DynamoDB said is the reason.
type lastTry struct{ err error }

type lastTryKey struct{}

// slowError says that one try took too long.
type slowError struct{ after time.Duration }

func (e *slowError) Error() string { return fmt.Sprintf("no answer within %s", e.after) }
