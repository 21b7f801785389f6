package cli_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"waggle/shared/asset"
	"waggle/shared/embedded"
	"waggle/shared/job"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/waggle"
)

// devDefinitions are what the tests of `dev` run: a job every minute, one of which one run may run at once, one that ends its
// process while a file is there, and one that does not stop.
func devDefinitions() waggle.Definitions {
	count := asset.New("count", func(ctx *asset.Context) (int, error) {
		select {
		case <-time.After(10 * time.Millisecond):
			return 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}, nil)
	double := asset.New1("double", func(_ *asset.Context, n int) (int, error) { return 2 * n, nil }, count, nil)
	list := asset.List{count, double, slowSource, beforeDeath, death, stubbornStep}
	minutely := job.New("minutely", asset.List{count, double}, nil)
	return waggle.Definitions{
		Assets: list,
		Jobs: job.List{minutely, job.New("single", asset.List{slowSource}, &job.Options{MaxRuns: 1}),
			job.New("deadly", asset.List{beforeDeath, death}, nil), job.New("stubborn", asset.List{stubbornStep}, nil)},
		Schedules: job.Schedules{job.Cron("every_minute", "* * * * *", minutely, nil)},
	}
}

// clock is the time, put forward by the minutes that a file holds.
func clock(file string) func() time.Time {
	if file == "" {
		return nil
	}
	var mu sync.Mutex
	var ahead time.Duration
	var read time.Time
	return func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if now.Sub(read) > time.Millisecond {
			text, _ := os.ReadFile(file)
			minutes := 0
			_, _ = fmt.Sscan(string(text), &minutes)
			ahead, read = time.Duration(minutes)*time.Minute, now
		}
		return now.Add(ahead)
	}
}

// hive is a home that `dev` looks after, with a clock that a test puts forward.
type hive struct {
	t       *testing.T
	dir     string
	env     []string
	minutes int
}

func newHive(t *testing.T) *hive {
	t.Helper()
	h := &hive{t: t, dir: t.TempDir()}
	h.env = []string{"WAGGLE_TEST_DEFINITIONS=dev", "WAGGLE_TEST_LOOK=5ms", "WAGGLE_TEST_LEASE=300ms", "WAGGLE_TEST_CLOCK=" + h.file("clock")}
	h.forward(0)
	return h
}

func (h *hive) file(name string) string { return filepath.Join(h.dir, name) }

func (h *hive) forward(minutes int) {
	h.t.Helper()
	h.minutes += minutes
	next := h.file("clock.next")
	if err := os.WriteFile(next, []byte(fmt.Sprint(h.minutes)), 0o644); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(next, h.file("clock")); err != nil {
		h.t.Fatal(err)
	}
}

// keeper is a `dev` that goes on.
type keeper struct {
	t      *testing.T
	stop   func() error
	kill   func() error
	wait   func() error
	mu     sync.Mutex
	out    bytes.Buffer
	talk   bytes.Buffer
	change chan struct{}
}

