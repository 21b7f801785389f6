package cli

import (
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
)

// runFlags are what `run` can be asked.
type runFlags struct {
	selections, configs, tags []string
	priority                  priority
	detach                    bool
}

// request makes the request that the flags of `run` ask for, and its plan. Every mistake in it is found here, before anything
// is stored.
func (s *session) request(args []string, f runFlags) (run.Request, *plan.Plan, error) {
	req := run.Request{CodeVersion: s.app.Version}
	if len(args) > 0 {
		req.Job = args[0]
	}
	if req.Job == "" && len(f.selections) == 0 {
		return req, nil, usage(s.jobsHint(), "name a job or --select what to run")
	}
	if req.Job != "" && s.app.Definitions.Job(req.Job) == nil {
		return req, nil, s.explainName(req, fault.Unknown("job", req.Job, s.jobNames()))
	}
	var err error
	if len(f.selections) > 0 {
		if req.Selection, err = s.selected(req.Job, f.selections); err != nil {
			return req, nil, err
		}
	}
	p, err := s.app.Definitions.Plan(req)
	if err != nil {
		return req, nil, err
	}
	given, err := config(p, f.configs)
	if err != nil {
		return req, nil, err
	}
	if req.Tags, err = pairsOf("--tag", f.tags); err != nil {
		return req, nil, err
	}
	// The job's tags, limits and priority come with it; of the configuration, only what was given is kept.
	req, p, err = s.app.Definitions.Request(req)
	req.Config = given
	if f.priority.given {
		req.Priority = f.priority.value
	}
	return req, p, err
}

// explainName adds to an unknown job that it is an asset.
func (s *session) explainName(req run.Request, err error) error {
	if req.Job != "" && s.app.Definitions.Job(req.Job) == nil && s.app.Definitions.Asset(run.AssetKey(req.Job)) != nil {
		return fault.New(fault.NotFound, "%q is an asset, not a job", req.Job).WithHint("make it with `%s`", s.call("run", "--select", req.Job))
	}
	return err
}

func (s *session) jobsHint() string {
	names := s.jobNames()
	if len(names) == 0 {
		return "there is no job"
	}
	if len(names) > 10 {
		return "`" + s.call("jobs") + "` lists the jobs"
	}
	return "jobs: " + strings.Join(names, ", ")
}

func (s *session) jobNames() []string {
	var names []string
	for _, j := range s.app.Definitions.Jobs {
		if j != nil {
			names = append(names, j.Name)
		}
	}
	return names
}

// config reads k=v pairs as the steps of the plan take them.
func config(p *plan.Plan, pairs []string) (run.Config, error) {
	given, err := pairsOf("--config", pairs)
	if err != nil || len(given) == 0 {
		return nil, err
	}
	texts := make(run.Config, len(given))
	for name, text := range given {
		texts[name] = text
	}
	parsed, err := p.Config(texts)
	if err != nil {
		return nil, err
	}
	for name := range texts {
		texts[name] = parsed[name]
		if d, ok := parsed[name].(time.Duration); ok {
			texts[name] = d.String() // JSON has no durations
		}
	}
	return texts, nil
}

func pairsOf(flag string, pairs []string) (map[string]string, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	values := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		k, v, ok := strings.Cut(pair, "=")
		k = strings.TrimSpace(k)
		if !ok || k == "" {
			return nil, usage("write it as name=value", "%s %q has no name and value", flag, pair)
		}
		if _, twice := values[k]; twice {
			return nil, usage("give it once", "%s %s is given twice", flag, k)
		}
		values[k] = v
	}
	return values, nil
}
