package awssecret

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"waggle/shared/awserror"
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
	text := awserror.Text(refused.err)
	if errors.Is(err, context.DeadlineExceeded) {
		text = fmt.Sprintf("no answer within %s", limit)
	}
	return &fault.Error{Op: refused.action, Code: code, Err: errors.New(text), Hint: hint}
}

// meaning is the table from AWS's errors to ours, with the next step.
func meaning(r *refusal) (fault.Code, string) {
	code, message, answered := awserror.Answer(r.err)
	switch {
	case awserror.NoCredentials(r.err):
		return fault.Denied, awserror.HintCredentials
	case !answered:
		return fault.Unavailable, ""
	}
	switch code {
	case "InvalidKeyId", "DecryptionFailure", "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException":
		return fault.Denied, "the key that it is encrypted with cannot be used"
	case "ValidationException", "InvalidParameterException":
		return fault.Invalid, "look at the name"
	}
	switch awserror.KindOf(code) {
	case awserror.Denied:
		action := r.action
		if found := performed.FindStringSubmatch(message); found != nil {
			action = found[1]
		} else if strings.Contains(message, "KMS") {
			action = "kms:Decrypt" // Secrets Manager names no action there
		}
		return fault.Denied, "allow the role or user " + action + " on it"
	case awserror.Unknown, awserror.Expired, awserror.BadSignature:
		return fault.Denied, "AWS does not take these credentials; log in again, and look at the clock of this machine"
	case awserror.Throttled:
		return fault.Throttled, ""
	case awserror.Unavailable:
		return fault.Unavailable, ""
	}
	if status := awserror.Status(r.err); status >= 400 && status < 500 {
		return fault.Invalid, ""
	}
	return fault.Unavailable, ""
}
