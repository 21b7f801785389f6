package courier_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"waggle/shared/courier"
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

// TestASensorWithAMinIntervalTellsTheFirstAtOnceAndTheNextTogether has nine failures in four minutes, and then one an hour later.
func TestASensorWithAMinIntervalTellsTheFirstAtOnceAndTheNextTogether(t *testing.T) {
	t.Parallel()
	for _, report := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			alarm := sensor.OnRunFailure("alarm", func(ctx *sensor.Context, r sensor.Run) error {
				if report {
					return ctx.Notify(r.Report(), team)
				}
				return ctx.Notify(notify.Message{Text: r.Job + " failed"}, team)
			}, &sensor.Options{MinInterval: 2 * time.Minute})
			w := setup(t, nil, alarm)
			began := time.Now()
			jobs := []string{"job_00", "job_01", "job_02", "job_03", "job_04", "job_05", "job_06", "job_07", "job_08"}
			for _, name := range jobs {
				w.runJob(name, w.courier.Publish())
				w.once()
				time.Sleep(27 * time.Second)
				w.once()
			}
			time.Sleep(time.Hour)
			w.once()
			w.runJob("job_09", w.courier.Publish())
			w.once()
			var at []time.Duration
			for _, when := range w.server.at {
				at = append(at, when.Sub(began).Truncate(time.Minute))
			}
			if !slices.Equal(at, []time.Duration{0, 2 * time.Minute, 4 * time.Minute, 64 * time.Minute}) {
				t.Errorf("sent after %v: %q", at, w.server.got())
			}
			said := w.server.said()
			if report && !slices.Equal(said, []string{"✗ FAILED job_00: broken: it broke.", "✗ FAILED 4 jobs: 4 failures", "✗ FAILED 4 jobs: 4 failures", "✗ FAILED job_09: broken: it broke."}) ||
				!report && !slices.Equal(said, []string{"job_00 failed", "4 messages from alarm", "4 messages from alarm", "job_09 failed"}) {
				t.Errorf("received %q", said)
			}
			all := strings.Join(w.server.got(), " ") + strings.Join(w.server.jsons, " ")
			for _, name := range jobs {
				if !strings.Contains(all, name) {
					t.Errorf("%s is in no message", name)
				}
			}
			list, err := w.courier.Deliveries(t.Context(), courier.Query{})
			if err != nil || len(list) != 10 || slices.ContainsFunc(list, func(d courier.Delivery) bool { return d.State != courier.Sent }) {
				t.Errorf("%+v, %v", list, err)
			}
		})
	}
}
