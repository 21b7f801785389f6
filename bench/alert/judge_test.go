package main

import (
	"slices"
	"testing"
	"time"

	"waggle/bench/receiver"
	"waggle/shared/run"
)

const (
	failed = run.ID("01a214b7-edae-7d20-be6e-8961431c253a")
	other  = run.ID("01a214b7-edae-7d20-be6e-8961431c253b")
)

func TestAMessageThatIsMissingOrCameTwiceIsFound(t *testing.T) {
	t.Parallel()
	m := func(ids ...run.ID) receiver.Message {
		text := "run: "
		for _, id := range ids {
			text += "`" + string(id) + "` "
		}
		return receiver.Message{Body: text}
	}
	for _, c := range []struct {
		messages []receiver.Message
		found    bool
	}{{[]receiver.Message{m(failed), m(other)}, true}, {[]receiver.Message{m(other, failed)}, true}, {[]receiver.Message{m(other)}, false}, {[]receiver.Message{m(failed), m(other, failed)}, false}} {
		if got, err := theOne(c.messages, failed); (err == nil) != c.found || c.found && !slices.Contains(got.Runs(), failed) {
			t.Errorf("%v: %v, %v", c.messages, got, err)
		}
	}
}

func TestAFigureIsOfTheValuesThatWereMeasured(t *testing.T) {
	t.Parallel()
	var all []times
	for n := range 200 {
		all = append(all, times{received: time.Duration(n+1) * time.Millisecond, mailed: time.Duration(2*n+2) * time.Millisecond})
	}
	if f := figureOf(all); f.Runs != 200 || f.P50 != 100 || f.P99 != 198 || f.Max != 200 || f.MailP50 != 200 || f.MailP99 != 396 {
		t.Errorf("%+v", f)
	}
	if f := figureOf(all[:1]); f.P50 != 1 || f.P99 != 1 {
		t.Errorf("%+v", f)
	}
}