func (k *keeper) writer(b *bytes.Buffer) writerFunc {
	return func(p []byte) (int, error) {
		k.mu.Lock()
		defer k.mu.Unlock()
		close(k.change)
		k.change = make(chan struct{})
		return b.Write(p)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// dev starts a `dev`.
func (h *hive) dev(args ...string) *keeper {
	h.t.Helper()
	cmd := program(h.t, h.dir, h.env, append([]string{"dev"}, args...)...)
	k := &keeper{t: h.t, change: make(chan struct{}), wait: cmd.Wait}
	cmd.Stdout, cmd.Stderr = k.writer(&k.out), k.writer(&k.talk)
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	k.stop = func() error { return cmd.Process.Signal(os.Interrupt) }
	k.kill = cmd.Process.Kill
	h.t.Cleanup(func() { _ = cmd.Process.Kill() })
	return k
}

// sees waits until it has written a text so many times, to stdout and stderr together.
func (k *keeper) sees(text string, times int) {
	k.t.Helper()
	deadline := time.After(patience)
	for {
		k.mu.Lock()
		change, all := k.change, k.out.String()+k.talk.String()
		k.mu.Unlock()
		if strings.Count(all, text) >= times {
			return
		}
		select {
		case <-change:
		case <-deadline:
			k.t.Fatalf("no %d times %q in\n%s", times, text, all)
		}
	}
}

// ends asks it to end, as Ctrl-C does, and returns what it wrote.
func (k *keeper) ends() (out, talk string) {
	k.t.Helper()
	if err := k.stop(); err != nil {
		k.t.Fatal(err)
	}
	if status := statusOf(k.t, k.wait()); status != 0 {
		k.t.Errorf("dev ended with %d\n%s%s", status, &k.out, &k.talk)
	}
	return k.out.String(), k.talk.String()
}

// record reads what is stored: the ticks of the schedule, newest first, and all runs.
func (h *hive) record() (ticks []store.Tick, runs []store.Summary) {
	h.t.Helper()
	st, err := embedded.Open(h.t.Context(), h.file(".waggle"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	if ticks, err = st.Ticks(h.t.Context(), "every_minute", 1000); err != nil {
		h.t.Fatal(err)
	}
	if runs, _, err = st.Runs(h.t.Context(), store.Filter{}, 1000, ""); err != nil {
		h.t.Fatal(err)
	}
	return ticks, runs
}

func (h *hive) launch(jobs ...string) []run.ID {
	h.t.Helper()
	st, err := embedded.Open(h.t.Context(), h.file(".waggle"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	var ids []run.ID
	for _, name := range jobs {
		req, _, err := devDefinitions().Request(run.Request{Job: name})
		if err != nil {
			h.t.Fatal(err)
		}
		req.Config = nil
		if name == "single" || name == "deadly" {
			req.Config = run.Config{"gate": h.file("gate")}
		}
		id, err := st.Launch(h.t.Context(), req)
		if err != nil {
			h.t.Fatal(err)
		}
		ids = append(ids, id)
	}
	return ids
}

// begun waits until the schedule has begun: ticks before that are none.
func (h *hive) begun() {
	h.t.Helper()
	st, err := embedded.Open(h.t.Context(), h.file(".waggle"), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if at, err := st.Schedule(h.t.Context(), "every_minute"); err == nil && !at.Last.IsZero() {
			return
		}
	}
	h.t.Fatal("the schedule does not begin")
}

// allEnded checks that there is a run of each minute between the first tick and the last, one each, and that all have ended well.
func (h *hive) allEnded(least int) {
	h.t.Helper()
	ticks, runs := h.record()
	if len(ticks) < least {
		h.t.Errorf("%d ticks, at least %d are due", len(ticks), least)
	}
	of := map[run.ID]bool{}
	for i, tick := range ticks {
		if i > 0 && !tick.Time.Add(time.Minute).Equal(ticks[i-1].Time) {
			h.t.Errorf("no tick between %s and %s", tick.Time, ticks[i-1].Time)
		}
		if of[tick.Run] {
			h.t.Errorf("run %s is of two ticks", tick.Run)
		}
		of[tick.Run] = true
	}
	scheduled := 0
	for _, r := range runs {
		if r.Status != run.Success {
			h.t.Errorf("run %s is %s: %s", r.ID, r.Status, r.Error)
		}
		if r.Request.Tags["waggle/schedule"] == "every_minute" {
			scheduled++
		}
	}
	if scheduled != len(ticks) {
		h.t.Errorf("%d ticks have %d runs", len(ticks), scheduled)
	}
}

func TestDevRunsEachTickAlsoThoseThatItSleptOver(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	k := h.dev()
	k.sees("next: every_minute, ", 1)
	h.begun()
	h.forward(1)
	k.sees("SUCCESS", 1)
	h.forward(3)
	k.sees("SUCCESS", 4)
	out, _ := k.ends()
	if strings.Count(out, "▲ LATE") < 2 || !strings.Contains(out, ", late by 1 min") || !strings.Contains(out, "· TICK") {
		t.Errorf("it says\n%s", out)
	}
	h.allEnded(4)
	if out, _, _ := pipe(t, program(t, h.dir, h.env, "schedules", "show", "every_minute")); strings.Count(out, "✓ SUCCESS") < 4 || strings.Count(out, "late by ") < 2 {
		t.Errorf("the schedule is\n%s", out)
	}
}

func TestDevIsKilledAtAnyPointAndEveryTickEndsOnce(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHive(t)
	k := h.dev()
	h.begun()
	h.forward(1)
	const kills = 12
	for range kills {
		k.sees("looking after", 1)
		time.Sleep(time.Duration(random.IntN(60)) * time.Millisecond) // when it dies is what this test is about
		if err := k.kill(); err != nil {
			t.Fatal(err)
		}
		_ = k.wait()
		h.forward(1)
		k = h.dev()
	}
	h.untilEnded(kills + 1)
	k.sees("looking after", 1)
	k.ends()
	h.allEnded(kills + 1)
}

// untilEnded waits until so many runs have ended, and none is left.
func (h *hive) untilEnded(least int) {
	h.t.Helper()
	var runs []store.Summary
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_, runs = h.record()
		if len(runs) >= least && !slices.ContainsFunc(runs, func(r store.Summary) bool { return !r.Status.Terminal() }) {
			return
		}
	}
	for _, r := range runs {
		if !r.Status.Terminal() {
			h.t.Errorf("run %s of %s is %s", r.ID, r.Request.Name(), r.Status)
		}
	}
	h.t.Fatalf("%d runs, want %d", len(runs), least)
}

func TestTwoDevsShareAHomeAndTheSecondSaysSo(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	first := h.dev()
	first.sees("next: ", 1)
	second := h.dev()
	second.sees("next: ", 1)
	h.begun()
	for range 5 {
		h.forward(1)
	}
	h.untilEnded(5)
	_, talk := first.ends()
	_, more := second.ends()
	if strings.Contains(talk, "another") || !strings.Contains(more, "another `waggle dev` looks after this home (laptop:") {
		t.Errorf("the first says\n%sthe second\n%s", talk, more)
	}
	h.allEnded(5)
	third := h.dev()
	third.sees("next: ", 1)
	if _, talk := third.ends(); strings.Contains(talk, "another") {
		t.Errorf("both have ended, and the third says\n%s", talk)
	}
}

func TestARunThatKillsItsProcessEndsDevOnceAndNoOtherRun(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	if err := os.WriteFile(h.file("gate"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h.launch("deadly", "single", "minutely")
	h.forward(1)
	k := h.dev()
	if status := statusOf(t, k.wait()); status != 128+int(syscall.SIGKILL) {
		t.Fatalf("dev ended with %d, it should die with the first death\n%s", status, &k.out)
	}
	h.forward(1)
	k = h.dev()
	k.sees("it ended its process again (signal: killed)", 1)
	h.forward(1)
	k.sees("FAILED", 1)
	h.untilEnded(3)
	k.ends()
	_, runs := h.record()
	for _, r := range runs {
		if want := r.Request.Job != "deadly"; want != (r.Status == run.Success) {
			t.Errorf("the run of %s is %s: %s", r.Request.Name(), r.Status, r.Error)
		}
	}
}

func TestDevHandsOverAndTheNextOneGoesOn(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	h.launch("single", "single")
	h.forward(1)
	k := h.dev("-o", "jsonl")
	k.sees(`"kind":"run_waits"`, 1)
	k.sees("slow_source  waiting", 1)
	out, talk := k.ends()
	if !strings.Contains(out, `"why":"limit job:single is full: 1 of 1 slots taken by `) || !strings.Contains(out, `"kind":"run_stopped"`) ||
		!strings.Contains(talk, "2 runs did not end: ") || !strings.Contains(talk, "; going on with: waggle dev\n") {
		t.Errorf("it says\n%s%s", out, talk)
	}
	if err := os.WriteFile(h.file("gate"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	h.forward(1)
	k = h.dev()
	h.untilEnded(2)
	k.ends()
	h.allEnded(0)
}

func TestDevShowsWhatRunsWhatWaitsAndWhatIsNext(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	h.launch("single", "single")
	h.forward(1)
	c := open(t, program(t, h.dir, h.env, "dev"), 100, 30)
	screen := c.wait(`Running\n +◐ RUNNING  single  \S+  0 of 1 step +\d+\.\d s  slow_source`, `Waiting\n +○ QUEUED  single  \S+  limit job:single is full: 1 of 1 slots`,
		`Next\n +every_minute  in \d+ s +\d{4}-\d\d-\d\d \d\d:\d\d UTC  runs minutely`, `1 running, 1 waiting; Ctrl-C ends it`)
	fits(t, screen, 100)
	if err := os.WriteFile(h.file("gate"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	c.wait(`(?s)SUCCESS +single.*SUCCESS +single`, `nothing runs; Ctrl-C ends it`)
	c.press(ctrlC)
	if status, screen := c.exit(); status != 0 || strings.Contains(screen, "Ctrl-C ends it") {
		t.Errorf("exit %d\n%s", status, screen)
	}
	h.allEnded(0)
}

func TestASecondCtrlCEndsDevAtOnce(t *testing.T) {
	t.Parallel()
	h := newHive(t)
	h.launch("stubborn")
	h.forward(1)
	c := open(t, program(t, h.dir, h.env, "dev"), 80, 24)
	c.wait(`RUNNING  stubborn  \S+  0 of 1 step`)
	c.press(ctrlC)
	c.wait("press Ctrl-C again to end at once")
	c.press(ctrlC)
	if status, screen := c.exit(); status != 130 || !strings.Contains(screen, "ended at once; runs go on with: waggle dev") {
		t.Errorf("exit %d\n%s", status, screen)
	}
	if raw := c.output(); strings.LastIndex(raw, "\x1b[?25h") < strings.LastIndex(raw, "\x1b[?25l") {
		t.Error("the cursor stays hidden")
	}
}
