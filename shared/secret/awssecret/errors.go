package awssecret

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"waggle/shared/fault"
)

// refusal is what AWS answered to an action, not translated yet.
type refusal struct {
	action string // the right that it takes
	err    error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// performed finds the right that AWS misses: that of the action, or the one to use the key of a secret.
var performed = regexp.MustCompile("perform:? `?([a-z0-9-]+:[A-Za-z]+)")

// translate turns what a source failed with into a fault. ctx is the caller's: where it has ended, that is why.
func translate(ctx context.Context, limit time.Duration, err error) error {
	var refused *refusal
	if !errors.As(err, &refused) {
		return err // says all there is to say
	}
	if ctx.Err() != nil {
		return fault.Wrap(fault.Canceled, refused.action, context.Cause(ctx))
	}
	code, hint := meaning(refused)
	text := short(refused.err)
	if errors.Is(err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no answer within %s", limit)
	}
	return &fault.Error{Op: refused.action, Code: code, Err: errors.New(text), Hint: hint}
}

// meaning is the table from AWS's errors to ours, with the next step.
func meaning(r *refusal) (fault.Code, string) {
	var api smithy.APIError
	if !errors.As(r.err, &api) {
		if text := r.err.Error(); strings.Contains(text, "get credentials") || strings.Contains(text, "failed to retrieve credentials") {
			return fault.Denied, "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`"
		}
		return fault.Unavailable, ""
	}
	switch code := api.ErrorCode(); code {
	case "AccessDeniedException", "AccessDenied", "UnauthorizedOperation":
		action := r.action
		if found := performed.FindStringSubmatch(api.ErrorMessage()); found != nil {
			action = found[1]
		} else if strings.Contains(api.ErrorMessage(), "KMS") {
			action = "kms:Decrypt" // Secrets Manager names no action there
		}
		return fault.Denied, "allow the role or user " + action + " on it"
	case "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignature", "MissingAuthenticationToken", "InvalidSignatureException", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException":
		return fault.Denied, "AWS does not take these credentials; log in again, and look at the clock of this machine"
	case "InvalidKeyId", "DecryptionFailure", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException":
		return fault.Denied, "the key that it is encrypted with cannot be used"
	case "ValidationException", "InvalidParameterException":
		return fault.Invalid, "look at the name"
	case "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded":
		return fault.Throttled, ""
	}
	var answer *smithyhttp.ResponseError
	if errors.As(r.err, &answer) && answer.HTTPStatusCode() >= 400 && answer.HTTPStatusCode() < 500 {
		return fault.Invalid, ""
	}
	return fault.Unavailable, ""
}

// short is what an AWS error says, without the SDK's account of its own steps.
func short(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return strings.TrimSuffix(api.ErrorCode()+": "+api.ErrorMessage(), ": ")
	}
	var sent *smithyhttp.RequestSendError
	if errors.As(err, &sent) {
		return "no answer: " + sent.Err.Error()
	}
	return err.Error()
}
