//go:build aws

// Package e2e_test uses a whole Waggle as people do, by its command line: in a home on this machine, and as cdk deploys it to an emulator of
// AWS. The suite is the same in both places.
package e2e_test

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"waggle/localstack/emulator"
)

// suite is what must be true wherever Waggle runs. The tests follow each other: each leaves nothing that is open.
var suite = []struct {
	name string
	test func(*place)
}{
	{"the gallery runs, and people are told", galleryRuns},
	{"what a run recorded is there to read", recordIsThere},
	{"a job that fails alerts with its error, and resolves when it works", failureAlertsAndResolves},
	{"a run that failed is retried from failure", failedRunIsRetried},
	{"a blocking check stops what is behind it", checkBlocks},
	{"a run is canceled", runIsCanceled},
	{"a run whose process is killed is finished by another", killedRunGoesOn},
	{"a step that ends its process again and again fails by its name", deadlyStepIsBlamed},
	{"a schedule launches its job", scheduleFires},
	{"inputs and outputs are where a URL says", filesComeAndGo},
}

// built builds the command line.
func built(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "waggle")
	build := exec.Command("go", "build", "-trimpath", "-tags", "aws", "-o", program, "../../cmd/waggle")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

func TestEndToEnd(t *testing.T) {
	program := built(t)
	ran := map[string]int{}
	run := func(t *testing.T, at string, p *place, name string, test func()) {
		t.Run(name, func(t *testing.T) {
			before := p.t
			defer func() { p.t = before }()
			p.t = t
			test()
			ran[at]++
		})
	}
	t.Run("laptop", func(t *testing.T) {
		p := laptop(t, program)
		for _, s := range suite {
			run(t, "laptop", p, s.name, func() { s.test(p) })
		}
	})
	t.Run("aws", func(t *testing.T) {
		start, sink := emulator.MiniStackWith, ""
		if endpoint := os.Getenv("AWS_ENDPOINT_URL"); endpoint != "" { // one that is there, and hands mails on to this address
			start = func(context.Context, ...string) (*emulator.Emulator, error) { return emulator.At(endpoint), nil }
			sink = cmp.Or(os.Getenv("SMTP_HOST"), "127.0.0.1:2525")
		}
		d := deployed(t, program, sink, start)
		for _, s := range suite {
			run(t, "aws", d.place, s.name, func() { s.test(d.place) })
		}
		for _, own := range ownTests {
			run(t, "aws alone", d.place, own.name, func() { own.test(d) })
		}
	})
	t.Logf("end to end: %d tests on a laptop, %d on an emulator of AWS, and there %d more", ran["laptop"], ran["aws"], ran["aws alone"])
	for _, own := range ownTests {
		t.Logf("not on a laptop: %s, since %s", own.name, own.reason)
	}
	if ran["laptop"] != ran["aws"] {
		t.Error("not the same in both places")
	}
}

func galleryRuns(p *place) {
	out, talk := p.must(0, "run", "gallery")
	if !strings.Contains(out, "SUCCESS gallery: 11 assets, 4 of 5 checks passed") {
		p.t.Errorf("it says\n%s%s", out, talk)
	}
	if l := p.letterOf("[Waggle] gallery completed"); !strings.Contains(l.text, "sales_output") {
		p.t.Errorf("the report does not name what was made:\n%s", l.text)
	}
	warnings := p.letterOf("[Waggle] 3 validation warnings in gallery")
	attached := 0
	for name, data := range warnings.attachments {
		var warning any
		if err := json.Unmarshal(data, &warning); err != nil || !strings.HasSuffix(name, ".json") {
			p.t.Errorf("%s is attached: %v\n%s", name, err, data)
		}
		attached++
	}
	if attached != 1 {
		p.t.Errorf("%d attachments of the warnings", attached)
	}
	p.postWith("sales")
}

func recordIsThere(p *place) {
	var list struct {
		Runs []struct{ Status, Job string }
	}
	p.decode(&list, "runs")
	if len(list.Runs) != 1 || list.Runs[0].Status != "SUCCESS" || list.Runs[0].Job != "gallery" {
		p.t.Errorf("runs: %+v", list.Runs)
	}
	if out, _ := p.must(0, "runs", "logs", "LAST"); !strings.Contains(out, "RUN_SUCCESS") || !strings.Contains(out, "Filtered 93 invalid rows (203 errors)") {
		p.t.Errorf("the log says\n%s", out)
	}
	if out, _ := p.must(0, "checks"); strings.Count(out, "PASSED") != 4 {
		p.t.Errorf("checks:\n%s", out)
	}
	out, _ := p.must(0, "assets", "show", "sales_output", "--json")
	path := findPath(out, "sales_output.json")
	if path == "" {
		p.t.Fatalf("no path of its file:\n%s", out)
	}
	var rows []any
	if err := json.Unmarshal(p.read(path), &rows); err != nil || len(rows) != 38 {
		p.t.Errorf("%s has %d rows, %v", path, len(rows), err)
	}
	if out, _ := p.must(0, "quarantine", "show", "sales_transform"); !strings.Contains(out, "93") {
		p.t.Errorf("quarantine:\n%s", out)
	}
}

// findPath returns the text between quotes that ends so.
func findPath(text, end string) string {
	i := strings.Index(text, end+`"`)
	if i < 0 {
		return ""
	}
	return text[strings.LastIndexByte(text[:i], '"')+1 : i+len(end)]
}

// episodes counts the open ones.
func (p *place) episodes() int {
	var open []any
	p.decode(&open, "alerts")
	return len(open)
}

func failureAlertsAndResolves(p *place) {
	p.slack.forget()
	p.must(1, "run", "gallery_broken")
	const failure = "deliberate failure: broken_middle was asked to fail (how=error)"
	p.postWith(failure)
	if l := p.letterOf("[Waggle] gallery_broken failed"); !strings.Contains(l.text, failure) {
		p.t.Errorf("the mail lacks the error:\n%s", l.text)
	}
	if n := p.episodes(); n != 1 {
		p.t.Errorf("%d alerts are open", n)
	}
	p.slack.forget()
	p.must(0, "run", "gallery_broken", "--config", "how=none")
	p.postWith("gallery_broken")
	p.until("the end of the alert", func() bool { return p.episodes() == 0 }, func() any { return p.episodes() })
}

func failedRunIsRetried(p *place) {
	p.must(1, "run", "gallery_broken", "--config", "how=panic")
	out, talk := p.must(1, "runs", "retry", "LAST")
	if !strings.Contains(talk+out, "retries run") || strings.Contains(out, "broken_source") {
		p.t.Errorf("it says\n%s%s", out, talk)
	}
	p.resolve()
}

func checkBlocks(p *place) {
	out, _ := p.must(1, "run", "gallery_broken", "--config", "how=check")
	if !strings.Contains(out, "check_numbers_are_positive") || !strings.Contains(out, "BLOCKED") {
		p.t.Errorf("it says\n%s", out)
	}
	p.resolve()
}

// resolve ends what is open of the job that fails.
func (p *place) resolve() {
	p.t.Helper()
	p.until("an alert", func() bool { return p.episodes() == 1 }, func() any { return p.episodes() })
	p.must(0, "run", "gallery_broken", "--config", "how=none")
	p.until("the end of the alert", func() bool { return p.episodes() == 0 }, func() any { return p.episodes() })
}
