package table

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"gocloud.dev/gcerrors"

	"waggle/shared/fault"
)

// ioFault adds the operation to an error of a disk or a bucket and says which code it is. An error
// that has a code keeps it.
func ioFault(op string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		if op == "" {
			return err
		}
		if err == error(known) && known.Op == "" { // keep its hint in sight
			return &fault.Error{Op: op, Code: known.Code, Err: known.Err, Hint: known.Hint}
		}
		return fault.Wrap(known.Code, op, err)
	}
	failed := func(code fault.Code) *fault.Error { return &fault.Error{Op: op, Code: code, Err: err} }
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return failed(fault.Canceled)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return failed(fault.Full).WithHint("make room, or write to another folder")
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return failed(fault.Denied).WithHint("allow it for the user that runs this, or use another folder")
	case errors.Is(err, fs.ErrNotExist):
		return failed(fault.NotFound)
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR), errors.Is(err, fs.ErrExist):
		return failed(fault.Invalid).WithHint("use another folder or name")
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return failed(fault.NotFound)
	case gcerrors.PermissionDenied:
		return failed(fault.Denied).WithHint("allow it for the role that runs this")
	case gcerrors.InvalidArgument:
		return failed(fault.Invalid)
	case gcerrors.ResourceExhausted:
		return failed(fault.Throttled)
	}
	return failed(fault.Unavailable)
}
