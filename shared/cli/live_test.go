package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestARunIsShownLiveAndItsLastFrameStays(t *testing.T) {
	t.Parallel()
	for _, columns := range []int{80, 120} {
		for _, fail := range []string{"nothing", "error", "check"} {
			t.Run(fmt.Sprintf("%s at %d columns", fail, columns), func(t *testing.T) {
				t.Parallel()
				c := open(t, program(t, t.TempDir(), nil, "run", "shop", "--config", "fail="+fail), columns, 50)
				status, screen := c.exit()
				if failed := fail != "nothing"; failed != (status == 1) || !failed && status != 0 {
					t.Errorf("exit %d", status)
				}
				golden(t, fmt.Sprintf("live_%s_%d", fail, columns), still(screen))
				fits(t, screen, columns)
				if raw := c.output(); !strings.Contains(raw, "\x1b[32m") || !strings.Contains(raw, "\x1b[?25l") || strings.LastIndex(raw, "\x1b[?25h") < strings.LastIndex(raw, "\x1b[?25l") {
					t.Errorf("no colour, or the cursor stays hidden: %q", raw)
				}
			})
		}
	}
}

func fits(t *testing.T, screen string, columns int) {
	t.Helper()
	for _, line := range strings.Split(screen, "\n") {
		if n := len([]rune(line)); n > columns {
			t.Errorf("%d columns: %q", n, line)
		}
	}
}

func TestStepsThatRunAreShownWithTheirTime(t *testing.T) {
	t.Parallel()
	path, openIt := gate(t)
	c := open(t, program(t, t.TempDir(), []string{"WAGGLE_LOG_LEVEL=error"}, "run", "slow", "--config", "gate="+path), 80, 24)
	golden(t, "live_running", still(c.wait(`RUNNING   slow_source +\d+\.\d s`, `1 running, \d`)))
	openIt()
	if status, screen := c.exit(); status != 0 || strings.Contains(screen, "RUNNING") || !strings.Contains(screen, "SUCCESS slow: 3 assets, ") {
		t.Errorf("exit %d\n%s", status, screen)
	}
}

func TestManyStepsFitTheWindow(t *testing.T) {
	t.Parallel()
	for rows, last := range map[int]string{30: "part_115", 24: "part_115", 12: "part_105", 6: "part_100"} {
		t.Run(fmt.Sprintf("%d rows", rows), func(t *testing.T) {
			t.Parallel()
			path, openIt := gate(t)
			cmd := program(t, t.TempDir(), []string{"WAGGLE_LOG_LEVEL=error"}, "run", "many", "--config", "gate="+path)
			c := open(t, cmd, 80, rows)
			screen := c.wait(`100 of 120 steps done, 16 running, 1 failed, \d`, last+` +\d+\.\d s`) // the last to start shows its time
			golden(t, fmt.Sprintf("live_many_%d", rows), still(screen))
			openIt()
			if status, screen := c.exit(); status != 1 || !strings.Contains(screen, "FAILED many: 119 of 120 assets, 1 failed") {
				t.Errorf("exit %d\n%s", status, screen)
			}
		})
	}
}

func TestFramesAreOneUpdateEachAndFewASecond(t *testing.T) {
	t.Parallel()
	path, openIt := gate(t)
	c := open(t, program(t, t.TempDir(), nil, "run", "slow", "--config", "gate="+path), 80, 24)
	c.wait(`slow_source +(0\.[3-9]|[1-9])`)
	openIt()
	c.exit()
	raw := c.output()
	begins, ends := strings.Count(raw, "\x1b[?2026h"), strings.Count(raw, "\x1b[?2026l")
	if begins != ends || begins < 3 || begins > 30 {
		t.Errorf("%d updates begin, %d end", begins, ends)
	}
	if strings.Contains(raw, "\x1b[2J") || strings.Contains(raw, "\x1b]") || strings.Contains(raw, "\x1b[6n") {
		t.Errorf("it clears the screen, or asks the terminal: %q", raw)
	}
}

