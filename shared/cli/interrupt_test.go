package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestCtrlCCancelsARun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, _ := gate(t)
	c := open(t, program(t, dir, []string{"WAGGLE_LOG_LEVEL=error"}, "run", "slow", "--config", "gate="+path), 80, 24)
	c.wait("RUNNING   slow_source")
	c.press(ctrlC)
	status, screen := c.exit()
	if status != 130 {
		t.Errorf("exit %d, want 130", status)
	}
	golden(t, "live_canceled", still(screen))
	if out, _, _ := pipe(t, program(t, dir, nil, "runs", "--json")); !strings.Contains(out, `"status": "CANCELED"`) {
		t.Errorf("the record says\n%s", out)
	}
}

func TestASecondCtrlCEndsTheProcessAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := open(t, program(t, dir, nil, "run", "stubborn"), 80, 24)
	c.wait("RUNNING   stubborn_step")
	c.press(ctrlC)
	c.wait("canceling; press Ctrl-C again to end at once")
	c.press(ctrlC)
	status, screen := c.exit()
	if status != 130 || !strings.Contains(screen, "ended at once; `waggle monitor --once` takes run ") {
		t.Errorf("exit %d\n%s", status, screen)
	}
	if raw := c.output(); strings.LastIndex(raw, "\x1b[?25h") < strings.LastIndex(raw, "\x1b[?25l") {
		t.Error("the cursor stays hidden")
	}
}

func TestASignalToEndHandsTheRunOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, openIt := gate(t)
	cmd := program(t, dir, nil, "run", "slow", "--config", "gate="+path)
	var out, talk bytes.Buffer
	seen := &watcher{buffer: &talk, text: "slow_source  waiting", found: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &out, seen
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	seen.wait(t)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := statusOf(t, cmd.Wait()); status != 130 || !strings.Contains(talk.String(), "goes on with: waggle monitor --once") {
		t.Errorf("exit %d\n%s%s", status, &out, &talk)
	}
	openIt()
	if out, talk, status := pipe(t, program(t, dir, nil, "monitor", "--once")); status != 0 || !strings.Contains(out, "✓ SUCCESS run ") || !strings.Contains(talk, "left unfinished") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
}

// watcher tells when a text was written.
type watcher struct {
	buffer *bytes.Buffer
	text   string
	found  chan struct{}
	told   bool
}

func (w *watcher) Write(p []byte) (int, error) {
	n, err := w.buffer.Write(p)
	if !w.told && strings.Contains(w.buffer.String(), w.text) {
		w.told = true
		close(w.found)
	}
	return n, err
}

func (w *watcher) wait(t *testing.T) {
	t.Helper()
	select {
	case <-w.found:
	case <-time.After(patience):
		t.Fatalf("%q did not come", w.text)
	}
}

func TestARunIsCanceledFromAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, _ := gate(t)
	c := open(t, program(t, dir, nil, "run", "slow", "--config", "gate="+path), 80, 24)
	c.wait("RUNNING   slow_source")
	if out, talk, status := pipe(t, program(t, dir, nil, "runs", "cancel", "LAST")); status != 0 || !strings.Contains(out, "was asked to stop") || talk != "" {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	if status, screen := c.exit(); status != 1 || !strings.Contains(screen, "CANCELED slow: 0 of 3 assets, 3 canceled") {
		t.Errorf("exit %d\n%s", status, screen)
	}
	if out, _, status := pipe(t, program(t, dir, nil, "runs", "cancel", "LAST")); status != 0 || !strings.Contains(out, "is canceled already") {
		t.Errorf("exit %d\n%s", status, out)
	}
}

func TestALogIsFollowedToTheEndOfItsRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, openIt := gate(t)
	c := open(t, program(t, dir, nil, "run", "slow", "--config", "gate="+path), 80, 24)
	c.wait("RUNNING   slow_source")
	follower := open(t, program(t, dir, nil, "runs", "logs", "LAST", "-f", "--level", "info"), 160, 50)
	follower.wait("slow_source  waiting")
	if out, _, _ := pipe(t, program(t, dir, nil, "runs", "show", "LAST")); !strings.Contains(out, "◐ RUNNING slow: 0 of 3 assets") || !strings.Contains(out, "at work") {
		t.Errorf("while it runs:\n%s", out)
	}
	openIt()
	if status, _ := c.exit(); status != 0 {
		t.Errorf("exit %d", status)
	}
	if status, screen := follower.exit(); status != 0 || !strings.Contains(screen, "RUN_SUCCESS") {
		t.Errorf("exit %d\n%s", status, screen)
	}
}

