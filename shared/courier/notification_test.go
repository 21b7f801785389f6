package courier_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/asset"
	"waggle/shared/metadata"
	"waggle/shared/notify"
	"waggle/shared/run"
)

// notifying is two assets: one that reports a number, or fails, and a notification of it by mail that is tried twice.
func notifying(fails *bool) []asset.Any {
	sold := asset.New("sold", func(ctx *asset.Context) (int, error) {
		ctx.AddMetadata(metadata.Map{"record_count": 1234})
		if *fails {
			return 0, errors.New("it broke")
		}
		return 1234, nil
	}, nil)
	return []asset.Any{sold, asset.Notification("tell", `{{(.Asset "sold").Metadata.record_count}} sold`, team,
		&asset.NotificationOptions{Options: asset.Options{Deps: asset.List{sold}, Retry: asset.Retry{Max: 1}}})}
}

func TestANotificationIsSentOnceARunAndNotWhenItsAssetFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fails bool
		w, do := making(t, nil, notifying(&fails)...)
		if r := do(); r.Status != run.Success || r.Materializations[1].Metadata["delivery_state"].Any() != "sent" {
			t.Errorf("%s, %v", r.Status, r.Materializations)
		}
		w.want("team: 1,234 sold")
		fails = true
		if r := do(); r.Status != run.Failure || r.Step("tell").Status != run.StepSkipped {
			t.Errorf("%s, %+v", r.Status, r.Step("tell"))
		}
		w.want("team: 1,234 sold")
		fails = false
		do()
		w.want("team: 1,234 sold", "team: 1,234 sold")
	})
}

func TestANotificationSucceedsWhileItsMessageIsTriedAndFailsWhenItIsGivenUp(t *testing.T) {
	t.Parallel()
	var fails bool
	synctest.Test(t, func(t *testing.T) {
		w, do := making(t, func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Retry, Error: "busy"}
		}, notifying(&fails)...)
		began := time.Now()
		r := do()
		if took := time.Since(began); r.Status != run.Success || r.Materializations[1].Metadata["delivery_state"].Any() != "retrying" || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("%s after %s, %v", r.Status, took, r.Materializations)
		}
		w.want()
	})
	synctest.Test(t, func(t *testing.T) {
		w, do := making(t, func(string, int, notify.Content) notify.Answer {
			return notify.Answer{Kind: notify.Smaller, Error: "413 too large"}
		}, notifying(&fails)...)
		r := do()
		if r.Status != run.Failure || !strings.Contains(r.Error, `channel "team" has given up message`) || r.Step("tell").Attempt != 2 {
			t.Errorf("%s %q after %d attempts", r.Status, r.Error, r.Step("tell").Attempt)
		}
		// Each rung of the ladder once: the second attempt of the step sent nothing.
		if w.server.tries != len(notify.Rungs()) {
			t.Errorf("tried to send %d times", w.server.tries)
		}
	})
}

// TestANotificationOfAnAssetThatFailedBeforeTellsOfThisRun has the asset report another number at each attempt.
func TestANotificationOfAnAssetThatFailedBeforeTellsOfThisRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		sold := asset.New("sold", func(ctx *asset.Context) (int, error) {
			tries++
			ctx.AddMetadata(metadata.Map{"record_count": tries})
			if tries < 3 {
				return 0, errors.New("not yet")
			}
			return tries, nil
		}, &asset.Options{Retry: asset.Retry{Max: 5}})
		tell := asset.Notification("tell", `{{(.Asset "sold").Metadata.record_count}} sold in {{.Run}}`, slack, &asset.NotificationOptions{Options: asset.Options{Deps: asset.List{sold}}})
		w, do := making(t, nil, sold, tell)
		r := do()
		w.want("slack: 3 sold in " + string(r.ID))
	})
}
