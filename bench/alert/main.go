// Command alert measures how long it takes from the failure of a run until its message has arrived at a Slack-like server, and at a
// mail server.
//
//	go run ./bench/alert -runs 200
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"waggle/bench/figures"
)

// figure is the line of output. README.md says how to read it.
type figure struct {
	Program string  `json:"program"`
	Runs    int     `json:"runs"`
	P50     float64 `json:"p50_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
	MailP50 float64 `json:"mail_p50_ms"`
	MailP99 float64 `json:"mail_p99_ms"`
	Stages  stages  `json:"stages_p50_ms"`
	PaceS   float64 `json:"pace_s"`
}

// stages are when, after the failure, the median run was so far.
type stages struct {
	Stored    float64 `json:"with_sensor"`
	Evaluated float64 `json:"with_channel"`
	Sending   float64 `json:"sending"`
	Received  float64 `json:"received"`
}

// budget is what the 99th of a hundred messages may take.
const budget = 20.0

func main() { figures.Main("alert", command) }

func command(ctx context.Context) (err error) {
	runs := flag.Int("runs", 200, "how many runs fail")
	pace := flag.Duration("pace", 1050*time.Millisecond, "the time from one failure to the next; less than a second measures the rate of the channel")
	program := flag.String("program", "", "run: a process for each run, which has never sent anything; dev: one process for all; empty: both, a line each")
	jobs := flag.Int("child", 0, "this process is the program, with so many jobs; its arguments follow")
	flag.Parse()
	if *jobs > 0 {
		return commandLine(ctx, *jobs, flag.Args())
	}
	if *runs < 1 || *runs > 9999 || flag.NArg() > 0 {
		flag.Usage()
		return errors.New("-runs is 1 to 9999")
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		return fmt.Errorf("on %s a certificate cannot be trusted by one process alone (SSL_CERT_FILE): take the figure on Linux", runtime.GOOS)
	}
	programs := []string{"run", "dev"}
	if *program != "" {
		if !slices.Contains(programs, *program) {
			flag.Usage()
			return errors.New("-program is run or dev")
		}
		programs = []string{*program}
	}
	for _, name := range programs {
		if err := one(ctx, name, *runs, *pace); err != nil {
			return err
		}
	}
	return nil
}

// one measures one program and prints its line.
func one(ctx context.Context, program string, runs int, pace time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "waggle-alert-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			_ = os.RemoveAll(dir)
		} else {
			figures.Say("what was stored is kept in %s", dir)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute+time.Duration(runs)*(pace+5*time.Second))
	defer cancel()
	f, err := measure(ctx, dir, program, runs, pace)
	if err != nil {
		return err
	}
	if f.P99 > budget {
		figures.Say("p99 in `%s` is %v ms, over the budget of %v", program, f.P99, budget)
	}
	return figures.Print(f)
}
