// Package job defines jobs: which assets a run makes, with the checks on them, and when.
//
// It imports asset of ours.
package job

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"waggle/shared/asset"
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
	return j
}

func (j *Job) mistake(format string, args ...any) {
	j.mistakes = append(j.mistakes, fmt.Errorf(format, args...))
}

// Mistakes lists what is wrong with the declaration on its own.
func (j *Job) Mistakes() []error { return j.mistakes }
