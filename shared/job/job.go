// Package job defines jobs: which assets a run makes, with the checks on them, and when.
//
// It imports asset and run of ours.
package job

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"waggle/shared/asset"
	"waggle/shared/run"
)

// Job is assets that a run makes together.
type Job struct {
	Name    string
	Options Options
	Assets  []*asset.Definition
	Origin  string // file:line of the constructor

	mistakes []error
}

// List is jobs.
type List []*Job

// Options are the optional parts of a job. The zero value and nil mean all defaults.
type Options struct {
	// Description says what the job is for, in Markdown.
	Description string
	// Tags are given to each of its runs.
	Tags map[string]string
	// Parallelism is how many steps run at once. Defaults to 16.
	Parallelism int
	// Timeout ends a run that takes longer. Zero is no limit.
	Timeout time.Duration
	// Config replaces defaults of configurations, by name.
	Config map[string]any
	// MaxRuns is how many runs of the job run at once; further ones wait. 0 is no limit.
	MaxRuns int
	// TagLimits limit the runs that share the value of a tag, of this and other jobs.
	TagLimits []TagLimit
	// Retry says what follows a run that failed. The zero value is no retry.
	Retry Retry
	// Priority decides which of the runs that wait starts first: the higher. From -10,000 to 10,000.
	Priority int
}

// Retry says how often a failed run is run again, as a run of its own. Failures of the run itself, that
// its code or configuration do not fit, are not retried; nor are canceled runs.
type Retry struct {
	// Max is the number of further runs. 0 is none.
	Max int
	// FromStart runs every step again. The default is from failure: only the steps without a result, with
	// the newest good values of the others.
	FromStart bool
}

// TagLimit is how many runs with the same value of a tag run at once.
type TagLimit struct {
	Tag string
	Max int
}

// DefaultParallelism is how many steps of a run run at once where its job says nothing.
const DefaultParallelism = 16

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// New declares a job. Every check on its assets belongs to it.
func New(name string, assets asset.List, opts *Options) *Job {
	j := &Job{Name: name, Origin: asset.Origin(2)}
	if opts != nil {
		j.Options = *opts
	}
	if !namePattern.MatchString(name) || len(name) > 200 {
		j.mistake("a name has letters, digits and underscores, 200 at most")
	}
	for i, a := range assets {
		def := asset.DefinitionOf(a)
		switch {
		case def == nil:
			j.mistake("asset %d of its list is nil", i+1)
		case slices.Contains(j.Assets, def):
			j.mistake("asset %q is twice in its list", def.Key)
		default:
			j.Assets = append(j.Assets, def)
		}
	}
	if len(j.Assets) == 0 {
		j.mistake("it has no assets")
	}
	switch {
	case j.Options.Parallelism == 0:
		j.Options.Parallelism = DefaultParallelism
	case j.Options.Parallelism < 0:
		j.mistake("Parallelism is %d; it must be 1 or more, or 0 for %d", j.Options.Parallelism, DefaultParallelism)
	}
	if j.Options.Timeout < 0 {
		j.mistake("Timeout is %s; it must be 0 or more", j.Options.Timeout)
	}
	j.checkLimits()
	return j
}

func (j *Job) checkLimits() {
	if j.Options.MaxRuns < 0 {
		j.mistake("MaxRuns is %d; it must be 1 or more, or 0 for no limit", j.Options.MaxRuns)
	}
	for i, l := range j.Options.TagLimits {
		if l.Tag == "" || strings.ContainsAny(l.Tag, "=#") {
			j.mistake("TagLimits[%d] has the tag %q; a tag is not empty and has neither = nor #", i, l.Tag)
		}
		if l.Max < 1 {
			j.mistake("TagLimits[%d] has Max %d, so no run could ever start; it must be 1 or more", i, l.Max)
		}
	}
	if j.Options.Retry.Max < 0 {
		j.mistake("Retry.Max is %d; it must be 0 or more", j.Options.Retry.Max)
	}
	if p := j.Options.Priority; p < -run.MaxPriority || p > run.MaxPriority {
		j.mistake("Priority is %d; it must be from %d to %d", p, -run.MaxPriority, run.MaxPriority)
	}
}

// Limits are the limits of a run with these tags: by its job, and by the value of each limited tag it has.
func (j *Job) Limits(tags map[string]string) []run.Limit {
	var limits []run.Limit
	if j.Options.MaxRuns > 0 {
		limits = append(limits, run.Limit{Name: "job:" + j.Name, Max: j.Options.MaxRuns})
	}
	for _, l := range j.Options.TagLimits {
		if value, ok := tags[l.Tag]; ok {
			limits = append(limits, run.Limit{Name: "tag:" + l.Tag + "=" + value, Max: l.Max})
		}
	}
	return limits
}

func (j *Job) mistake(format string, args ...any) {
	j.mistakes = append(j.mistakes, fmt.Errorf(format, args...))
}

// Mistakes lists what is wrong with the declaration on its own.
func (j *Job) Mistakes() []error { return j.mistakes }
