//go:build aws

package e2e_test

import (
	"encoding/json"
	"strings"
	"syscall"

	"waggle/shared/run"
)

// shown is what `waggle runs show` says of a run.
type shown struct {
	RunID  run.ID     `json:"run_id"`
	Status run.Status `json:"status"`
	Assets []struct{ Key, Status string }
}

// status is that of the newest run.
func (p *place) status() run.Status {
	p.t.Helper()
	var last shown
	p.decode(&last, "runs", "show", "LAST")
	return last.Status
}

// logged is a line of a run's log.
type logged struct {
	Type, Step, Message string
	Data                json.RawMessage
}

// log reads what a run has logged so far.
func (p *place) log(name string) []logged {
	p.t.Helper()
	var lines []logged
	p.decode(&lines, "runs", "logs", name)
	return lines
}

// owner is a worker that a run had.
type owner struct {
	Worker string
	Died   bool // the one before it did
}

// owners lists those of a run.
func (p *place) owners(name string) []owner {
	p.t.Helper()
	var all []owner
	for _, line := range p.log(name) {
		if line.Type != "OWNER" {
			continue
		}
		var o owner
		if err := json.Unmarshal(line.Data, &o); err != nil {
			p.t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

// waiting is what a step says that waits for a file.
type waiting struct {
	run   run.ID
	pid   int    // of the process that it runs in
	words string // how it says it
}

// waits starts a run of the job that fails, which does not, but waits for a file. It returns once the step says so.
func (p *place) waits(file string) (*started, waiting) {
	p.t.Helper()
	s := p.start("run", "gallery_broken", "--config", "how=none", "--config", "until="+file)
	var w waiting
	p.until("a run that waits for "+file, func() bool {
		out, _, status := p.call("runs", "logs", "LAST", "--json")
		var lines []struct {
			Run     run.ID `json:"run_id"`
			Message string
			Data    struct {
				Attrs struct {
					Until string
					PID   int
				}
			}
		}
		if status != 0 || json.Unmarshal([]byte(out), &lines) != nil {
			return false // there is no run yet
		}
		for _, line := range lines {
			if strings.HasSuffix(line.Data.Attrs.Until, file) {
				w = waiting{line.Run, line.Data.Attrs.PID, line.Message}
			}
		}
		return w.pid != 0
	}, func() any { return p.log("LAST") })
	return s, w
}

// kill ends a process without a chance to say goodbye.
func (p *place) kill(pid int) {
	p.t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		p.t.Fatal(err)
	}
}

func runIsCanceled(p *place) {
	s, _ := p.waits("gate/never")
	if out, _ := p.must(0, "runs", "cancel", "LAST"); !strings.Contains(out, "was asked to stop") {
		p.t.Errorf("cancel says\n%s", out)
	}
	if status := s.end(); status != 1 || !strings.Contains(s.out.String(), "CANCELED gallery_broken: 0 of 3 assets") {
		p.t.Errorf("the run's command ended with %d\n%s%s", status, &s.out, &s.talk)
	}
	var last shown
	p.decode(&last, "runs", "show", "LAST")
	if last.Status != run.Canceled {
		p.t.Errorf("the record says %+v", last)
	}
	if n := p.episodes(); n != 0 {
		p.t.Errorf("%d alerts of a run that somebody canceled", n)
	}
}

func killedRunGoesOn(p *place) {
	s, w := p.waits("gate/death")
	p.kill(w.pid)
	p.write("gate/death", nil)
	p.until("the end of the run", func() bool { p.look(); return p.status().Terminal() }, func() any { return p.log("LAST") })
	s.end()
	if status := p.status(); status != run.Success {
		p.t.Errorf("it ended with %s", status)
	}
	owners, begun := p.owners("LAST"), map[string]int{}
	if len(owners) != 2 || owners[0].Died || !owners[1].Died || owners[0].Worker == owners[1].Worker {
		p.t.Errorf("its owners were %+v", owners)
	}
	for _, line := range p.log("LAST") {
		if line.Type == "STEP_START" {
			begun[line.Step]++
		}
	}
	if begun["broken_source"] != 2 || begun["broken_end"] != 1 {
		p.t.Errorf("steps began %v times", begun)
	}
}
