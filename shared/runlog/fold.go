package runlog

import (
	"time"

	"waggle/shared/fault"
	"waggle/shared/run"
)

// Fold is the state of a run after some of its events: what people see (Record) and what the next owner must
// know. Apply events in order; the zero value is not usable, see NewFold.
type Fold struct {
	Record run.Record

	Seq    int64 // of the newest event
	Time   time.Time
	Epoch  int64  // of the newest owner
	Plan   string // hash of the plan; empty before RUN_START
	Barren int    // owners in a row that died without a new result
	Steps  map[run.StepKey]*Progress

	// Expired says that the log is gone, by its age: the record holds what the summary of the run
	// still knows, and no steps, materializations or checks.
	Expired bool

	// Lean leaves the bytes of small values out of the record, for an owner that has the
	// values themselves.
	Lean bool

	place map[run.StepKey]int // in Record.Steps
}

// Progress is what an owner must know of a step besides its run.Step.
type Progress struct {
	Failures      int       // attempts that failed by themselves
	Interruptions int       // attempts stopped by the platform's deadline
	Deaths        int       // owners that died while it ran alone
	Suspect       bool      // ran when its owner died, and has no result since
	Careful       bool      // its newest attempt runs alone
	Isolated      bool      // its newest attempt runs in a process of its own, which outlives the owner
	RetryAt       time.Time // when it is to be tried again; zero: at once
}

// NewFold returns the fold of an empty log.
func NewFold(id run.ID, req run.Request, launched time.Time) *Fold {
	return &Fold{
		Record: run.Record{ID: id, Request: req, Status: run.NotStarted, Launched: launched},
		Steps:  map[run.StepKey]*Progress{},
		place:  map[run.StepKey]int{},
	}
}

// Apply takes the next event. One out of order, or one that the state machine does not
// allow, is fault.Corrupt and changes nothing.
func (f *Fold) Apply(e *Event) error {
	if e.Seq != f.Seq+1 {
		return fault.New(fault.Corrupt, "event %d follows event %d", e.Seq, f.Seq)
	}
	if next, ok := statusAfter[e.Type]; ok && !f.Record.Status.May(next) {
		return fault.New(fault.Corrupt, "event %d is %s, but the run is %s", e.Seq, e.Type, f.Record.Status)
	}
	f.Seq, f.Time = e.Seq, e.Time
	if e.Step == "" {
		f.applyToRun(e)
	} else if e.Type != Log {
		f.applyToStep(e)
	}
	return nil
}

// statusAfter is the status that an event gives its run.
var statusAfter = map[Type]run.Status{
	RunEnqueued:  run.Queued,
	RunDequeued:  run.NotStarted,
	RunStart:     run.Started,
	RunCanceling: run.Canceling,
	RunSuccess:   run.Success,
	RunFailure:   run.Failure,
	RunCanceled:  run.Canceled,
}

func (f *Fold) applyToRun(e *Event) {
	if next, ok := statusAfter[e.Type]; ok {
		f.Record.Status = next
		if next.Terminal() {
			f.Record.Ended = e.Time
			f.abandon()
		}
	}
	switch data := e.Data.(type) {
	case *Ownership:
		f.take(data)
	case *Start:
		f.Record.Started, f.Record.StepCount, f.Plan = e.Time, data.Steps, data.Plan
	case *Failure:
		f.Record.Reason, f.Record.Error, f.Record.WillRetry = data.Reason, data.Error, data.WillRetry
	}
}

// abandon ends what still runs in processes of its own when the run ends: nobody takes its result.
func (f *Fold) abandon() {
	for i := range f.Record.Steps {
		if s := &f.Record.Steps[i]; s.Status == run.StepRunning {
			s.Status = run.StepCanceled
		}
	}
}

// take applies a change of owner: what ran under one that died is suspect, and a death counts against
// a step that ran alone. What runs in a process of its own still does.
func (f *Fold) take(o *Ownership) {
	f.Epoch = o.Epoch
	if o.Died {
		f.Barren++
	}
	for i := range f.Record.Steps {
		s := &f.Record.Steps[i]
		p := f.Steps[s.Key]
		if s.Status != run.StepRunning || p.Isolated {
			continue
		}
		s.Status = run.StepPending
		p.Suspect = o.Died
		if o.Died && p.Careful {
			p.Deaths++
		}
	}
}

