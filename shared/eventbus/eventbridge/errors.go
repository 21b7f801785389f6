package eventbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"waggle/shared/fault"
)

const hintCredentials = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"

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
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	switch {
	case errors.As(err, &entry):
		code, hint := p.meaning(entry.code, status)
		return &fault.Error{Op: op, Code: code, Err: err, Hint: hint}
	case errors.As(err, &api):
		code, hint := p.meaning(api.ErrorCode(), status)
		return &fault.Error{Op: op, Code: code, Err: errors.New(strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")), Hint: hint}
	case strings.Contains(err.Error(), "get credentials"), strings.Contains(err.Error(), "failed to retrieve credentials"):
		return &fault.Error{Op: op, Code: fault.Denied, Err: err, Hint: hintCredentials}
	}
	f := &fault.Error{Op: op, Code: fault.Unavailable, Err: err}
	var sent *smithyhttp.RequestSendError
	if errors.As(err, &sent) {
		f.Err = fmt.Errorf("no answer: %w", sent.Err)
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		f.Hint = "is anything listening there? AWS_ENDPOINT_URL says where to connect"
	}
	return f
}

// meaning is the table from EventBridge's codes, of a request or of one of its events, to ours, with the next step. status is 0 for
// an event.
func (p *Publisher) meaning(code string, status int) (fault.Code, string) {
	switch code {
	case "ThrottlingException", "Throttling", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException", "SlowDown":
		return fault.Throttled, ""
	case "", "InternalFailure", "InternalException", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException", "OperationDisabledException",
		"ConcurrentModificationException", "RequestTimeout", "RequestTimeoutException":
		return fault.Unavailable, ""
	case "ResourceNotFoundException":
		return fault.NotFound, "there is no event bus " + p.bus + " in " + p.place() + "; is the region right, and was it deployed?"
	case "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignature", "MissingAuthenticationToken", "ExpiredToken", "ExpiredTokenException",
		"InvalidSignatureException", "SignatureDoesNotMatch":
		return fault.Denied, hintCredentials
	case "AccessDeniedException", "AccessDenied", "NotAuthorizedForDetailTypeException", "NotAuthorizedForSourceException", "NotAuthorizedForResourceException":
		return fault.Denied, "the role needs events:PutEvents, and at start events:DescribeEventBus, on the bus " + p.bus
	case "MalformedDetail", "InvalidArgument", "ValidationException", "RedactionFailure":
		return fault.Internal, "this is a bug in waggle"
	}
	switch {
	case status == 413:
		return fault.TooLarge, ""
	case status == 429:
		return fault.Throttled, ""
	case status == 401 || status == 403:
		return fault.Denied, hintCredentials
	case status >= 400 && status < 500:
		return fault.Internal, "this is a bug in waggle, or " + p.place() + " is not EventBridge"
	}
	return fault.Unavailable, ""
}

// place is where the bus is looked for.
func (p *Publisher) place() string {
	o := p.client.Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint
	}
	return "region " + o.Region
}
