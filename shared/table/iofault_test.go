package table_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/table"
)

func TestErrorsOfTheDiskHaveTheirCode(t *testing.T) {
	t.Parallel()
	at := func(err error) error { return &os.PathError{Op: "write", Path: "/out/x", Err: err} }
	for _, test := range []struct {
		err  error
		want fault.Code
	}{
		{at(syscall.ENOSPC), fault.Full},
		{at(syscall.EDQUOT), fault.Full},
		{at(syscall.EACCES), fault.Denied},
		{at(syscall.EPERM), fault.Denied},
		{at(syscall.EROFS), fault.Denied},
		{at(syscall.ENOENT), fault.NotFound},
		{at(syscall.ENOTDIR), fault.Invalid},
		{at(syscall.EIO), fault.Unavailable},
		{at(fs.ErrPermission), fault.Denied},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), fault.Canceled},
		{fault.New(fault.Corrupt, "x"), fault.Corrupt},
		{fmt.Errorf("x: %w", fault.New(fault.Corrupt, "x")), fault.Corrupt},
		{errors.New("x"), fault.Unavailable},
	} {
		got := table.IOFault("write /out/x", test.err)
		if fault.CodeOf(got) != test.want || !errors.Is(got, test.want) {
			t.Errorf("%v: %s, want %s", test.err, fault.CodeOf(got), test.want)
		}
	}
}
