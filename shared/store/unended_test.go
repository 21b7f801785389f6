package store_test

import (
	"fmt"
	"testing"
	"time"

	"waggle/shared/event"
	"waggle/shared/store"
)

func TestWhatARunLeftUnendedIsFoundWithoutTheNamesOfSensorsAndChannels(t *testing.T) {
	onEach(t, func(b *backend) {
		other := failed(7)
		other.Run = "0199f3c2-1a2b-7000-8000-000000000002"
		b.ok(b.PutEvents(b.Context(), "alarm", []event.Event{failed(7), other}))
		b.ok(b.PutEvents(b.Context(), "forgotten", []event.Event{failed(7), failed(9)}))
		unended := func(want ...string) {
			b.Helper()
			b.soon(func() string {
				rows, err := b.UnendedEvents(b.Context(), someRun)
				b.ok(err)
				var got []string
				for _, row := range rows {
					got = append(got, fmt.Sprintf("%s %d", row.Sensor, row.Event.Seq))
				}
				return differ(got, want)
			})
		}
		unended("alarm 7", "forgotten 7", "forgotten 9")
		row := b.dueEvents(4)[0]
		row, err := b.BeginEvent(b.Context(), row, time.Minute)
		b.ok(err)
		row, err = b.RetryEvent(b.Context(), row, b.Now().Add(time.Hour)) // not due yet, and not ended
		b.ok(err)
		unended("forgotten 7", "forgotten 9", "alarm 7")
		row, err = b.BeginEvent(b.Context(), row, time.Minute)
		b.ok(err)
		_, err = b.EndEvent(b.Context(), row, store.EventDone, []store.Out{note(failed(7), "slack", "1", "a"), note(failed(7), "gone", "1", "a")})
		b.ok(err)
		unended("forgotten 7", "forgotten 9")
		b.soon(func() string {
			names, err := b.WaitingChannels(b.Context())
			b.ok(err)
			return differ(names, []string{"gone", "slack"})
		})
	})
}

// differ says how two lists of texts differ; "" where they do not.
func differ(got, want []string) string {
	if fmt.Sprint(got) == fmt.Sprint(want) {
		return ""
	}
	return fmt.Sprintf("%v, want %v", got, want)
}
