package cli

import (
	"slices"

	"github.com/spf13/cobra"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/job"
	"waggle/shared/plan"
	"waggle/shared/run"
)

func (s *session) definitionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "definitions",
		Short:   "Print what is defined, as JSON",
		Long:    "Print every asset, check, job and schedule as one JSON object; with -o jsonl one definition a line.",
		Example: "  waggle definitions | less",
		Args:    nothing,
		RunE:    func(*cobra.Command, []string) error { return s.definitions() },
	}
}

// manifest is all definitions in JSON.
type manifest struct {
	Assets    []assetDefinition    `json:"assets"`
	Checks    []checkDefinition    `json:"checks"`
	Jobs      []jobDefinition      `json:"jobs"`
	Schedules []scheduleDefinition `json:"schedules"`
}

type assetDefinition struct {
	Kind        string            `json:"kind"`
	Key         run.AssetKey      `json:"key"`
	Group       string            `json:"group"`
	Kinds       []string          `json:"kinds"`
	Description string            `json:"description,omitempty"`
	Owners      []string          `json:"owners,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Upstream    []run.AssetKey    `json:"upstream"`
	Config      []string          `json:"config"`
	Jobs        []string          `json:"jobs"`
	Codec       string            `json:"codec,omitempty"`
	Retries     int               `json:"retries,omitempty"`
	TimeoutMS   int64             `json:"timeout_ms,omitempty"`
	Origin      string            `json:"origin"`
}

type checkDefinition struct {
	Kind        string         `json:"kind"`
	Asset       run.AssetKey   `json:"asset"`
	Name        string         `json:"name"`
	Blocking    bool           `json:"blocking"`
	Severity    run.Severity   `json:"severity"`
	Description string         `json:"description,omitempty"`
	Inputs      []run.AssetKey `json:"inputs"`
	Config      []string       `json:"config"`
	TimeoutMS   int64          `json:"timeout_ms,omitempty"`
	Origin      string         `json:"origin"`
}

type jobDefinition struct {
	Kind        string            `json:"kind"`
	Name        string            `json:"name"`
	Description string            `json:"description,omitempty"`
	Steps       []run.StepKey     `json:"steps"`
	Config      []configField     `json:"config"`
	Tags        map[string]string `json:"tags,omitempty"`
	Parallelism int               `json:"parallelism"`
	TimeoutMS   int64             `json:"timeout_ms,omitempty"`
	Schedules   []string          `json:"schedules"`
	Origin      string            `json:"origin"`
}

type configField struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default any    `json:"default"`
	Help    string `json:"help,omitempty"`
}

type scheduleDefinition struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	Cron        string `json:"cron"`
	TimeZone    string `json:"time_zone"`
	Job         string `json:"job"`
	Description string `json:"description,omitempty"`
	Origin      string `json:"origin"`
}

func (s *session) definitions() error {
	if err := s.app.Definitions.Validate(); err != nil {
		return err
	}
	m := manifest{Assets: []assetDefinition{}, Checks: []checkDefinition{}, Jobs: []jobDefinition{}, Schedules: []scheduleDefinition{}}
	for _, def := range s.assets() {
		m.Assets = append(m.Assets, s.assetDefinition(def))
	}
	for _, c := range s.app.Definitions.Checks {
		m.Checks = append(m.Checks, checkDefinitionOf(c.Definition()))
	}
	for _, j := range s.app.Definitions.Jobs {
		p, err := s.app.Definitions.Plan(run.Request{Job: j.Name})
		if err != nil {
			return err
		}
		m.Jobs = append(m.Jobs, s.jobDefinition(j, p))
	}
	for _, schedule := range s.app.Definitions.Schedules {
		m.Schedules = append(m.Schedules, scheduleDefinition{Kind: "schedule", Name: schedule.Name, Cron: schedule.Cron, TimeZone: schedule.Options.TimeZone,
			Job: schedule.Job.Name, Description: schedule.Options.Description, Origin: schedule.Origin})
	}
	if s.format != formatLines {
		s.format = formatJSON // there is no table of everything
		return s.printJSON(m)
	}
	var all []any
	for _, d := range m.Assets {
		all = append(all, d)
	}
	for _, d := range m.Checks {
		all = append(all, d)
	}
	for _, d := range m.Jobs {
		all = append(all, d)
	}
	for _, d := range m.Schedules {
		all = append(all, d)
	}
	return printList(s, all, "", nil)
}

func (s *session) assetDefinition(def *asset.Definition) assetDefinition {
	out := assetDefinition{Kind: "asset", Key: def.Key, Group: def.Options.Group, Kinds: append([]string{}, def.Options.Kinds...), Description: def.Options.Description,
		Owners: def.Options.Owners, Tags: def.Options.Tags, Upstream: upstream(def), Config: configNames(def.Inputs), Jobs: s.jobsOf(def.Key),
		Retries: def.Options.Retry.Max, TimeoutMS: def.Options.Timeout.Milliseconds(), Origin: def.Origin}
	if def.Codec != nil {
		out.Codec = def.Codec.Name()
	}
	return out
}

func checkDefinitionOf(def *check.Definition) checkDefinition {
	out := checkDefinition{Kind: "check", Asset: def.Asset.Key, Name: def.Name, Blocking: def.Options.Blocking, Severity: def.Options.Severity,
		Description: def.Options.Description, Inputs: []run.AssetKey{}, Config: configNames(def.Inputs), TimeoutMS: def.Options.Timeout.Milliseconds(), Origin: def.Origin}
	for _, in := range def.Inputs {
		if in.Asset != nil {
			out.Inputs = append(out.Inputs, in.Asset.Key)
		}
	}
	return out
}

func (s *session) jobDefinition(j *job.Job, p *plan.Plan) jobDefinition {
	out := jobDefinition{Kind: "job", Name: j.Name, Description: j.Options.Description, Steps: make([]run.StepKey, len(p.Steps)), Config: []configField{},
		Tags: j.Options.Tags, Parallelism: j.Options.Parallelism, TimeoutMS: j.Options.Timeout.Milliseconds(), Schedules: []string{}, Origin: j.Origin}
	for i, step := range p.Steps {
		out.Steps[i] = step.Key
	}
	for _, f := range p.ConfigFields() {
		value := f.Default
		if own, ok := j.Options.Config[f.Name]; ok {
			value = own
		}
		if f.TypeWord() == "duration" {
			value = defaultText(f, j)
		}
		out.Config = append(out.Config, configField{Name: f.Name, Type: f.TypeWord(), Default: value, Help: f.Help})
	}
	for _, schedule := range s.schedulesOf(j) {
		out.Schedules = append(out.Schedules, schedule.Name)
	}
	return out
}

// configNames lists the settings that inputs take.
func configNames(inputs []asset.Source) []string {
	names := []string{}
	for _, in := range inputs {
		if in.Config == nil {
			continue
		}
		for _, f := range in.Config.Fields {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
