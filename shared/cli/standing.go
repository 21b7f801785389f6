package cli

import (
	"context"
	"errors"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/report"
	"waggle/shared/run"
	"waggle/shared/runlog"
	"waggle/shared/store"
)

// standing is how an asset stands: its newest materialization, whether it failed since, and its checks.
type standing struct {
	last   *run.Materialization // nil: never
	failed *failedTry           // after last; nil: none
	checks []checkStanding
}

// failedTry is a step that failed in the newest run of a job.
type failedTry struct {
	run   run.ID
	error string
}

// checkStanding is how a check stands.
type checkStanding struct {
	def  *check.Definition
	last *run.CheckResult // nil: never evaluated
}

// state is the standing in a word.
func (s standing) state() report.State {
	switch {
	case s.failed != nil:
		return report.Failing()
	case s.last == nil:
		return report.Never()
	case s.last.Verdict != run.Good:
		return report.OfVerdict(s.last.Verdict)
	}
	for _, c := range s.checks {
		if c.last != nil && !c.last.Passed {
			return report.Doubtful()
		}
	}
	return report.OfVerdict(run.Good)
}

// note says what is behind the state.
func (s standing) note() string {
	if s.failed != nil {
		return report.OneLine(s.failed.error)
	}
	for _, c := range s.checks {
		if c.last != nil && !c.last.Passed {
			return c.def.Name + ": " + report.OneLine(whyOf(*c.last))
		}
	}
	return ""
}

func whyOf(c run.CheckResult) string { return report.Check{CheckResult: c}.Why() }

func (s *session) checksOn(key run.AssetKey) []*check.Definition {
	var on []*check.Definition
	for _, c := range s.app.Definitions.Checks {
		if def := c.Definition(); def != nil && def.Asset != nil && def.Asset.Key == key {
			on = append(on, def)
		}
	}
	return on
}

// standingOf reads how an asset stands; failed is what lastFailures found.
func (s *session) standingOf(ctx context.Context, st *store.Store, key run.AssetKey, failed map[run.StepKey]failedTry) (standing, error) {
	var out standing
	history, err := st.History(ctx, key, 1)
	if err != nil {
		return out, err
	}
	if len(history) > 0 {
		out.last = &history[0]
	}
	if f, ok := failed[run.StepKey(key)]; ok && (out.last == nil || out.last.Run < f.run) {
		out.failed = &f
	}
	for _, def := range s.checksOn(key) {
		results, err := st.CheckHistory(ctx, key, def.Name, 1)
		if err != nil {
			return out, err
		}
		c := checkStanding{def: def}
		if len(results) > 0 {
			c.last = &results[0]
		}
		out.checks = append(out.checks, c)
	}
	return out, nil
}

// lastFailures is what failed in the newest run of each job.
func (s *session) lastFailures(ctx context.Context, st *store.Store) (map[run.StepKey]failedTry, error) {
	failed := map[run.StepKey]failedTry{}
	for _, name := range s.jobNames() {
		page, _, err := st.Runs(ctx, store.Filter{Job: name}, 1, "")
		if err != nil {
			return nil, err
		}
		if len(page) == 0 || page[0].Status != run.Failure {
			continue
		}
		fold, _, err := st.Fold(ctx, page[0].ID)
		if err != nil {
			return nil, err
		}
		for _, step := range fold.Record.Failed() {
			if step.Error != nil && failed[step.Key].run < page[0].ID {
				failed[step.Key] = failedTry{page[0].ID, step.Error.Message}
			}
		}
	}
	return failed, nil
}

// assets lists the definitions of all assets.
func (s *session) assets() []*asset.Definition {
	var defs []*asset.Definition
	for _, a := range s.app.Definitions.Assets {
		if def := asset.DefinitionOf(a); def != nil {
			defs = append(defs, def)
		}
	}
	return defs
}

// upstream lists the assets that an asset reads or follows.
func upstream(def *asset.Definition) []run.AssetKey {
	keys := []run.AssetKey{}
	for _, in := range def.Inputs {
		if in.Asset != nil {
			keys = append(keys, in.Asset.Key)
		}
	}
	for _, dep := range def.Deps {
		keys = append(keys, dep.Key)
	}
	return keys
}

// downstream lists the assets that read or follow an asset.
func (s *session) downstream(key run.AssetKey) []run.AssetKey {
	keys := []run.AssetKey{}
	for _, def := range s.assets() {
		for _, up := range upstream(def) {
			if up == key {
				keys = append(keys, def.Key)
				break
			}
		}
	}
	return keys
}

// jobsOf names the jobs that make an asset.
func (s *session) jobsOf(key run.AssetKey) []string {
	names := []string{}
	for _, j := range s.app.Definitions.Jobs {
		if j == nil {
			continue
		}
		for _, def := range j.Assets {
			if def.Key == key {
				names = append(names, j.Name)
			}
		}
	}
	return names
}

// findAsset answers an unknown key with the nearest; one that only the store knows is nil without an error.
func (s *session) findAsset(ctx context.Context, st *store.Store, key run.AssetKey) (*asset.Definition, error) {
	if def := s.app.Definitions.Asset(key); def != nil {
		return def, nil
	}
	history, err := st.History(ctx, key, 1)
	if err != nil && !errors.Is(err, fault.NotFound) {
		return nil, err
	}
	if len(history) > 0 {
		return nil, nil
	}
	var keys []run.AssetKey
	for _, def := range s.assets() {
		keys = append(keys, def.Key)
	}
	return nil, fault.Unknown("asset", string(key), keys)
}

func tookMS(m run.Materialization) float64 { return runlog.Milliseconds(m.Duration) }
