package cli

import (
	"context"
	"time"

	"waggle/shared/owner"
	"waggle/shared/run"
	"waggle/shared/store"
)

// shownDead is how many runs whose process died a command tells of.
const shownDead = 3

// tellOfDead says which runs nobody looks after any more.
func (s *session) tellOfDead(ctx context.Context, st *store.Store) error {
	due, err := st.Due(ctx, 100)
	if err != nil {
		return err
	}
	for i, id := range due {
		if i == shownDead {
			s.say("and %d more", len(due)-i)
			break
		}
		what, err := s.fate(ctx, st, id)
		if err != nil {
			return err
		}
		s.say("%s; resume it with: %s", what, s.call("monitor", "--once"))
	}
	return nil
}

// fate says in words why a run is due.
func (s *session) fate(ctx context.Context, st *store.Store, id run.ID) (string, error) {
	summary, err := st.Summary(ctx, id)
	if err != nil {
		return "", err
	}
	own, err := st.Owner(ctx, id)
	if err != nil {
		return "", err
	}
	return "run " + id.Short() + " of " + summary.Request.Name() + ": " + s.whyDue(own, summary, st.Lease(), st.Now()), nil
}

func (s *session) whyDue(own owner.Ownership, summary store.Summary, lease time.Duration, now time.Time) string {
	switch {
	case own.Token != "":
		// The lease was last renewed when its owner was last alive.
		return "its process died " + s.moment(own.Due.Add(-lease), now)
	case own.Epoch == 0:
		return "launched " + s.moment(summary.Launched, now) + ", but never started"
	case summary.Status == run.Queued:
		return "waits for a slot, without a process"
	default:
		return "left unfinished " + s.moment(own.Due, now)
	}
}