func TestTwoRunsAtOnceShareAHome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	type end struct {
		out    string
		status int
	}
	ends := make(chan end)
	for range 4 {
		cmd := program(t, dir, nil, "run", "shop")
		go func() {
			out, talk, status := pipe(t, cmd)
			ends <- end{out + talk, status}
		}()
	}
	for range 4 {
		if e := <-ends; e.status != 0 {
			t.Errorf("exit %d\n%s", e.status, e.out)
		}
	}
	out, _, _ := pipe(t, program(t, dir, nil, "runs", "-o", "jsonl"))
	if n := strings.Count(out, `"status":"SUCCESS"`); n != 4 {
		t.Errorf("%d runs succeeded\n%s", n, out)
	}
}

func TestARunWhoseProcessDiesIsResumedByTheNextOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	die := filepath.Join(dir, "die")
	if err := os.WriteFile(die, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	short := []string{"WAGGLE_TEST_LEASE=200ms"}
	out, _, status := pipe(t, program(t, dir, short, "run", "deadly", "--config", "gate="+die))
	if status != 128+int(syscall.SIGKILL) || !strings.Contains(out, "SUCCESS   before_death") {
		t.Fatalf("exit %d\n%s", status, out)
	}
	untilDue(t, dir, short)
	_, talk, _ := pipe(t, program(t, dir, short, "runs"))
	if !strings.Contains(talk, "of deadly: its process died at ") || !strings.Contains(talk, "; resume it with: waggle monitor --once\n") {
		t.Errorf("stderr of runs: %s", talk)
	}
	// The child that resumes it dies of it too; this command does not.
	out, talk, status = pipe(t, program(t, dir, short, "run", "--select", "lonely"))
	if status != 0 || !strings.Contains(out, "SUCCESS lonely") || !strings.Contains(talk, "going on with 1 run that nobody looks after; yours is launched after that\n") || !strings.Contains(talk, "resuming run ") || !strings.Contains(talk, "it ended its process again (signal: killed)") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	// How many deaths it takes until the step is blamed depends on how much of the log the first ones left.
	for try := 1; !strings.Contains(talk, "FAILED run "); try++ {
		if try == 4 {
			t.Fatalf("nobody was blamed:\n%s", talk)
		}
		untilDue(t, dir, short)
		if out, talk, status = pipe(t, program(t, dir, short, "run", "--select", "lonely")); status != 0 {
			t.Errorf("exit %d\n%s%s", status, out, talk)
		}
	}
	if !strings.Contains(talk, "the worker died while running death") {
		t.Errorf("stderr: %s", talk)
	}
	if _, talk, _ = pipe(t, program(t, dir, short, "runs")); talk != "" {
		t.Errorf("stderr of runs at the end: %s", talk)
	}
}

// untilDue waits until the lease of a dead process has run out.
func untilDue(t *testing.T, dir string, env []string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, talk, _ := pipe(t, program(t, dir, env, "runs")); strings.Contains(talk, "its process died") {
			return
		}
	}
	t.Fatal("no run is due")
}

func TestALaunchedRunThatNobodyStartedIsTold(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.launch(5)
	d.now = d.now.Add(-time.Minute) // the next command runs at the time of the launch
	if _, talk := d.must(0, "runs"); talk != "" {
		t.Errorf("runs that were just launched are told of: %s", talk)
	}
	_, talk := d.must(0, "runs", "--limit", "6")
	want := ": launched at 2026-11-22 02:00:00 UTC, but never started; resume it with: waggle monitor --once\n"
	if strings.Count(talk, want) != 3 || !strings.HasSuffix(talk, "and 2 more\n") {
		t.Errorf("stderr is\n%s", talk)
	}
	out, talk := d.must(0, "monitor", "--once")
	if strings.Count(out, "✓ SUCCESS run ") != 5 || strings.Count(talk, "resuming run ") != 5 {
		t.Errorf("monitor says\n%s%s", out, talk)
	}
	if out, talk := d.must(0, "monitor", "--once"); out != "nothing is due\n" || talk != "" {
		t.Errorf("the second time it says\n%s%s", out, talk)
	}
}
