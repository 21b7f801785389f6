package plan

import (
	"errors"
	"maps"
	"slices"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/run"
)

// ConfigFields lists the settings that the steps take, by name, each once.
func (p *Plan) ConfigFields() []asset.ConfigField {
	fields := map[string]asset.ConfigField{}
	for _, s := range p.Steps {
		for _, in := range s.Inputs() {
			if in.Config == nil {
				continue
			}
			for _, f := range in.Config.Fields {
				fields[f.Name] = f
			}
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	list := make([]asset.ConfigField, len(names))
	for i, name := range names {
		list[i] = fields[name]
	}
	return list
}

// Config checks and converts what a run was given: the job's own values first, given over
// them. A name that no step takes, or a value that does not fit, is fault.Invalid; every mistake is
// reported. Where a run makes only some assets of its job, the job's values for the others are passed over.
func (p *Plan) Config(given run.Config) (run.Config, error) {
	fields := p.ConfigFields()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	all := run.Config{}
	if p.Job != nil {
		partly := p.Assets() < len(p.Job.Assets)
		for name, value := range p.Job.Options.Config {
			if !partly || slices.Contains(names, name) {
				all[name] = value
			}
		}
	}
	maps.Copy(all, given)
	var bad []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		i := slices.Index(names, name)
		if i < 0 {
			unknown := fault.Unknown("config key", name, names)
			unknown.Code = fault.Invalid
			bad = append(bad, unknown)
			continue
		}
		value, err := fields[i].Parse(all[name])
		if err != nil {
			bad = append(bad, err)
		}
		all[name] = value
	}
	if len(bad) > 0 {
		return nil, fault.Wrap(fault.Invalid, "", errors.Join(bad...))
	}
	return all, nil
}
