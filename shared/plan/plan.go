// Package plan turns definitions and a request into the steps of a run: what there is to do, and
// what must be there before.
//
// It imports asset, check, fault, job and run of ours.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"waggle/shared/asset"
	"waggle/shared/check"
	"waggle/shared/fault"
	"waggle/shared/job"
	"waggle/shared/run"
)

// Plan is the steps of a run, each after all that it needs.
type Plan struct {
	Job   *job.Job // nil: a selection of steps
	Steps []*Step
	Hash  string // of the steps and their needs; equal plans have equal hashes

	index map[run.StepKey]*Step
}

// Step is an asset to make or a check to evaluate.
type Step struct {
	Key   run.StepKey
	Index int               // in Plan.Steps
	Asset *asset.Definition // of the asset to make, or that the check is about
	Check *check.Definition // nil: the step makes the asset

	Needs   []*Step // steps that must have succeeded
	Gates   []*Step // blocking checks of what it reads; they must have passed
	Follows []*Step // steps that have this one in Needs or Gates
}

// Group is where the step is listed.
func (s *Step) Group() string { return s.Asset.Options.Group }

// Inputs are the step's parameters.
func (s *Step) Inputs() []asset.Source {
	if s.Check != nil {
		return s.Check.Inputs
	}
	return s.Asset.Inputs
}

// Reads lists the assets whose values the step may ask for: its parameters and its Deps.
func (s *Step) Reads() []*asset.Definition {
	if s.Check == nil {
		return s.Asset.Upstream()
	}
	var defs []*asset.Definition
	for _, in := range s.Check.Inputs {
		if in.Asset != nil {
			defs = append(defs, in.Asset)
		}
	}
	return defs
}

// Step returns the step with a key, or nil.
func (p *Plan) Step(key run.StepKey) *Step { return p.index[key] }

// Blocking names the blocking checks of the step's asset in this plan.
func (p *Plan) Blocking(s *Step) []string {
	var names []string
	for _, follower := range s.Follows {
		if follower.Check != nil && follower.Check.Options.Blocking && follower.Asset == s.Asset {
			names = append(names, follower.Check.Name)
		}
	}
	return names
}

// Parallelism is how many steps run at once.
func (p *Plan) Parallelism() int {
	if p.Job == nil {
		return job.DefaultParallelism
	}
	return p.Job.Options.Parallelism
}

// Assets counts the assets that the plan makes.
func (p *Plan) Assets() int {
	n := 0
	for _, s := range p.Steps {
		if s.Check == nil {
			n++
		}
	}
	return n
}

// New orders steps so that each follows what it needs; among equals in the order given. Blocking
// checks that wait for what they hold back are fault.Invalid.
func New(j *job.Job, assets []*asset.Definition, checks []*check.Definition) (*Plan, error) {
	p := &Plan{Job: j, index: make(map[run.StepKey]*Step, len(assets)+len(checks))}
	var declared []*Step
	for _, a := range assets {
		declared = append(declared, &Step{Key: run.StepKey(a.Key), Asset: a})
	}
	for _, c := range checks {
		declared = append(declared, &Step{Key: c.Step(), Asset: c.Asset, Check: c})
	}
	for _, s := range declared {
		p.index[s.Key] = s
	}
	gates := map[*asset.Definition][]*Step{}
	for _, s := range declared {
		if s.Check != nil && s.Check.Options.Blocking {
			gates[s.Asset] = append(gates[s.Asset], s)
		}
	}
	for _, s := range declared {
		p.connect(s, gates)
	}
	if err := p.order(declared); err != nil {
		return nil, err
	}
	p.Hash = p.hash()
	return p, nil
}

// makes returns the step that makes the asset, or nil.
func (p *Plan) makes(a *asset.Definition) *Step {
	if s := p.index[run.StepKey(a.Key)]; s != nil && s.Asset == a {
		return s
	}
	return nil
}

func (p *Plan) connect(s *Step, gates map[*asset.Definition][]*Step) {
	seen := map[*Step]bool{}
	need := func(list *[]*Step, other *Step) {
		if !seen[other] {
			seen[other] = true
			*list = append(*list, other)
			other.Follows = append(other.Follows, s)
		}
	}
	for _, a := range s.Reads() {
		if maker := p.makes(a); maker != nil { // of others the newest good value is loaded
			need(&s.Needs, maker)
		}
		if s.Check != nil {
			continue // checks look at values before they are judged
		}
		for _, gate := range gates[a] {
			need(&s.Gates, gate)
		}
	}
}

func (p *Plan) order(declared []*Step) error {
	waits := make(map[*Step]int, len(declared))
	var ready []*Step
	for _, s := range declared {
		if waits[s] = len(s.Needs) + len(s.Gates); waits[s] == 0 {
			ready = append(ready, s)
		}
	}
	for len(ready) > 0 {
		s := ready[0]
		ready = ready[1:]
		s.Index = len(p.Steps)
		p.Steps = append(p.Steps, s)
		for _, follower := range s.Follows {
			if waits[follower]--; waits[follower] == 0 {
				ready = append(ready, follower)
			}
		}
	}
	if len(p.Steps) == len(declared) {
		return nil
	}
	var stuck []string
	for _, s := range declared {
		if waits[s] > 0 {
			stuck = append(stuck, string(s.Key))
		}
	}
	return fault.New(fault.Invalid, "these steps wait for each other: %s", strings.Join(stuck, ", ")).
		WithHint("a blocking check takes an input that its own asset leads to; make it non-blocking or drop the input")
}

func (p *Plan) hash() string {
	h := sha256.New()
	for _, s := range p.Steps {
		_, _ = io.WriteString(h, string(s.Key))
		for _, n := range s.Needs {
			_, _ = fmt.Fprintf(h, " %d", n.Index)
		}
		for _, g := range s.Gates {
			_, _ = fmt.Fprintf(h, " !%d", g.Index)
		}
		_, _ = io.WriteString(h, "\n")
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}
