package plan

import "waggle/shared/run"

// Retry is the request for running a run of this plan again: all of it, or from failure, which is the steps that did not succeed and
// the assets that a blocking check refused. The others are read as they were last stored.
func (p *Plan) Retry(r run.Record, fromStart bool) run.Request {
	req := r.Request
	req.Parent, req.Retries = r.ID, req.Retries+1
	if req.Root == "" {
		req.Root = r.ID
	}
	if fromStart {
		return req
	}
	refused := map[run.AssetKey]bool{}
	for _, m := range r.Materializations {
		refused[m.Asset] = refused[m.Asset] || m.Verdict != run.Good
	}
	var left []run.StepKey
	for _, s := range p.Steps {
		known := r.Step(s.Key)
		if known == nil || known.Status != run.StepSucceeded || refused[s.Asset.Key] {
			left = append(left, s.Key)
		}
	}
	if len(left) > 0 && len(left) < len(p.Steps) {
		req.Selection = left
	}
	return req
}
