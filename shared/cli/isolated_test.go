package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/job"
	"waggle/shared/waggle"
)

// isolatedConfig decides what the isolated step does.
type isolatedConfig struct {
	How  string `help:"what the isolated step does"`
	Gate string `help:"a file that it waits for"`
	Mark string `help:"a file that it adds a line to, each time it is called"`
}

// isolatedDefinitions is a job whose middle step runs in a process of its own.
func isolatedDefinitions() waggle.Definitions {
	config := asset.NewConfig(isolatedConfig{How: "work"})
	source := asset.New("source", func(*asset.Context) (int, error) { return os.Getpid(), nil }, nil)
	heavy := asset.New2("heavy", beHeavy, source, config, &asset.Options{Isolated: true})
	end := asset.New2("end", func(_ *asset.Context, source, heavy int) (int, error) {
		if source == heavy {
			return 0, fmt.Errorf("heavy ran in process %d, as source did", heavy)
		}
		return heavy, nil
	}, source, heavy, nil)
	beside := asset.New1("beside", func(_ *asset.Context, n int) (int, error) { return n, nil }, source, nil)
	list := asset.List{source, heavy, end, beside}
	return waggle.Definitions{Assets: list, Jobs: job.List{job.New("heavy_job", list, nil)}}
}

func beHeavy(ctx *asset.Context, _ int, c isolatedConfig) (int, error) {
	ctx.Log.Info("heavy begins")
	if c.Mark != "" {
		f, err := os.OpenFile(c.Mark, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return 0, err
		}
		defer func() { _ = f.Close() }()
		if _, err := fmt.Fprintln(f, os.Getpid()); err != nil {
			return 0, err
		}
	}
	switch c.How {
	case "kill":
		ourselves, _ := os.FindProcess(os.Getpid())
		_ = ourselves.Kill()
		<-ctx.Done()
	case "exit":
		fmt.Fprintln(os.Stderr, "the library gives up")
		os.Exit(7)
	case "goroutine":
		go func() { panic("out of cheese") }()
		<-ctx.Done()
	case "memory":
		eatMemory()
	case "wait":
		_, err := wait(ctx, shopConfig{Gate: c.Gate})
		fmt.Fprintln(os.Stderr, "whoever reads this may be dead")
		return os.Getpid(), err
	}
	return os.Getpid(), nil
}

// eatMemory takes memory until the system gives no more, of which it allows this process little.
func eatMemory() {
	limit := syscall.Rlimit{Cur: 3 << 30, Max: 3 << 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		panic(err)
	}
	var all [][]byte
	for {
		all = append(all, make([]byte, 64<<20))
		runtime.KeepAlive(all)
	}
}

func isolatedProgram(dir string, t *testing.T, args ...string) (out, talk string, status int) {
	t.Helper()
	return pipe(t, program(t, dir, []string{"WAGGLE_TEST_DEFINITIONS=isolated"}, args...))
}

func TestAnIsolatedStepRunsInAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out, talk, status := isolatedProgram(dir, t, "run", "heavy_job")
	if status != 0 {
		t.Fatalf("exit %d\n%s%s", status, out, talk)
	}
	// Its records are shown among those of the run, in the order of time.
	logs, _, _ := isolatedProgram(dir, t, "runs", "logs", "LAST")
	at := -1
	for _, text := range []string{"heavy  STEP_START", "heavy  STEP_WORKER_STARTING", "heavy  STEP_WORKER_STARTED", "heavy  heavy begins", "heavy  ASSET_MATERIALIZATION", "heavy  STEP_SUCCESS", "RUN_SUCCESS"} {
		next := strings.Index(logs, text)
		if next <= at {
			t.Errorf("%q is not there, or not in its place:\n%s", text, logs)
		}
		at = next
	}
	if n := strings.Count(logs, "heavy  ASSET_MATERIALIZATION"); n != 1 {
		t.Errorf("its result is shown %d times", n)
	}
	if logs, _, _ := isolatedProgram(dir, t, "runs", "logs", "LAST", "--step", "heavy", "--level", "info", "-o", "jsonl"); !strings.Contains(logs, `"message":"heavy begins"`) {
		t.Errorf("%s", logs)
	}
}

