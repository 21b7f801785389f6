package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"waggle/shared/fault"
)

func ExampleUnknown() {
	fmt.Println(fault.Unknown("job", "galery", []string{"gallery", "hello"}))
	fmt.Println(fault.Unknown("job", "x", []string{"gallery", "hello"}))
	fmt.Println(fault.Unknown("job", "x", []string(nil)))
	// Output:
	// unknown job "galery" (did you mean "gallery"?)
	// unknown job "x" (there is gallery, hello)
	// unknown job "x" (there is no job)
}

func TestAnErrorSaysWhatWasTriedWhyAndWhatToDo(t *testing.T) {
	t.Parallel()
	cause := errors.New("disk on fire")
	err := error((&fault.Error{Op: "put RUN#1/META", Code: fault.Full, Err: cause}).WithHint("free %s", "space"))
	if err.Error() != "put RUN#1/META: disk on fire (free space)" || !errors.Is(err, fault.Full) || !errors.Is(err, cause) || errors.Is(err, fault.Denied) {
		t.Errorf("%v", err)
	}
	if fault.Wrap(fault.Full, "put", nil) != nil {
		t.Error("no cause became an error")
	}
}

func TestTheOutermostCodeDecides(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.Throttled, "slow down")
	outer := fault.Wrap(fault.Lost, "renew", inner)
	for _, c := range []struct {
		err  error
		code fault.Code
		exit int
		try  bool
	}{
		{nil, "", 0, false},
		{inner, fault.Throttled, 3, true},
		{outer, fault.Lost, 3, false},
		{fmt.Errorf("more: %w", inner), fault.Throttled, 3, true},
		{context.Canceled, fault.Internal, 3, false},
		{fault.New(fault.Invalid, "x"), fault.Invalid, 2, false},
		{fault.New(fault.NotFound, "x"), fault.NotFound, 2, false},
		{fault.New(fault.Canceled, "x"), fault.Canceled, 130, false},
		{fmt.Errorf("bare: %w", fault.Unavailable), fault.Unavailable, 3, true},
	} {
		if fault.CodeOf(c.err) != c.code || fault.Exit(c.err) != c.exit || fault.Retryable(c.err) != c.try {
			t.Errorf("%v: %s, exit %d, retry %v", c.err, fault.CodeOf(c.err), fault.Exit(c.err), fault.Retryable(c.err))
		}
	}
}

func TestTheNearestNameForgivesCaseSeparatorsAndASwap(t *testing.T) {
	t.Parallel()
	names := []string{"sales_raw", "artworks_raw", "clean", "id"}
	for written, want := range map[string]string{"salesRaw": "sales_raw", "Sales-Raw": "sales_raw", "claen": "clean", "artwork_raw": "artworks_raw", "xyz": "", "ie": "id", "": ""} {
		if got := fault.Nearest(written, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", written, got, want)
		}
	}
}
