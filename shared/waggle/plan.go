package waggle

import (
	"slices"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/plan"
	"waggle/shared/run"
)

// Plan returns the steps of a request: those of its job, or those it selects, with the checks on every
// asset that is made. Names that do not exist are fault.NotFound, with the nearest one.
func (d Definitions) Plan(req run.Request) (*plan.Plan, error) {
	var j *job.Job
	assets := d.assets()
	if req.Job != "" {
		if j = d.Job(req.Job); j == nil {
			return nil, fault.Unknown("job", req.Job, d.jobNames())
		}
		assets = j.Assets
	} else if len(req.Selection) == 0 {
		return nil, fault.New(fault.Invalid, "neither a job nor a selection of assets")
	}
	var checks []*check.Definition
	for _, a := range assets {
		checks = append(checks, d.checksOn(a)...)
	}
	if len(req.Selection) == 0 {
		return plan.New(j, assets, checks)
	}
	return d.selected(j, assets, checks, req.Selection)
}

// selected keeps the assets that are named, with their checks, and the checks that are named.
func (d Definitions) selected(j *job.Job, assets []*asset.Definition, checks []*check.Definition, selection []run.StepKey) (*plan.Plan, error) {
	var names []run.StepKey
	for _, a := range assets {
		names = append(names, run.StepKey(a.Key))
	}
	for _, c := range checks {
		names = append(names, c.Step())
	}
	for _, key := range selection {
		if !slices.Contains(names, key) {
			return nil, fault.Unknown("asset", string(key), names)
		}
	}
	assets = slices.DeleteFunc(slices.Clone(assets), func(a *asset.Definition) bool {
		return !slices.Contains(selection, run.StepKey(a.Key))
	})
	checks = slices.DeleteFunc(checks, func(c *check.Definition) bool {
		return !slices.Contains(assets, c.Asset) && !slices.Contains(selection, c.Step())
	})
	return plan.New(j, assets, checks)
}

// assets lists the definitions of all assets, nil ones left out.
func (d Definitions) assets() []*asset.Definition {
	var defs []*asset.Definition
	for _, a := range d.Assets {
		if def := asset.DefinitionOf(a); def != nil {
			defs = append(defs, def)
		}
	}
	return defs
}

func (d Definitions) jobNames() []string {
	var names []string
	for _, j := range d.Jobs {
		if j != nil {
			names = append(names, j.Name)
		}
	}
	return names
}