func TestTheDeathOfAnIsolatedStepIsItsOwn(t *testing.T) {
	t.Parallel()
	for how, want := range map[string]string{
		"kill":      "the worker died while running heavy (signal: killed); likely out of memory or time",
		"exit":      "the worker died while running heavy (exit status 7): the library gives up",
		"goroutine": "the worker died while running heavy (exit status 2): panic: out of cheese",
		"memory":    "the worker died while running heavy (exit status 2): fatal error: ",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			if how == "memory" && (runtime.GOOS != "linux" || raceDetector) {
				t.Skip("the memory of a process is bounded on Linux only, and not with the race detector")
			}
			dir := t.TempDir()
			_, talk, status := isolatedProgram(dir, t, "run", "heavy_job", "--config", "how="+how)
			out, _, _ := isolatedProgram(dir, t, "runs", "show", "LAST", "--json")
			if status != 1 || !strings.Contains(out, want) || !strings.Contains(out, `"status": "FAILURE"`) {
				t.Errorf("exit %d\n%s\n%s", status, talk, out)
			}
			if out, _, _ := isolatedProgram(dir, t, "assets", "show", "beside", "--json"); !strings.Contains(out, `"run_id"`) {
				t.Errorf("the branch beside it was not made:\n%s", out)
			}
		})
	}
}

func TestCtrlCReachesAnIsolatedStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd := program(t, dir, []string{"WAGGLE_TEST_DEFINITIONS=isolated"}, "run", "heavy_job", "--config", "how=wait", "--config", "gate="+filepath.Join(dir, "never"))
	c := open(t, cmd, 100, 24)
	c.wait("heavy  waiting")
	c.press(ctrlC)
	if status, screen := c.exit(); status != 130 || !strings.Contains(screen, "CANCELED heavy_job") {
		t.Errorf("exit %d\n%s", status, screen)
	}
}

func TestAnIsolatedStepOutlivesTheProcessThatStartedIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	gate, mark := filepath.Join(dir, "gate"), filepath.Join(dir, "mark")
	t.Cleanup(func() { write(t, gate, "") }) // ends the step also where the test fails
	cmd := program(t, dir, []string{"WAGGLE_TEST_DEFINITIONS=isolated", "WAGGLE_TEST_LEASE=1s"}, "run", "heavy_job", "--config", "how=wait", "--config", "gate="+gate, "--config", "mark="+mark)
	talk, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := &watcher{buffer: &bytes.Buffer{}, text: "heavy  waiting", found: make(chan struct{})}
	go func() { _, _ = io.Copy(seen, talk) }()
	seen.wait(t)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the pipe is closed too, while the step goes on
	time.AfterFunc(2*time.Second, func() { write(t, gate, "") })
	for deadline := time.Now().Add(patience); ; { // until the lease of the dead process has ended
		out, talk, status := pipe(t, program(t, dir, []string{"WAGGLE_TEST_DEFINITIONS=isolated", "WAGGLE_TEST_LEASE=1s"}, "monitor", "--once"))
		if strings.Contains(out, "SUCCESS run ") {
			break
		}
		if status != 0 || time.Now().After(deadline) {
			t.Fatalf("exit %d\n%s%s", status, out, talk)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if calls := strings.Fields(read(t, mark)); len(calls) != 1 {
		t.Errorf("the step was called by %v", calls)
	}
}

func TestASecondCtrlCEndsIsolatedStepsToo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	cmd := program(t, dir, []string{"WAGGLE_TEST_DEFINITIONS=isolated"}, "run", "heavy_job", "--config", "how=wait", "--config", "mark="+mark, "--config", "gate="+filepath.Join(dir, "never"))
	c := open(t, cmd, 100, 24)
	c.wait("heavy  waiting")
	var pid int
	if _, err := fmt.Sscan(read(t, mark), &pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil { // so that it cannot heed the first
		t.Fatal(err)
	}
	c.press(ctrlC)
	c.wait("canceling; press Ctrl-C again to end at once")
	c.press(ctrlC)
	if status, screen := c.exit(); status != 130 {
		t.Errorf("exit %d\n%s", status, screen)
	}
	for deadline := time.Now().Add(patience); syscall.Kill(pid, 0) == nil && alive(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// alive reports whether a process has not ended; one that nobody has waited for yet has.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestAStepCommandThatNobodyAskedForDoesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, talk, status := isolatedProgram(dir, t, "run", "heavy_job"); status != 0 {
		t.Fatal(talk)
	}
	var id string
	out, _, _ := isolatedProgram(dir, t, "runs", "-o", "jsonl")
	if _, rest, ok := strings.Cut(out, `"run_id":"`); ok {
		id, _, _ = strings.Cut(rest, `"`)
	}
	if _, talk, status := isolatedProgram(dir, t, "step", id, "heavy", "1"); status != 0 || !strings.Contains(talk, "does not wait for attempt 1 of heavy") {
		t.Errorf("exit %d, %s (run %q)", status, talk, id)
	}
	if _, talk, status := isolatedProgram(dir, t, "step", id, "heavy", "one"); status != 2 || !strings.Contains(talk, `attempt "one" is not a number`) {
		t.Errorf("exit %d, %s", status, talk)
	}
	if out, _, _ := isolatedProgram(dir, t, "--help"); strings.Contains(out, "step") && strings.Contains(out, "Run one attempt") {
		t.Error("it is listed")
	}
}
