package dynamodriver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"waggle/shared/awserror"
	"waggle/shared/fault"
	"waggle/shared/store/driver"
)

var (
	errClosed  = errors.New("the store is closed")
	errForeign = fault.New(fault.Corrupt, "a row is not as waggle writes it").WithHint("did somebody change it by hand?")
)

// Codes that the SDK has no type for, or that come under several names.
const (
	codeTransactionConflict = "TransactionConflictException"
	codeReplicatedConflict  = "ReplicatedWriteConflictException"
)

// translate turns whatever an operation failed with into a fault. It is the only place that knows AWS's codes. ctx is
// the caller's: where it has ended, that is why.
func (d *Driver) translate(ctx context.Context, op string, err error) error {
	var conflict *driver.ConflictError
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &conflict):
		return err // says all there is to say
	case errors.As(err, &known):
		return &fault.Error{Op: op, Code: known.Code, Err: known.Err, Hint: known.Hint}
	case ctx.Err() != nil:
		return fault.Wrap(fault.Canceled, op, context.Cause(ctx))
	}
	code, hint := d.meaning(err)
	return &fault.Error{Op: op, Code: code, Err: errors.New(short(err)), Hint: hint}
}

// short is what an error of DynamoDB says, without the SDK's account of its own steps.
func short(err error) string {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		var reasons []string
		for i, r := range canceled.CancellationReasons {
			if code := aws.ToString(r.Code); code != "" && code != "None" {
				reasons = append(reasons, fmt.Sprintf("part %d: %s %s", i, code, aws.ToString(r.Message)))
			}
		}
		return strings.TrimSpace("the transaction was canceled: " + strings.Join(reasons, ", "))
	}
	var slow *slowError
	if errors.As(err, &slow) {
		return slow.Error()
	}
	return awserror.Text(err)
}

// meaning is the table from AWS's errors to ours, with the next step.
func (d *Driver) meaning(err error) (fault.Code, string) {
	var canceled *types.TransactionCanceledException
	if errors.As(err, &canceled) {
		return meaningOfReasons(canceled)
	}
	if code, message, answered := awserror.Answer(err); answered {
		return d.meaningOfCode(code, strings.ToLower(message), awserror.Status(err))
	}
	var unknownHost *net.DNSError
	switch {
	case awserror.NoCredentials(err):
		return fault.Denied, awserror.HintCredentials
	case errors.As(err, &unknownHost):
		return fault.Unavailable, "is " + d.place() + " right, and is there a network?"
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault.Unavailable, "is anything listening there? AWS_ENDPOINT_URL says where to connect"
	}
	return fault.Unavailable, ""
}

// meaningOfCode is about what DynamoDB answered; the message in small letters.
func (d *Driver) meaningOfCode(code, message string, status int) (fault.Code, string) {
	switch awserror.KindOf(code) {
	case awserror.Throttled:
		return fault.Throttled, ""
	case awserror.Unavailable:
		return fault.Unavailable, ""
	case awserror.Unknown:
		return fault.Denied, "AWS does not know these credentials in " + d.place() + "; " + awserror.HintCredentials
	case awserror.Expired:
		return fault.Denied, "the credentials have expired; log in again"
	case awserror.BadSignature:
		if strings.Contains(message, "expired") || strings.Contains(message, "not yet current") {
			return fault.Denied, "the clock of this machine is wrong; set it"
		}
		return fault.Denied, awserror.HintCredentials
	case awserror.Denied:
		return fault.Denied, "the role or user lacks a right to table " + d.table + "; the text names it"
	}
	switch code {
	case "TransactionInProgressException", codeTransactionConflict, codeReplicatedConflict:
		return fault.Throttled, ""
	case "LimitExceededException":
		return fault.Throttled, "too many tables are being made or changed at once"
	case "IdempotentParameterMismatchException": // of a transaction whose answer was lost
		return fault.Unavailable, ""
	case "ResourceNotFoundException", "TableNotFoundException":
		return fault.NotFound, "there is no table " + d.table + " in " + d.place() + "; is the region right, and was it deployed?"
	case "ItemCollectionSizeLimitExceededException":
		return fault.TooLarge, ""
	case "KMSAccessDeniedException", "KMSDisabledException", "KMSInvalidStateException", "KMSNotFoundException", "InaccessibleEncryptionDateTime":
		return fault.Denied, "the table's encryption key cannot be used"
	case "ValidationException":
		switch {
		case strings.Contains(message, "size has exceeded"), strings.Contains(message, "exceeds the maximum allowed size"), strings.Contains(message, "exceeded the maximum allowed size"):
			return fault.TooLarge, ""
		case strings.Contains(message, "does not have the specified index"), strings.Contains(message, "match the schema"), strings.Contains(message, "not an index key"):
			return fault.Incompatible, hintIncompatible
		}
		return fault.Internal, "this is a bug in waggle"
	}
	switch {
	case status == 413:
		return fault.TooLarge, ""
	case status == 429:
		return fault.Throttled, ""
	case status == 401 || status == 403:
		return fault.Denied, awserror.HintCredentials
	case status >= 400 && status < 500:
		return fault.Internal, "this is a bug in waggle, or " + d.place() + " is not DynamoDB"
	}
	return fault.Unavailable, ""
}

// meaningOfReasons is for transactions that no condition canceled.
func meaningOfReasons(canceled *types.TransactionCanceledException) (fault.Code, string) {
	if crowded(canceled) {
		return fault.Throttled, ""
	}
	for _, reason := range canceled.CancellationReasons {
		switch aws.ToString(reason.Code) {
		case "ItemCollectionSizeLimitExceeded":
			return fault.TooLarge, ""
		case "ValidationError":
			if strings.Contains(aws.ToString(reason.Message), "size") {
				return fault.TooLarge, ""
			}
			return fault.Internal, "this is a bug in waggle"
		}
	}
	return fault.Unavailable, ""
}

// place is where the table is looked for.
func (d *Driver) place() string {
	o := d.client.Options()
	if o.BaseEndpoint != nil {
		return *o.BaseEndpoint
	}
	return "region " + o.Region
}
