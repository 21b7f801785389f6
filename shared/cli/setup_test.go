package cli_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/shared/cli"
	"waggle/shared/embedded"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/driver"
	"waggle/shared/store/tabletest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// desk is a person at a terminal that is none: a home folder, and a clock that stands still while a command runs, so that
// every duration is nothing and every id is known.
type desk struct {
	t    *testing.T
	home string
	now  time.Time
	seed uint64
	env  map[string]string
	app  cli.App

	table tabletest.Table // where the home's is not SQLite's
}

func setup(t *testing.T) *desk {
	t.Helper()
	d := &desk{t: t, home: filepath.Join(t.TempDir(), "home"), now: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), env: map[string]string{}, app: app()}
	d.app.Open = func(ctx context.Context, home string) (*store.Store, error) {
		d.seed++
		var seed [32]byte
		seed[0] = byte(d.seed)
		opts := &store.Options{Now: func() time.Time { return d.now }, Random: rand.NewChaCha8(seed)}
		if !tabletest.Remote() {
			return embedded.Open(ctx, home, opts)
		}
		if d.table == nil {
			d.table = tabletest.New(t, &tabletest.Options{Clock: opts.Now})
		}
		blobs, err := embedded.Blobs(home)
		if err != nil {
			return nil, err
		}
		return store.New(staysOpen{d.table}, blobs, opts), nil
	}
	return d
}

// staysOpen is a table that the next command uses too.
type staysOpen struct{ driver.Driver }

func (staysOpen) Close() error { return nil }

// launch launches runs that nobody starts.
func (d *desk) launch(n int) {
	d.t.Helper()
	st, err := d.app.Open(context.Background(), d.home)
	if err != nil {
		d.t.Fatal(err)
	}
	for range n {
		if _, err := st.Launch(context.Background(), run.Request{Selection: []run.StepKey{"lonely"}}); err != nil {
			d.t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		d.t.Fatal(err)
	}
}

// call runs a command a minute later, and returns what it wrote and its exit status.
func (d *desk) call(args ...string) (out, talk string, status int) {
	d.t.Helper()
	d.now = d.now.Add(time.Minute)
	var stdout, stderr bytes.Buffer
	env := func(name string) string {
		if name == "WAGGLE_HOME" && d.env[name] == "" {
			return d.home
		}
		return d.env[name]
	}
	status = cli.Main(context.Background(), d.app, args, cli.Streams{Out: &stdout, Err: &stderr, Env: env})
	return stdout.String(), stderr.String(), status
}

// must runs a command that is to end with a status.
func (d *desk) must(want int, args ...string) (out, talk string) {
	d.t.Helper()
	out, talk, status := d.call(args...)
	if status != want {
		d.t.Fatalf("waggle %s ended with %d, want %d\n%s%s", strings.Join(args, " "), status, want, out, talk)
	}
	return out, talk
}

// transcript runs commands and gathers what a person sees.
func (d *desk) transcript(commands ...string) string {
	d.t.Helper()
	var b strings.Builder
	for _, command := range commands {
		out, talk, status := d.call(strings.Fields(command)...)
		fmt.Fprintf(&b, "$ waggle %s\n%s", command, out)
		if talk != "" {
			fmt.Fprintf(&b, "--- stderr\n%s", talk)
		}
		fmt.Fprintf(&b, "--- exit %d\n\n", status)
	}
	return strings.ReplaceAll(b.String(), filepath.Dir(d.home), "TEMP")
}

var (
	origin   = regexp.MustCompile(`(definitions|alerts)_test\.go:\d+`)
	platform = regexp.MustCompile(`go1\.[0-9.]+, \w+/\w+`)
	cursor   = regexp.MustCompile(`--cursor \w{20,}`) // it is the driver's
	planHash = regexp.MustCompile(`"plan": ?"[0-9a-f]{16}"`)
)

// golden compares a text with a stored one.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = origin.ReplaceAllString(got, "${1}_test.go:N")
	got = platform.ReplaceAllString(got, "goN, OS/ARCH")
	got = cursor.ReplaceAllString(got, "--cursor CURSOR")
	got = planHash.ReplaceAllString(got, `"plan":"HASH"`)
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; write it with -update", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s has changed (- stored, + now); if it is meant, run go test ./shared/cli -update\n%s", path, diff)
	}
}

// sortSteps sorts the lines of finished steps, for those that run at once finish in any order.
func sortSteps(out string) string {
	head, rest, _ := strings.Cut(out, "\n\n")
	lines := strings.Split(head, "\n")
	first := lines[:1]
	steps := lines[1:]
	for i := range steps {
		for j := i + 1; j < len(steps); j++ {
			if steps[j] < steps[i] {
				steps[i], steps[j] = steps[j], steps[i]
			}
		}
	}
	return strings.Join(append(first, steps...), "\n") + "\n\n" + rest
}
