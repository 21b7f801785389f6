package waggle

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
)

// Validate reports every mistake in the definitions that the compiler cannot see, each with the file and line
// of its constructor: `pipelines/gallery/sales.go:12: asset "sales raw": ...`. The error is fault.Invalid.
func (d Definitions) Validate() error {
	v := validation{definitions: d, configs: map[string]configUse{}}
	v.assets()
	v.checks()
	v.jobs()
	v.schedules()
	v.channels()
	v.sensors()
	if len(v.mistakes) == 0 {
		return nil
	}
	return fault.Wrap(fault.Invalid, "", errors.Join(v.mistakes...))
}

type validation struct {
	definitions Definitions
	mistakes    []error
	configs     map[string]configUse
	seen        []any // configurations, resources and schemas already reported on
}

// configUse is where a config key was first seen.
type configUse struct {
	field  asset.ConfigField
	origin string
}

func (v *validation) mistake(origin, what string, err error) {
	v.mistakes = append(v.mistakes, fmt.Errorf("%s: %s: %w", origin, what, err))
}

func (v *validation) assets() {
	byKey := map[asset.Key]*asset.Definition{}
	for i, a := range v.definitions.Assets {
		def := asset.DefinitionOf(a)
		if def == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Assets[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("asset %q", def.Key)
		for _, err := range def.Mistakes() {
			v.mistake(def.Origin, what, err)
		}
		switch first := byKey[def.Key]; {
		case first == def:
			v.mistake(def.Origin, what, errors.New("is twice in Definitions.Assets"))
		case first != nil:
			v.mistake(def.Origin, what, fmt.Errorf("%s has the same key; rename one", first.Origin))
		default:
			byKey[def.Key] = def
		}
		v.inputs(def.Origin, what, def.Inputs)
		if to := def.Channel; to != nil && v.definitions.Channel(to.Name) != to {
			v.mistake(def.Origin, what, fmt.Errorf("sends to channel %q (%s), which is not in Definitions.Channels; add it", to.Name, to.Origin))
		}
		for i, s := range def.Options.Schemas {
			if s == nil {
				v.mistake(def.Origin, what, fmt.Errorf("schema %d of Schemas is nil", i))
				continue
			}
			v.schema(def.Origin, what, s)
		}
	}
	for _, def := range v.definitions.assets() {
		for _, up := range def.Upstream() {
			if byKey[up.Key] == nil {
				v.mistake(def.Origin, fmt.Sprintf("asset %q", def.Key), fmt.Errorf("takes %q (%s), which is not in Definitions.Assets; add it", up.Key, up.Origin))
			}
		}
	}
}

// inputs reports on the configurations and resources among the inputs, each once.
func (v *validation) inputs(origin, what string, inputs []asset.Source) {
	for _, in := range inputs {
		switch {
		case in.Resource != nil && !slices.Contains(v.seen, any(in.Resource)):
			v.seen = append(v.seen, in.Resource)
			for _, err := range in.Resource.Mistakes() {
				v.mistake(in.Resource.Origin, fmt.Sprintf("resource %q", in.Resource.Name), err)
			}
		case in.Config != nil && !slices.Contains(v.seen, any(in.Config)):
			v.seen = append(v.seen, in.Config)
			for _, err := range in.Config.Mistakes() {
				v.mistake(in.Config.Origin, fmt.Sprintf("config %s", in.Config.Type), err)
			}
			for _, f := range in.Config.Fields {
				first, ok := v.configs[f.Name]
				if ok && first.field.Type != f.Type {
					v.mistake(in.Config.Origin, fmt.Sprintf("config key %q", f.Name), fmt.Errorf("is a %s here and a %s at %s; rename one", f.Type, first.field.Type, first.origin))
				} else if ok && !reflect.DeepEqual(first.field.Default, f.Default) {
					v.mistake(in.Config.Origin, fmt.Sprintf("config key %q", f.Name), fmt.Errorf("defaults to %v here and to %v at %s; make them equal or rename one", f.Default, first.field.Default, first.origin))
				}
				v.configs[f.Name] = configUse{f, in.Config.Origin}
			}
		}
	}
}

// schema reports on a schema, once, where it stands; on a nil one where it is used.
func (v *validation) schema(origin, what string, s asset.Schema) {
	if s.Origin() != "" {
		if slices.Contains(v.seen, any(s)) {
			return
		}
		v.seen = append(v.seen, s)
		origin, what = s.Origin(), fmt.Sprintf("schema %q", s.Name())
	}
	for _, err := range s.Mistakes() {
		v.mistake(origin, what, err)
	}
}

func (v *validation) checks() {
	byStep := map[run.StepKey]*check.Definition{}
	for i, c := range v.definitions.Checks {
		def := c.Definition()
		if def == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Checks[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("check %q", def.Name)
		for _, err := range def.Mistakes() {
			v.mistake(def.Origin, what, err)
		}
		if def.Schema != nil {
			v.schema(def.Origin, what, def.Schema)
		}
		if def.Asset == nil {
			continue
		}
		switch first := byStep[def.Step()]; {
		case first == def:
			v.mistake(def.Origin, what, errors.New("is twice in Definitions.Checks"))
		case first != nil:
			v.mistake(def.Origin, what, fmt.Errorf("%s has the same name on the same asset; rename one", first.Origin))
		}
		byStep[def.Step()] = def
		if v.definitions.Asset(def.Asset.Key) != def.Asset {
			v.mistake(def.Origin, what, fmt.Errorf("is on asset %q (%s), which is not in Definitions.Assets; add it", def.Asset.Key, def.Asset.Origin))
		}
		v.inputs(def.Origin, what, def.Inputs)
		if len(v.definitions.Jobs) > 0 && !slices.ContainsFunc(v.definitions.Jobs, func(j *job.Job) bool { return j != nil && slices.Contains(j.Assets, def.Asset) }) {
			v.mistake(def.Origin, what, fmt.Errorf("is on asset %q, which no job makes, so it would never run; add the asset to a job", def.Asset.Key))
		}
	}
}

func (v *validation) jobs() {
	byName := map[string]*job.Job{}
	for i, j := range v.definitions.Jobs {
		if j == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Jobs[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("job %q", j.Name)
		for _, err := range j.Mistakes() {
			v.mistake(j.Origin, what, err)
		}
		if first := byName[j.Name]; first != nil {
			v.mistake(j.Origin, what, fmt.Errorf("%s has the same name; rename one", first.Origin))
		}
		byName[j.Name] = j
		for _, a := range j.Assets {
			if v.definitions.Asset(a.Key) != a {
				v.mistake(j.Origin, what, fmt.Errorf("has asset %q (%s), which is not in Definitions.Assets; add it", a.Key, a.Origin))
			}
		}
		p, err := v.definitions.Plan(run.Request{Job: j.Name})
		if err != nil {
			v.mistake(j.Origin, what, err)
			continue
		}
		if _, err := p.Config(nil); err != nil {
			v.mistake(j.Origin, what, err)
		}
	}
}

func (v *validation) schedules() {
	byName := map[string]*job.Schedule{}
	for i, s := range v.definitions.Schedules {
		if s == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Schedules[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("schedule %q", s.Name)
		for _, err := range s.Mistakes() {
			v.mistake(s.Origin, what, err)
		}
		if first := byName[s.Name]; first != nil {
			v.mistake(s.Origin, what, fmt.Errorf("%s has the same name; rename one", first.Origin))
		}
		byName[s.Name] = s
		if s.Job != nil && !slices.Contains(v.definitions.Jobs, s.Job) {
			v.mistake(s.Origin, what, fmt.Errorf("launches job %q, which is not in Definitions.Jobs; add it", s.Job.Name))
		}
	}
}
