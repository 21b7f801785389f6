package cli

import (
	"context"

	"waggle/shared/run"
	"waggle/shared/store"
)

// relations are what a run has to do with others.
type relations struct {
	waiting   string // which limit it waits for, and who has its slots; empty: none
	retriedBy run.ID // empty: nobody retried it
}

func relationsOf(ctx context.Context, st *store.Store, r run.Record) (rel relations, err error) {
	if r.Status == run.Queued {
		if rel.waiting, err = waiting(ctx, st, r.ID, r.Request.Limits); err != nil {
			return rel, err
		}
	}
	rel.retriedBy, _, err = st.RunOf(ctx, r.Request.Job, run.RetryKey(r.ID))
	return rel, err
}

// waiting says which limit a run waits for, and who has its slots, as it is now; "" where it has them all.
func waiting(ctx context.Context, st *store.Store, id run.ID, limits []run.Limit) (string, error) {
	has, w, err := st.HasSlots(ctx, id, limits)
	if err != nil || has {
		return "", err
	}
	if len(w.Holders) < w.Limit.Max {
		return "limit " + w.Limit.Name + " has a free slot", nil
	}
	return w.String(), nil
}
