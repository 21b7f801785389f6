package cloudtest

import (
	"context"
	"errors"
	"testing"

	"waggle/shared/fault"
	"waggle/shared/notify"
	"waggle/shared/store/driver"
	"waggle/shared/store/memorydriver"
)

type taking struct{}

func (taking) Send(context.Context, string, notify.Content, notify.Thread) notify.Answer {
	return notify.Answer{Kind: notify.Sent}
}

func put(partition, sort string) driver.Item {
	return driver.Item{Key: driver.Key{Partition: partition, Sort: sort}, Version: 1}
}

func TestAnInvocationHasTheCallsThatItIsLeft(t *testing.T) {
	t.Parallel()
	l := &life{left: 2}
	table := mortal{memorydriver.New(nil), l}
	for range 2 {
		if err := table.Put(t.Context(), put("a", "b"), driver.Any); err != nil {
			t.Fatal(err)
		}
	}
	if cut, _ := l.ended(); cut {
		t.Error("it is cut off while it has calls left")
	}
	for range 2 {
		if err := table.Put(t.Context(), put("a", "b"), driver.Any); !errors.Is(err, fault.Unavailable) {
			t.Errorf("it is cut off: %v", err)
		}
	}
	if cut, _ := l.ended(); !cut {
		t.Error("it is not cut off")
	}
}

func TestASendIsAmbiguousUntilItIsStored(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stored, dies bool
		want         int
	}{"stored": {true, false, 0}, "not stored, alive": {false, false, 0}, "cut off at once": {true, true, 1}} {
		l := &life{left: -1}
		table := mortal{memorydriver.New(nil), l}
		sender := noted{taking{}, l, func() bool { return c.dies }}
		sender.Send(t.Context(), "key", notify.Content{}, notify.Thread{})
		if c.stored {
			message := put("CHANNEL#slack", "MSG#1")
			_ = table.Write(t.Context(), []driver.Op{{Put: &message}})
		}
		if _, got := l.ended(); got != c.want {
			t.Errorf("%s: %d ambiguous", name, got)
		}
	}
	l := &life{left: 0}
	noted{taking{}, l, func() bool { return false }}.Send(t.Context(), "key", notify.Content{}, notify.Thread{})
	if _, err := (mortal{memorydriver.New(nil), l}).Get(t.Context(), driver.Key{}); err == nil {
		t.Error("it is not cut off")
	}
	if _, got := l.ended(); got != 1 {
		t.Errorf("%d ambiguous after a call that failed", got)
	}
}
