package cli

import (
	"slices"
	"strings"
	"time"

	"waggle/shared/fault"
	"waggle/shared/plan"
	"waggle/shared/run"
)

// request makes the request that the flags of `run` ask for, and its plan. Every mistake in it is found here, before anything
// is stored.
func (s *session) request(args []string, selections, configs, tags []string) (run.Request, *plan.Plan, error) {
	req := run.Request{CodeVersion: s.app.Version, Selection: selection(selections)}
	if len(args) > 0 {
		req.Job = args[0]
	}
	if req.Job == "" && len(req.Selection) == 0 {
		return req, nil, usage(s.jobsHint(), "name a job or --select what to run")
	}
	p, err := s.app.Definitions.Plan(req)
	if err != nil {
		return req, nil, s.explainName(req, err)
	}
	given, err := config(p, configs)
	if err != nil {
		return req, nil, err
	}
	if req.Tags, err = pairsOf("--tag", tags); err != nil {
		return req, nil, err
	}
	// The job's tags, limits and priority come with it; of the configuration, only what was given is kept.
	req, p, err = s.app.Definitions.Request(req)
	req.Config = given
	return req, p, err
}

// selection reads keys of assets and checks, separated by commas or spaces.
func selection(texts []string) []run.StepKey {
	var keys []run.StepKey
	for _, text := range texts {
		for _, key := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
			if !slices.Contains(keys, run.StepKey(key)) {
				keys = append(keys, run.StepKey(key))
			}
		}
	}
	return keys
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
