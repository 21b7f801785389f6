//go:build aws

package e2e_test

import (
	"time"

	"waggle/pipelines"
	"waggle/shared/run"
	"waggle/shared/store"
)

const daily = "gallery_daily"

// scheduleFires has the place believe that it did not yet look when the newest tick came.
func scheduleFires(p *place) {
	var tick time.Time
	for _, s := range pipelines.Definitions.Schedules {
		if s.Name != daily {
			continue
		}
		now := time.Now()
		for next := s.Next(now.Add(-48 * time.Hour)); next.Before(now); next = s.Next(next) {
			tick = next
		}
	}
	p.look() // a schedule begins when it is first looked at
	p.fire(daily, func() {
		st := p.store()
		begun, err := st.Schedule(p.t.Context(), daily)
		if err == nil {
			err = st.PutSchedule(p.t.Context(), daily, begun, store.Schedule{Definition: begun.Definition, Last: tick.Add(-time.Minute).UTC()})
		}
		if err != nil {
			p.t.Fatal(err)
		}
	})
	var schedule struct {
		Ticks []struct {
			Time   time.Time
			Late   bool
			Status run.Status
		}
	}
	shows := func() any { p.decode(&schedule, "schedules", "show", daily); return schedule }
	p.until("the end of the tick's run", func() bool { shows(); return len(schedule.Ticks) > 0 && schedule.Ticks[0].Status.Terminal() }, shows)
	if got := schedule.Ticks; len(got) != 1 || !got[0].Time.Equal(tick) || !got[0].Late || got[0].Status != run.Success {
		p.t.Errorf("ticks are %+v, want one of %s", got, tick)
	}
}
