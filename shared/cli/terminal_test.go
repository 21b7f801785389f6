package cli_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// patience is how long a test waits for what must come; it is never waited out.
const patience = 20 * time.Second

// terminal is the program in a pseudo-terminal, or with pipes.
type terminal struct {
	t    *testing.T
	tty  *os.File
	vt   vt10x.Terminal
	rows int

	mu      sync.Mutex
	raw     bytes.Buffer
	writes  int
	status  string        // the program's exit status, once it ended
	changed chan struct{} // closed and replaced at every write
	ended   chan struct{}
}

// program is the command of the test binary as the program, in a folder of its own.
func program(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir = dir
	clean := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "NO_COLOR=") || strings.HasPrefix(v, "WAGGLE_") || strings.HasPrefix(v, "TERM=")
	})
	cmd.Env = slices.Concat(clean, []string{asProgram + "=1", "TERM=xterm-256color"}, env)
	return cmd
}

// shell runs a program as a person's shell does, says its exit status between two marks, and keeps the terminal open: the
// kernel may drop what was written last when the first process of a terminal ends.
const (
	shell = `trap : INT; "$0" "$@"; printf '\036%d\036' $?; read -r _`
	mark  = "\036"
)

// open starts the program in a terminal of that size.
func open(t *testing.T, cmd *exec.Cmd, columns, rows int) *terminal {
	t.Helper()
	sh := exec.Command("sh", slices.Concat([]string{"-c", shell, cmd.Path}, cmd.Args[1:])...)
	sh.Dir, sh.Env = cmd.Dir, cmd.Env
	tty, err := pty.StartWithSize(sh, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	c := &terminal{t: t, tty: tty, rows: rows, vt: vt10x.New(vt10x.WithSize(columns, rows)), changed: make(chan struct{}), ended: make(chan struct{})}
	go c.read()
	t.Cleanup(func() {
		_ = tty.Close() // hangs up on the shell and on the program
		_ = sh.Process.Kill()
		_ = sh.Wait()
	})
	return c
}

func (c *terminal) read() {
	defer close(c.ended)
	buffer := make([]byte, 64<<10)
	for marks := 0; marks < 2; {
		n, err := c.tty.Read(buffer)
		parts := strings.Split(string(buffer[:n]), mark)
		c.mu.Lock()
		for i, part := range parts {
			if i > 0 {
				marks++
			}
			switch marks {
			case 0:
				c.raw.WriteString(part)
				_, _ = c.vt.Write([]byte(part))
			case 1:
				c.status += part
			}
		}
		c.writes++
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// screen is what the person sees, without the empty lines at the end.
func (c *terminal) screen() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	lines := strings.Split(c.vt.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n") + "\n"
}

// wait returns the screen when it matches all the patterns.
func (c *terminal) wait(patterns ...string) string {
	c.t.Helper()
	matches := func(screen string) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return !regexp.MustCompile(p).MatchString(screen) })
	}
	deadline := time.After(patience)
	for {
		c.mu.Lock()
		changed := c.changed
		c.mu.Unlock()
		screen := c.screen()
		if matches(screen) {
			return screen
		}
		select {
		case <-changed:
		case <-c.ended:
			if screen = c.screen(); matches(screen) {
				return screen
			}
			c.t.Fatalf("the program ended, and the screen does not match %q:\n%s", patterns, screen)
		case <-deadline:
			c.t.Fatalf("the screen does not match %q:\n%s", patterns, screen)
		}
	}
}

// exit waits for the program's end and returns its status, and the last screen.
func (c *terminal) exit() (status int, screen string) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(patience):
		c.t.Fatalf("the program does not end:\n%s", c.screen())
	}
	status, err := strconv.Atoi(c.status)
	if err != nil {
		c.t.Fatalf("the terminal closed before the program ended:\n%s", c.screen())
	}
	return status, c.screen()
}

func statusOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	case errors.As(err, &exit):
		return 128 + int(exit.Sys().(syscall.WaitStatus).Signal())
	}
	t.Fatal(err)
	return -1
}

func (c *terminal) output() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// press types a character, as a person does.
func (c *terminal) press(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.tty, text); err != nil {
		c.t.Fatal(err)
	}
}

const ctrlC = "\x03"

var (
	runID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}`)
	moment   = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? UTC`)
	stepLine = regexp.MustCompile(`^  [✓✗▲◐○–⊘] [A-Z]+ `)
	took     = regexp.MustCompile(`( +)[0-9.]+ (ns|µs|ms|s)\b`)
	closing  = regexp.MustCompile(`,\s+[0-9.]+ (ms|s)\n`)
)

// still makes a screen comparable: ids, times and durations become the same. In the lines of steps, durations stand to the
// right of their column, so that it stays as wide as it was.
func still(screen string) string {
	screen = closing.ReplaceAllString(screen, ", T\n")
	lines := strings.Split(screen, "\n")
	for i, line := range lines {
		line = runID.ReplaceAllString(line, "00000000-0000")
		line = moment.ReplaceAllString(line, "2026-11-22 02:00:00 UTC")
		if stepLine.MatchString(line) {
			line = took.ReplaceAllStringFunc(line, func(text string) string { return strings.Repeat(" ", len([]rune(text))-1) + "T" })
		} else {
			line = took.ReplaceAllString(line, "${1}T")
		}
		lines[i] = line
	}
	return strings.Join(lines, "\n")
}

// pipe runs the program with pipes and returns what it wrote.
func pipe(t *testing.T, cmd *exec.Cmd) (out, talk string, status int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	status = statusOf(t, cmd.Run())
	return stdout.String(), stderr.String(), status
}

func gate(t *testing.T) (path string, openIt func()) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "gate")
	return path, func() {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// resize changes the size of the window. The terminal does not fold what stands there already.
func (c *terminal) resize(columns, rows int) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vt.Resize(columns, rows)
	if err := pty.Setsize(c.tty, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		c.t.Fatal(err)
	}
}

func TestANoteThatHasNoRoomBesideItsRowStandsBelow(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe(t, program(t, dir, nil, "run", "shop", "--config", "fail=error"))
	wide, _, _ := pipe(t, program(t, dir, nil, "runs"))
	c := open(t, program(t, dir, nil, "runs"), 66, 20)
	status, screen := c.exit()
	lines := strings.Split(strings.TrimRight(screen, "\n "), "\n")
	if status != 0 || !strings.Contains(wide, "orders.csv has no column price_usd") || !strings.HasPrefix(lines[len(lines)-1], "    totals: ") {
		t.Errorf("exit %d\n%s\nelsewhere\n%s", status, screen, wide)
	}
}
