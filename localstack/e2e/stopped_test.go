//go:build aws

package e2e_test

import (
	"encoding/json"
	"strings"
	"syscall"
	"time"

	"waggle/shared/run"
)

// begins starts `waggle run` with arguments, and returns once the run is launched.
func (p *place) begins(args ...string) (*started, run.ID) {
	p.t.Helper()
	before := p.newest()
	s := p.start(append([]string{"run"}, args...)...)
	id := before
	p.until("a run", func() bool { id = p.newest(); return id != before }, func() any { return id })
	return s, id
}

// newest is the run that was launched last; empty where there is none.
func (p *place) newest() run.ID {
	p.t.Helper()
	var list struct {
		Runs []struct {
			RunID run.ID `json:"run_id"`
		}
	}
	if p.decode(&list, "runs", "--limit", "1"); len(list.Runs) == 0 {
		return ""
	}
	return list.Runs[0].RunID
}

// status is that of a run.
func (p *place) status(id run.ID) run.Status {
	p.t.Helper()
	var r struct{ Status run.Status }
	p.decode(&r, "runs", "show", string(id))
	return r.Status
}

// logged is a line of a run's log.
type logged struct {
	Type, Step, Message string
	Data                json.RawMessage
}

// log reads what a run has logged so far.
func (p *place) log(id run.ID) []logged {
	p.t.Helper()
	var lines []logged
	p.decode(&lines, "runs", "logs", string(id))
	return lines
}

// owner is a worker that a run had.
type owner struct {
	Worker string
	Died   bool // the one before it did
}

// owners lists those of a run.
func (p *place) owners(id run.ID) []owner {
	p.t.Helper()
	var all []owner
	for _, line := range p.log(id) {
		if line.Type == "OWNER" {
			all = append(all, owner{})
			p.unmarshal(line.Data, &all[len(all)-1])
		}
	}
	return all
}

func (p *place) unmarshal(data []byte, into any) {
	p.t.Helper()
	if err := json.Unmarshal(data, into); err != nil {
		p.t.Fatalf("%v\n%s", err, data)
	}
}

// waiting is a run one of whose steps waits for a file.
type waiting struct {
	*started
	run   run.ID
	pid   int    // of the process that the step runs in
	words string // how the step says it
}

// waits starts a run of the job that fails, which this time does not, but waits for a file. It returns once the step says so.
func (p *place) waits(file string) waiting {
	p.t.Helper()
	s, id := p.begins("gallery_broken", "--config", "how=none", "--config", "until="+file)
	w := waiting{started: s, run: id}
	p.until("a step that waits for "+file, func() bool {
		for _, line := range p.log(id) {
			if line.Type != "LOG" || line.Step != "broken_source" {
				continue
			}
			var data struct{ Attrs struct{ PID int } }
			p.unmarshal(line.Data, &data)
			w.pid, w.words = data.Attrs.PID, line.Message
		}
		return w.pid != 0
	}, func() any { return p.log(id) })
	return w
}

// kill ends the process of a run without a chance to say goodbye.
func (w waiting) kill() {
	w.p.t.Helper()
	if err := syscall.Kill(w.pid, syscall.SIGKILL); err != nil {
		w.p.t.Fatal(err)
	}
}

func runIsCanceled(p *place) {
	w := p.waits("gate/never")
	if out, _ := p.must(0, "runs", "cancel", string(w.run)); !strings.Contains(out, "was asked to stop") {
		p.t.Errorf("cancel says\n%s", out)
	}
	if status := w.end(); status != 1 || !strings.Contains(w.out.String(), "CANCELED gallery_broken: 0 of 3 assets") {
		p.t.Errorf("the run's command ended with %d\n%s%s", status, &w.out, &w.talk)
	}
	if status := p.status(w.run); status != run.Canceled {
		p.t.Errorf("the record says %s", status)
	}
	if n := p.episodes(); n != 0 {
		p.t.Errorf("%d alerts of a run that somebody canceled", n)
	}
}

func killedRunGoesOn(p *place) {
	w := p.waits("gate/death")
	w.kill()
	p.write("gate/death", nil)
	p.until("the end of the run", func() bool { p.look(); return p.status(w.run).Terminal() }, func() any { return p.log(w.run) })
	w.end()
	if status := p.status(w.run); status != run.Success {
		p.t.Errorf("it ended with %s", status)
	}
	owners, begun := p.owners(w.run), map[string]int{}
	if len(owners) != 2 || owners[0].Died || !owners[1].Died || owners[0].Worker == owners[1].Worker {
		p.t.Errorf("its owners were %+v", owners)
	}
	for _, line := range p.log(w.run) {
		if line.Type == "STEP_START" {
			begun[line.Step]++
		}
	}
	if begun["broken_source"] != 2 || begun["broken_end"] != 1 {
		p.t.Errorf("steps began %v times", begun)
	}
}

// silence is after how long without a word a process is taken for dead whose work takes milliseconds.
const silence = 2 * time.Second

func deadlyStepIsBlamed(p *place) {
	p.slack.forget()
	s, id := p.begins("gallery_broken", "--config", "how=kill")
	words, told := 0, 0 // of what its owners said, and of how many it was said that they died
	var spoke time.Time
	p.until("the end of the run", func() bool {
		if p.look(); p.status(id).Terminal() {
			return true
		}
		if n := len(p.log(id)); n != words {
			words, spoke = n, time.Now()
		} else if owners := len(p.owners(id)); owners > told && time.Since(spoke) > silence {
			told = owners
			p.died(id)
		}
		return false
	}, func() any { return p.log(id) })
	s.end()
	const blame = "the worker died while running broken_middle"
	if out, _ := p.must(0, "runs", "show", string(id)); p.status(id) != run.Failure || !strings.Contains(out, blame) {
		p.t.Errorf("the record says\n%s", out)
	}
	deaths := 0
	for _, o := range p.owners(id) {
		if o.Died {
			deaths++
		}
	}
	if deaths < 2 {
		p.t.Errorf("it was blamed after %d deaths", deaths)
	}
	p.postWith(blame)
	p.resolve()
}
