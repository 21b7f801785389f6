package cli_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"
	_ "modernc.org/sqlite"

	"waggle/shared/asset"
	"waggle/shared/fault"
	"waggle/shared/store"
	"waggle/shared/store/memorydriver"
	"waggle/shared/store/tabletest"
)

func TestAHomeThatCannotBeUsedIsOneClearLine(t *testing.T) {
	t.Parallel()
	if tabletest.Remote() {
		t.Skip("it is about SQLite's file")
	}
	d := setup(t)
	d.must(0, "runs")
	temp := filepath.Dir(d.home)
	file := filepath.Join(temp, "file")
	write(t, file, "not a folder")
	garbage := filepath.Join(temp, "garbage")
	write(t, filepath.Join(garbage, "waggle.db"), strings.Repeat("garbage ", 2000))
	newer := filepath.Join(temp, "newer")
	write(t, filepath.Join(newer, "waggle.db"), read(t, filepath.Join(d.home, "waggle.db")))
	pragma(t, filepath.Join(newer, "waggle.db"), "PRAGMA user_version = 9")
	foreign := filepath.Join(temp, "foreign")
	if err := os.MkdirAll(foreign, 0o755); err != nil {
		t.Fatal(err)
	}
	pragma(t, filepath.Join(foreign, "waggle.db"), "CREATE TABLE other (a)")
	golden(t, "home", d.transcript("runs --home "+file, "runs --home "+filepath.Join(file, "below"), "run shop --home "+garbage, "runs --home "+newer, "assets --home "+foreign))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func pragma(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAReadOnlyHomeIsOneClearLine(t *testing.T) {
	t.Parallel()
	d := setup(t)
	if os.Getuid() == 0 {
		// No folder is read-only to root: say what the driver says to others.
		d.app.Open = func(context.Context, string) (*store.Store, error) {
			return nil, &fault.Error{Op: "open home", Code: fault.Denied, Err: os.ErrPermission, Hint: "give --home a folder that you may write"}
		}
	} else if err := os.MkdirAll(d.home, 0o555); err != nil {
		t.Fatal(err)
	}
	if _, talk := d.must(3, "runs"); !strings.HasPrefix(talk, "waggle: open home") || strings.Count(talk, "\n") != 1 {
		t.Errorf("%s", talk)
	}
}

func TestAFullDiskInTheMiddleOfARunIsSaidAndTheRunCanGoOn(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.app.Open = func(context.Context, string) (*store.Store, error) {
		var chunks atomic.Int64
		full := func(c memorydriver.Call) error {
			if c.Op == memorydriver.Put && !c.Done && strings.HasPrefix(c.Keys[0].Sort, "LOG#") && chunks.Add(1) > 2 {
				return fault.Wrap(fault.Full, "put", errors.New("no space left on device"))
			}
			return nil
		}
		return store.New(tabletest.New(t, &tabletest.Options{Hook: full}), store.NewBlobs(memblob.OpenBucket(nil)), nil), nil
	}
	_, talk := d.must(3, "run", "shop")
	for _, want := range []string{"no space left on device", " is not complete; `waggle monitor --once` takes it up, in 5 s at the earliest"} {
		if !strings.Contains(talk, want) {
			t.Errorf("no %q in %s", want, talk)
		}
	}
}

func TestDefinitionsWithMistakesAreRefusedWithAllOfThem(t *testing.T) {
	t.Parallel()
	d := setup(t)
	d.app.Definitions.Assets = slices.Concat(d.app.Definitions.Assets, asset.List{orders, nil})
	for _, command := range [][]string{{"run", "shop"}, {"assets"}, {"definitions"}} {
		_, talk := d.must(2, command...)
		if strings.Count(talk, "\n") != 2 || !strings.Contains(talk, "is twice in Definitions.Assets") || !strings.Contains(talk, "is nil") {
			t.Errorf("%s: %s", command, talk)
		}
	}
	d.must(0, "runs") // what is recorded can be read all the same
}

func TestARunWhoseCodeIsGoneIsShown(t *testing.T) {
	t.Parallel()
	d := record(t)
	d.app.Definitions.Assets, d.app.Definitions.Checks, d.app.Definitions.Jobs, d.app.Definitions.Schedules = nil, nil, nil, nil
	golden(t, "code_gone", d.transcript("runs --job shop", "runs show LAST", "runs logs LAST --level error", "assets show totals"))
}

func TestABinaryOlderThanThePipelinesSaysSo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "pipelines", "shop", "shop.go"), "package shop\n")
	newer := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "pipelines", "shop", "shop.go"), newer, newer); err != nil {
		t.Fatal(err)
	}
	const warning = "waggle: warning: waggle is older than pipelines/shop/shop.go; build it again with: make waggle\n"
	if _, talk, _ := pipe(t, program(t, dir, nil, "run", "--select", "lonely")); talk != "" {
		t.Errorf("outside a checkout: %s", talk)
	}
	write(t, filepath.Join(dir, "go.mod"), "module waggle\n")
	if _, talk, _ := pipe(t, program(t, dir, nil, "run", "--select", "lonely")); talk != warning {
		t.Errorf("in a checkout: %s", talk)
	}
	write(t, filepath.Join(dir, "go.mod"), "module other\n")
	if _, talk, _ := pipe(t, program(t, dir, nil, "run", "--select", "lonely")); talk != "" {
		t.Errorf("in another module: %s", talk)
	}
}
