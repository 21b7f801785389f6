// Package cloud is what the functions of a deployment do when the platform calls them: run a run, run a step in a function of its own, bring
// messages to people, look after all that is due. Whatever is called twice, late or in another order does no harm: leases, claims and row
// keys decide.
//
// It knows no platform: who starts functions comes as a port. It imports asset, courier, engine, event, fault, run, scheduler, sensor, store
// and waggle of ours.
package cloud

import (
	"context"
	"strings"

	"waggle/shared/run"
)

// Functions starts the functions of a deployment. A call returns once the platform has promised to run it, not when it has run; it may run
// more than once. name is a function with its version, as in Invocation; empty: the version of the newest deployment. A version that is
// no longer there is fault.NotFound.
type Functions interface {
	Run(ctx context.Context, name string, call RunCall) error
	Step(ctx context.Context, call StepCall) error
	// Sensor calls the function of a sensor that has its own; empty: that of all others.
	Sensor(ctx context.Context, own string) error
}

// RunCall asks for a run to be run.
type RunCall struct {
	Run run.ID `json:"run"`
	// Hops is how often in a row it was handed over since somebody last asked for it.
	Hops int `json:"hops,omitempty"`
}

// StepCall asks for an attempt at an isolated step.
type StepCall struct {
	Run     run.ID      `json:"run"`
	Step    run.StepKey `json:"step"`
	Attempt int         `json:"attempt"`
	// Wake is the function that runs the run, to be called when the attempt has ended.
	Wake string `json:"wake"`
}

// Invocation is one call of a function by the platform.
type Invocation struct {
	Function string // with its version: "waggle-prod-run:7"
	Request  string // the platform's id of the call
}

// Worker names the invocation in leases and logs: "waggle-prod-run:7/8f5b...".
func (i Invocation) Worker() string { return i.Function + "/" + i.Request }

// functionOf is the function of a worker; empty where the worker is no invocation.
func functionOf(worker string) string {
	function, _, ok := strings.Cut(worker, "/")
	if !ok || !strings.Contains(function, ":") {
		return ""
	}
	return function
}
