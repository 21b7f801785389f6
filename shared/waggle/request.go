package waggle

import (
	"maps"

	"waggle/shared/plan"
	"waggle/shared/run"
)

// Request completes what a person or a schedule asks for: it checks the names and the configuration, and adds what
// the job says of its runs (tags, limits, priority). The plan is what the run will do.
func (d Definitions) Request(asked run.Request) (run.Request, *plan.Plan, error) {
	p, err := d.Plan(asked)
	if err != nil {
		return run.Request{}, nil, err
	}
	if asked.Config, err = p.Config(asked.Config); err != nil {
		return run.Request{}, nil, err
	}
	if p.Job == nil {
		return asked, p, nil
	}
	tags := maps.Clone(p.Job.Options.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, asked.Tags)
	asked.Tags, asked.Limits = tags, p.Job.Limits(tags)
	if asked.Priority == 0 {
		asked.Priority = p.Job.Options.Priority
	}
	return asked, p, nil
}
