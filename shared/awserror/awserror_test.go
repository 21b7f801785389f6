package awserror_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"waggle/shared/awserror"
)

// failed is what an operation of the SDK returns.
func failed(cause error) error {
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem", Err: fmt.Errorf("exceeded maximum number of attempts, 3, %w", cause)}
}

func TestWhatAnErrorSays(t *testing.T) {
	t.Parallel()
	answer := func(status int, code, message string) error {
		return failed(&smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: &smithy.GenericAPIError{Code: code, Message: message}})
	}
	for _, c := range []struct {
		err           error
		text          string
		code          string
		kind          awserror.Kind
		status        int
		noCredentials bool
	}{
		{answer(400, "ThrottlingException", "Rate exceeded"), "ThrottlingException: Rate exceeded", "ThrottlingException", awserror.Throttled, 400, false},
		{answer(403, "AccessDeniedException", ""), "AccessDeniedException", "AccessDeniedException", awserror.Denied, 403, false},
		{answer(400, "ResourceNotFoundException", "no table"), "ResourceNotFoundException: no table", "ResourceNotFoundException", 0, 400, false},
		{failed(&smithyhttp.RequestSendError{Err: errors.New("connection refused")}), "no answer: connection refused", "", 0, 0, false},
		{failed(fmt.Errorf("get identity: get credentials: %w", errors.New("the SSO session has expired"))), "the SSO session has expired", "", 0, 0, true},
		{failed(fmt.Errorf("get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, %w", errors.New("operation error ec2imds: GetMetadata"))),
			"no credentials were found", "", 0, 0, true},
	} {
		code, _, answered := awserror.Answer(c.err)
		if text := awserror.Text(c.err); text != c.text || code != c.code || answered != (c.code != "") || awserror.KindOf(code) != c.kind ||
			awserror.Status(c.err) != c.status || awserror.NoCredentials(c.err) != c.noCredentials {
			t.Errorf("%v:\n%q, code %q, kind %d, status %d, no credentials %t; want %+v", c.err, text, code, awserror.KindOf(code), awserror.Status(c.err), awserror.NoCredentials(c.err), c)
		}
	}
}
