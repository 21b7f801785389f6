//go:build aws

package main

import (
	"errors"
	"net"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"

	"waggle/shared/awserror"
	"waggle/shared/fault"
)

// refused is what a call of AWS failed with, as a person reads it: what AWS said, and the next step. right is what the call takes,
// "ssm:GetParameter on /waggle/prod/deployment".
func refused(cfg aws.Config, op, right string, err error) *fault.Error {
	f := &fault.Error{Op: op, Code: fault.Unavailable, Err: errors.New(awserror.Text(err)), Hint: "look at AWS_REGION, AWS_PROFILE and the network"}
	code, _, answered := awserror.Answer(err)
	var unknownHost *net.DNSError
	switch kind := awserror.KindOf(code); {
	case awserror.NoCredentials(err), kind == awserror.Unknown, kind == awserror.Expired:
		f.Code, f.Hint = fault.Denied, awserror.HintCredentials
	case kind == awserror.BadSignature:
		f.Code, f.Hint = fault.Denied, "look at the clock of this machine; "+awserror.HintCredentials
	case kind == awserror.Throttled:
		f.Code, f.Hint = fault.Throttled, "try again"
	case kind == awserror.Unavailable:
		f.Hint = "try again"
	case answered:
		f.Code, f.Hint = fault.Denied, "allow "+right
	case errors.As(err, &unknownHost):
		f.Hint = "is the region " + cfg.Region + " right, and is there a network?"
	case errors.Is(err, syscall.ECONNREFUSED):
		f.Hint = "is anything listening there? AWS_ENDPOINT_URL says where to connect"
	}
	return f
}
