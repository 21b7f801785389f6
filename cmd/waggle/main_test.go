package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// binary is the program, built once.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "waggle")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "waggle")
	build := exec.Command("go", "build", "-trimpath", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// waggle runs the program in a folder.
func waggle(t *testing.T, dir string, args ...string) (out, talk string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.Exited():
		status = exit.ExitCode()
	case errors.As(err, &exit):
		status = 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	default:
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), status
}

func TestTheGalleryRunsAndLeavesARecord(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, talk, status := waggle(t, dir, "run", "gallery")
	if status != 0 || strings.Contains(talk, "waggle: ") || !strings.Contains(talk, "Filtered 93 invalid rows (203 errors)") || !strings.Contains(out, "✓ SUCCESS gallery: 11 assets, 4 of 5 checks passed") || !strings.Contains(out, "output/sales_output.json") {
		t.Fatalf("exit %d\n%s%s", status, out, talk)
	}
	mails, err := filepath.Glob(filepath.Join(dir, ".waggle", "outbox", "*.eml"))
	if err != nil || len(mails) != 3 || strings.Count(talk, "told team (") != 3 || strings.Count(talk, "told slack (") != 1 {
		t.Errorf("%d mails, %v\n%s", len(mails), err, talk)
	}
	for _, mail := range mails {
		if page := strings.TrimSuffix(mail, ".eml") + ".html"; !strings.Contains(talk, ": "+strings.TrimPrefix(page, dir+"/")+"\n") {
			t.Errorf("%s is not named\n%s", page, talk)
		}
	}
	out, _, status = waggle(t, dir, "runs", "show", "LAST", "--json")
	var shown struct {
		Job, Status string
		Assets      []struct{ Key, Status string }
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil || status != 0 || shown.Job != "gallery" || shown.Status != "SUCCESS" || len(shown.Assets) != 11 {
		t.Errorf("exit %d, %v: %+v", status, err, shown)
	}
}

func TestARunThatKillsItsProcessIsReportedByTheCommandsAfterIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, _, status := waggle(t, dir, "run", "gallery_broken", "--config", "how=kill"); status != 128+int(syscall.SIGKILL) {
		t.Fatalf("exit %d\n%s", status, out)
	}
	untilDue(t, dir)
	// Its worker died of it once: it is tried again alone, in a process that is not this one.
	out, talk, status := waggle(t, dir, "run", "gallery_broken", "--config", "how=none")
	if status != 0 || !strings.Contains(out, "✓ SUCCESS gallery_broken: 3 assets") || !strings.Contains(talk, "it ended its process again (signal: killed)") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	// How much the log held at each death decides how often it is tried: each time with more care, until the step is named.
	for range 4 {
		untilDue(t, dir)
		out, _, status = waggle(t, dir, "monitor", "--once")
		if status != 128+int(syscall.SIGKILL) {
			break
		}
	}
	if status != 0 || !strings.Contains(out, "✗ FAILED run ") || !strings.Contains(out, "the worker died while running broken_middle") {
		t.Errorf("exit %d\n%s", status, out)
	}
	if out, _, _ := waggle(t, dir, "deliveries"); !strings.Contains(out, "slack    ✓ SENT") || !strings.Contains(out, "team     ✓ SENT") {
		t.Errorf("nobody was told of it:\n%s", out)
	}
}

// untilDue waits until the lease of the process that died has run out.
func untilDue(t *testing.T, dir string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, talk, _ := waggle(t, dir, "runs"); strings.Contains(talk, "of gallery_broken: its process died at ") {
			return
		}
	}
	t.Fatal("no command tells of the run whose process died")
}
