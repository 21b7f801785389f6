package courier_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

// waitsPacked has a message wait in its channel and returns the world.
func waitsPacked(t *testing.T, text string) *world {
	t.Helper()
	w := setup(t, nil, sensor.OnRunFailure("alarm", func(ctx *sensor.Context, _ sensor.Run) error {
		return ctx.Notify(notify.Message{Text: text}, slack)
	}, nil))
	w.server.answer = func(_ string, try int, _ notify.Content) notify.Answer {
		if try == 1 {
			return notify.Answer{Kind: notify.Retry, Error: "busy"}
		}
		return notify.Answer{Kind: notify.Sent}
	}
	w.run()
	w.once()
	return w
}

func TestAMessageTakesLittleRoomWhileItWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("a sentence that every rung repeats; ", 50)
		w := waitsPacked(t, text)
		outs, _, err := w.store.Waiting(t.Context(), "slack", 10, "")
		if err != nil || len(outs) != 1 || len(outs[0].Body) > len(text)/2 {
			t.Fatalf("%d messages, %v", len(outs), err)
		}
		time.Sleep(time.Minute)
		w.once()
		w.want("slack: " + text)
	})
}

func TestAMessageThatAnEarlierVersionStoredAsBareJSONIsSentAndOneThatDoesNotReadBackIsGivenUp(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]courier.State{
		`{"rungs":[{"line":"old","text":"old"}]}`: courier.Sent,
		`{"rungs":[]}`:     courier.Dead,
		`{"rungs":`:        courier.Dead,
		"neither of these": courier.Dead,
		"":                 courier.Dead,
	} {
		synctest.Test(t, func(t *testing.T) {
			w := waitsPacked(t, "new")
			outs, _, err := w.store.Waiting(t.Context(), "slack", 10, "")
			if err != nil || len(outs) != 1 {
				t.Fatalf("%d messages, %v", len(outs), err)
			}
			outs[0].Body = []byte(body)
			if _, err := w.store.Postpone(t.Context(), outs[0]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
			w.once()
			d := w.only()
			if d.State != want || want == courier.Dead && d.Reason != courier.ReasonUnreadable {
				t.Errorf("%q: %s %s %s", body, d.State, d.Reason, d.Error)
			}
			if want == courier.Sent {
				w.want("slack: old")
			} else {
				w.want()
			}
		})
	}
}