// Step returns a step and its progress; nil for one without an event.
func (f *Fold) Step(key run.StepKey) (*run.Step, *Progress) {
	i, ok := f.place[key]
	if !ok {
		return nil, nil
	}
	return &f.Record.Steps[i], f.Steps[key]
}

func (f *Fold) step(key run.StepKey) (*run.Step, *Progress) {
	i, ok := f.place[key]
	if !ok {
		i = len(f.Record.Steps)
		f.place[key] = i
		f.Record.Steps = append(f.Record.Steps, run.Step{Key: key, Status: run.StepPending})
		f.Steps[key] = &Progress{}
	}
	return &f.Record.Steps[i], f.Steps[key]
}

// stepAfter is the status that an event gives its step.
var stepAfter = map[Type]run.StepStatus{
	StepStart:       run.StepRunning,
	StepSuccess:     run.StepSucceeded,
	StepFailure:     run.StepFailed,
	StepUpForRetry:  run.StepRetrying,
	StepInterrupted: run.StepPending,
	StepSkipped:     run.StepSkipped,
	StepCanceled:    run.StepCanceled,
}

func (f *Fold) applyToStep(e *Event) {
	s, p := f.step(e.Step)
	if next, ok := stepAfter[e.Type]; ok {
		s.Status = next
		if next.Done() {
			p.Suspect = false
		}
	}
	switch e.Type {
	case StepStart:
		s.Attempt, s.Started, s.Ended = e.Attempt, e.Time, time.Time{}
		begun, _ := e.Data.(*Begun)
		p.RetryAt, p.Careful, p.Isolated = time.Time{}, begun != nil && begun.Careful, false
	case WorkerStarting:
		p.Isolated = true
	case StepUpForRetry, StepFailure:
		p.Failures++
		f.Barren = 0
		p.Suspect = false
	case StepSuccess:
		f.Barren = 0
	case StepInterrupted:
		if o, ok := e.Data.(*Outcome); !ok || o.Error == nil || o.Error.Kind != run.Stopped {
			p.Interruptions++
		}
		f.Barren = 0
	}
	switch data := e.Data.(type) {
	case *Outcome:
		s.Ended, s.Duration, s.Error, s.Metadata = e.Time, milliseconds(data.DurationMS), data.Error, data.Metadata
		if data.RetryAt != nil {
			p.RetryAt = *data.RetryAt
		}
	case *run.Skip:
		s.Skipped, s.Ended = data, e.Time
	case *Materialized:
		m := data.materialization(f.Record.ID, e)
		if f.Lean && m.Value != nil {
			m.Value = &run.Value{Codec: m.Value.Codec, Blob: m.Value.Blob, Size: m.Value.Size}
		}
		f.Record.Materializations = append(f.Record.Materializations, m)
	case *Evaluated:
		f.judge(data.result(f.Record.ID, e))
	}
}

// judge adds a check's result; a blocking one settles the verdict on its asset.
func (f *Fold) judge(c run.CheckResult) {
	f.Record.Checks = append(f.Record.Checks, c)
	if !c.Blocks() {
		return
	}
	for i := range f.Record.Materializations {
		if m := &f.Record.Materializations[i]; m.Asset == c.Asset {
			m.Verdict = run.Bad
		}
	}
}

func (m *Materialized) materialization(id run.ID, e *Event) run.Materialization {
	return run.Materialization{Asset: AssetOf(e.Step), Partition: e.Partition, Run: id, Seq: e.Seq, Time: e.Time,
		Duration: milliseconds(m.DurationMS), Metadata: m.Metadata, Value: m.Value, Verdict: run.Good}
}

// Blocks reports whether the result holds back what is downstream of its asset.
func (c *Evaluated) Blocks() bool { return c.result("", &Event{}).Blocks() }

func (c *Evaluated) result(id run.ID, e *Event) run.CheckResult {
	return run.CheckResult{Asset: AssetOf(e.Step), Check: checkOf(e.Step), Run: id, Seq: e.Seq, Time: e.Time, Status: c.Status, Passed: c.Passed,
		Blocking: c.Blocking, Severity: c.Severity, Description: c.Description, Metadata: c.Metadata, Error: c.Error}
}
