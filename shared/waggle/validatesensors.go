package waggle

import (
	"errors"
	"fmt"
	"slices"

	"waggle/shared/check"
	"waggle/shared/notify"
	"waggle/shared/sensor"
)

func (v *validation) channels() {
	byName := map[string]*notify.Definition{}
	for i, c := range v.definitions.Channels {
		def := c.Definition()
		if def == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Channels[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("channel %q", def.Name)
		for _, err := range def.Mistakes() {
			v.mistake(def.Origin, what, err)
		}
		switch first := byName[def.Name]; {
		case first == def:
			v.mistake(def.Origin, what, errors.New("is twice in Definitions.Channels"))
		case first != nil:
			v.mistake(def.Origin, what, fmt.Errorf("%s has the same name; rename one", first.Origin))
		}
		byName[def.Name] = def
		if f := def.Fallback; f != nil && v.definitions.Channel(f.Name) != f {
			v.mistake(def.Origin, what, fmt.Errorf("falls back to channel %q (%s), which is not in Definitions.Channels; add it", f.Name, f.Origin))
		}
	}
}

func (v *validation) sensors() {
	byName := map[string]*sensor.Definition{}
	for i, s := range v.definitions.Sensors {
		def := s.Definition()
		if def == nil {
			v.mistakes = append(v.mistakes, fmt.Errorf("Definitions.Sensors[%d] is nil", i))
			continue
		}
		what := fmt.Sprintf("sensor %q", def.Name)
		for _, err := range def.Mistakes() {
			v.mistake(def.Origin, what, err)
		}
		switch first := byName[def.Name]; {
		case first == def:
			v.mistake(def.Origin, what, errors.New("is twice in Definitions.Sensors"))
		case first != nil:
			v.mistake(def.Origin, what, fmt.Errorf("%s has the same name; rename one", first.Origin))
		}
		byName[def.Name] = def
		for _, j := range def.Options.Jobs {
			if j != nil && !slices.Contains(v.definitions.Jobs, j) {
				v.mistake(def.Origin, what, fmt.Errorf("looks at job %q (%s), which is not in Definitions.Jobs; add it", j.Name, j.Origin))
			}
		}
		if f := def.Options.Fallback.Definition(); f != nil && v.definitions.Channel(f.Name) != f {
			v.mistake(def.Origin, what, fmt.Errorf("falls back to channel %q (%s), which is not in Definitions.Channels; add it", f.Name, f.Origin))
		}
		if def.Asset != nil && v.definitions.Asset(def.Asset.Key) != def.Asset {
			v.mistake(def.Origin, what, fmt.Errorf("looks at asset %q (%s), which is not in Definitions.Assets; add it", def.Asset.Key, def.Asset.Origin))
		}
		for _, c := range def.Channels {
			if to := c.Definition(); to != nil && v.definitions.Channel(to.Name) != to {
				v.mistake(def.Origin, what, fmt.Errorf("tells channel %q (%s), which is not in Definitions.Channels; add it", to.Name, to.Origin))
			}
		}
		for _, c := range def.Options.Checks {
			of := c.Definition()
			if of != nil && !slices.ContainsFunc(v.definitions.Checks, func(o *check.Check) bool { return o.Definition() == of }) {
				v.mistake(def.Origin, what, fmt.Errorf("looks at check %q (%s), which is not in Definitions.Checks; add it", of.Name, of.Origin))
			}
		}
	}
}
