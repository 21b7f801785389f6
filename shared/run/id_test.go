package run_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"waggle/shared/fault"
	"waggle/shared/run"
)

// moment draws a time that an id can hold.
func moment() *rapid.Generator[time.Time] {
	return rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "ms")).Add(time.Duration(rapid.IntRange(0, 999_999).Draw(t, "ns"))).UTC()
	})
}

func newID(t *rapid.T, at time.Time, label string) run.ID {
	id, err := run.NewID(at, bytes.NewReader(rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, label)))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestAnIDIsAUUIDOfVersion7(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(0x017F22E279B0).Add(500 * time.Microsecond) // half of 4,096 is 0x800
	id, err := run.NewID(at, bytes.NewReader([]byte{0xff, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f}))
	if err != nil || id != "017f22e2-79b0-7800-bfc4-dc0c0c07398f" {
		t.Errorf("%s, %v", id, err)
	}
	if _, err := run.NewID(at, strings.NewReader("short")); !errors.Is(err, fault.Internal) {
		t.Errorf("too little randomness: %v", err)
	}
}

func TestIDsSortByTheTimeOfLaunchAndHoldIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		a, b := moment().Draw(r, "a"), moment().Draw(r, "b")
		x, y := newID(r, a, "random of a"), newID(r, b, "random of b")
		if tick := time.Microsecond; b.Sub(a) >= tick && x >= y || a.Sub(b) >= tick && y >= x {
			r.Fatalf("%s at %s and %s at %s", x, a, y, b)
		}
		if first := run.FirstID(a); first > x || !b.Before(a) && first > y {
			r.Fatalf("the first id of %s is %s, above %s or %s", a, first, x, y)
		}
		if at, err := x.Time(); err != nil || !at.Equal(a.Truncate(time.Millisecond)) {
			r.Fatalf("%s holds %s (%v), want %s", x, at, err, a)
		}
		if at, err := run.ID(x.Short()).Time(); err != nil || !at.Equal(a.Truncate(time.Millisecond)) {
			r.Fatalf("%s holds %s (%v), want %s", x.Short(), at, err, a)
		}
	})
}

func TestTheFirstIDOfATimeBefore1970IsTheLowest(t *testing.T) {
	t.Parallel()
	if got := run.FirstID(time.Date(1926, 1, 1, 0, 0, 0, 0, time.UTC)); got != run.FirstID(time.UnixMilli(0)) {
		t.Errorf("%s", got)
	}
}

func TestEveryPrefixOfAnIDFromFourCharactersNamesIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		id := newID(r, moment().Draw(r, "at"), "random")
		n := rapid.IntRange(0, len(id)).Draw(r, "length")
		err := run.CheckPrefix(string(id[:n]))
		if (err == nil) != (n >= run.MinPrefix) || err != nil && !errors.Is(err, fault.Invalid) {
			r.Fatalf("%q: %v", id[:n], err)
		}
	})
}

func TestWhatCannotStartAnIDIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "017", "017g", "017F", "017f2 ", "017f22e2x", "017f22e27", "017f-", "last", "0199é",
		"017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "017f22e2-79b0-7cc3-98c4_dc0c0c07398f"} {
		if err := run.CheckPrefix(text); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestAnIDThatHoldsNoTimeIsInvalid(t *testing.T) {
	t.Parallel()
	for _, id := range []run.ID{"", "abc", "zzzzzzzz-zzzz"} {
		if _, err := id.Time(); !errors.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