func TestNoColorIsHeeded(t *testing.T) {
	t.Parallel()
	c := open(t, program(t, t.TempDir(), []string{"NO_COLOR=1"}, "run", "shop", "--config", "fail=error"), 80, 50)
	_, screen := c.exit()
	golden(t, "live_error_80", still(screen))
	if raw := c.output(); strings.Contains(raw, "\x1b[3") || strings.Contains(raw, "\x1b[1m") || strings.Contains(raw, "\x1b[0m") {
		t.Errorf("coloured: %q", raw)
	}
}

func TestADumbTerminalGetsPlainLines(t *testing.T) {
	t.Parallel()
	c := open(t, program(t, t.TempDir(), []string{"TERM=dumb"}, "run", "--select", "orders"), 80, 24)
	if _, screen := c.exit(); strings.Contains(c.output(), "\x1b") || !strings.Contains(screen, "✓ SUCCESS   orders") {
		t.Errorf("%q", c.output())
	}
}

func TestAPipeGetsPlainLinesWithoutColour(t *testing.T) {
	t.Parallel()
	out, talk, status := pipe(t, program(t, t.TempDir(), nil, "run", "shop", "--config", "fail=retry"))
	if status != 1 || strings.Contains(out+talk, "\x1b") {
		t.Errorf("exit %d\n%s%s", status, out, talk)
	}
	for _, want := range []string{"attempt 2\n", "✗ FAILED    totals               "} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if want := "WARNING  patient_totals  STEP_UP_FOR_RETRY  the shop did not answer; attempt 2 of 2 in 1 ms"; !strings.Contains(talk, want) {
		t.Errorf("no %q in\n%s", want, talk)
	}
}

func TestANarrowedWindowIsDrawnAnew(t *testing.T) {
	t.Parallel()
	path, openIt := gate(t)
	c := open(t, program(t, t.TempDir(), []string{"WAGGLE_LOG_LEVEL=error"}, "run", "slow", "--config", "gate="+path), 100, 24)
	c.wait(`RUNNING   slow_source +\d`)
	c.resize(40, 24)
	c.wait("0 of 3 st…")
	openIt()
	_, screen := c.exit()
	fits(t, screen, 40)
	if n := strings.Count(screen, "slow_end"); n != 1 {
		t.Errorf("slow_end is on the screen %d times:\n%s", n, screen)
	}
}

func TestListsFitATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, fail := range []string{"nothing", "error"} {
		pipe(t, program(t, dir, nil, "run", "shop", "--config", "fail="+fail))
	}
	for _, columns := range []int{80, 120} {
		for _, command := range []string{"runs", "runs show LAST", "assets", "assets show orders", "assets show invoice", "checks", "checks show check_totals", "jobs", "jobs show shop"} {
			c := open(t, program(t, dir, nil, strings.Fields(command)...), columns, 200)
			if status, screen := c.exit(); status != 0 {
				t.Errorf("%s: exit %d\n%s", command, status, screen)
			}
			for _, line := range strings.Split(c.output(), "\r\n") {
				if n := ansi.StringWidth(line); n > columns {
					t.Errorf("%s at %d columns has a line of %d: %q", command, columns, n, line)
				}
			}
		}
	}
}

func TestTimesAreRelativeOnlyOnATerminal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe(t, program(t, dir, nil, "run", "--select", "lonely"))
	piped, _, _ := pipe(t, program(t, dir, nil, "runs"))
	c := open(t, program(t, dir, nil, "runs"), 80, 24)
	_, screen := c.exit()
	if !moment.MatchString(piped) || moment.MatchString(screen) || !strings.Contains(screen, "now") && !strings.Contains(screen, " ago") {
		t.Errorf("piped:\n%s\non a terminal:\n%s", piped, screen)
	}
}
