package eventbridge

import (
	"context"
	"errors"
	"strings"
	"syscall"

	"waggle/shared/awserror"
	"waggle/shared/fault"
)

// entryError is why EventBridge refused one event of a batch.
type entryError struct{ code, message string }

func (e *entryError) Error() string {
	return strings.TrimPrefix(strings.TrimSuffix(e.code+": "+e.message, ": "), ": ")
}

// translate turns whatever a call failed with into a fault. It is the only place that knows AWS's codes. ctx is the caller's: where
// it has ended, that is why.
func (p *Publisher) translate(ctx context.Context, op string, err error) error {
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fault.Wrap(fault.Canceled, op, context.Cause(ctx))
	}
	var entry *entryError
	code, _, answered := awserror.Answer(err)
	f := &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New(awserror.Text(err))}
	switch {
	case errors.As(err, &entry):
		f.Err = err
		f.Code, f.Hint = p.meaning(entry.code, 0)
	case answered:
		f.Code, f.Hint = p.meaning(code, awserror.Status(err))
	case awserror.NoCredentials(err):
		f.Code, f.Hint = fault.Denied, awserror.HintCredentials
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Hint = "is anything listening there? AWS_ENDPOINT_URL says where to connect"
	}
	return f
}

// meaning is the table from EventBridge's codes, of a request or of one of its events, to ours, with the next step. status is 0 for
// an event.
func (p *Publisher) meaning(code string, status int) (fault.Code, string) {
	switch code {
	case "LimitExceededException":
		return fault.Throttled, ""
	case "", "OperationDisabledException", "ConcurrentModificationException":
		return fault.Unavailable, ""
	case "ResourceNotFoundException":
		return fault.NotFound, "there is no event bus " + p.bus + " in " + p.place() + "; is the region right, and was it deployed?"
	case "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException", "NotAuthorizedForResourceException":
		return fault.Denied, p.rights()
	case "MalformedDetail", "InvalidArgument", "ValidationException", "RedactionFailure":
		return fault.Internal, "this is a bug in waggle"
	}
	switch awserror.KindOf(code) {
	case awserror.Throttled:
		return fault.Throttled, ""
	case awserror.Unavailable:
		return fault.Unavailable, ""
	case awserror.Unknown, awserror.Expired, awserror.BadSignature:
		return fault.Denied, awserror.HintCredentials
	case awserror.Denied:
		return fault.Denied, p.rights()
	}
	switch {
	case status == 413:
		return fault.TooLarge, ""
	case status == 429:
		return fault.Throttled, ""
	case status == 401 || status == 403:
		return fault.Denied, awserror.HintCredentials
	case status >= 400 && status < 500:
		return fault.Internal, "this is a bug in waggle, or " + p.place() + " is not EventBridge"
	}
	return fault.Unavailable, ""
}

// rights are those that a publisher takes.
func (p *Publisher) rights() string {
	return "the role needs events:PutEvents, and at start events:DescribeEventBus, on the bus " + p.bus
}

// place is where the bus is looked for.
func (p *Publisher) place() string {
	o := p.client.Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint
	}
	return "region " + o.Region
}
