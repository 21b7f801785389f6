package main

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"waggle/pipelines"
	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/waggle"
)

// setup makes a tree whose functions print their names, and a builder for it: all functions, or those that are named.
func setup(t *testing.T, names ...string) (builder, manifest.Manifest) {
	t.Helper()
	b := builder{root: t.TempDir(), out: filepath.Join(t.TempDir(), "dist"), architectures: []string{runtime.GOARCH}, limit: maxZip, unzipped: maxProgram}
	write(t, filepath.Join(b.root, "go.mod"), "module waggle\n\ngo 1.26.0\n")
	m, err := manifest.Of(waggle.Definitions{}, "0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	if len(names) > 0 {
		m.Functions = slices.DeleteFunc(m.Functions, func(f manifest.Function) bool { return !slices.Contains(names, f.Name) })
	}
	for _, f := range m.Functions {
		write(t, filepath.Join(b.root, "functions", f.Name, "main.go"), "package main\n\nfunc main() { println(\""+f.Name+"\") }\n")
	}
	return b, m
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestEqualSourcesGiveEqualZipsWhereverTheyAre(t *testing.T) {
	t.Parallel()
	one, m := setup(t, "run", "monitor")
	first, err := one.build(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	other, m := setup(t, "run", "monitor")
	commit(t, other.root)
	second, err := other.build(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	for _, f := range first.Functions {
		if len(f.Zips) != 1 {
			t.Fatalf("%+v", f)
		}
		z := f.Zips[0]
		data := read(t, filepath.Join(one.out, z.Path))
		if z.Architecture != runtime.GOARCH || z.Bytes != int64(len(data)) || z.SHA256 != sum(data) || !bytes.Equal(data, read(t, filepath.Join(other.out, z.Path))) {
			t.Errorf("%s: %+v", f.Name, z)
		}
	}
	stored, err := manifest.Read(one.out)
	if diff := cmp.Diff(first, stored); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// commit makes a folder a checkout, whose commit must not be in what is built.
func commit(t *testing.T, dir string) {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "one"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

func TestThisDeploymentCanBeDeployed(t *testing.T) {
	t.Parallel()
	if m, err := manifest.Of(pipelines.Definitions, ""); err != nil || len(m.Jobs) == 0 {
		t.Errorf("%d jobs, %v", len(m.Jobs), err)
	}
}

func TestAZipHoldsTheProgramAsLambdaStartsIt(t *testing.T) {
	t.Parallel()
	b, m := setup(t, "sensor")
	if _, err := b.build(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(b.out, runtime.GOARCH, "sensor", "bootstrap")
	if runtime.GOOS == "linux" {
		if out, err := exec.Command(program).CombinedOutput(); err != nil || string(out) != "sensor\n" {
			t.Errorf("%q, %v", out, err)
		}
	}
	archive, err := zip.OpenReader(filepath.Join(b.out, runtime.GOARCH, "sensor.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	if len(archive.File) != 1 {
		t.Fatalf("%d files", len(archive.File))
	}
	file := archive.File[0]
	if file.Name != "bootstrap" || file.Mode() != 0o755 || !file.Modified.Equal(time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%s %s %s", file.Name, file.Mode(), file.Modified)
	}
	opened, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(opened); err != nil || !bytes.Equal(data, read(t, program)) {
		t.Errorf("its bytes are not the program's: %v", err)
	}
}

func TestABuildThatFailsLeavesNoManifestAndSaysWhy(t *testing.T) {
	t.Parallel()
	b, m := setup(t)
	write(t, filepath.Join(b.out, manifest.File), `{"version": 1}`)
	write(t, filepath.Join(b.root, "functions/step/main.go"), "package main\n\nfunc main() { missing() }\n")
	_, err := b.build(t.Context(), m)
	if !errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "compile function step for "+runtime.GOARCH) || !strings.Contains(err.Error(), "undefined: missing") {
		t.Errorf("got %v", err)
	}
	if _, err := manifest.Read(b.out); !errors.Is(err, fault.NotFound) {
		t.Errorf("the manifest is there: %v", err)
	}
}

func TestWhatLambdaWouldRefuseIsAnErrorThatSaysHowLargeItIs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		change func(*builder)
		want   string
	}{
		{func(b *builder) { b.limit = 100 << 10 }, " MB zipped, and Lambda takes 0: the program has "},
		{func(b *builder) { b.unzipped = 100 << 10 }, " MB unzipped, and Lambda takes 0"},
	} {
		b, m := setup(t)
		c.change(&b)
		_, err := b.build(t.Context(), m)
		if !errors.Is(err, fault.TooLarge) || !strings.HasPrefix(err.Error(), "function run for "+runtime.GOARCH+" has ") || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "go version -m ") {
			t.Errorf("got %v", err)
		}
	}
}

func TestTheCodeVersionIsTheCommitAndSaysWhereFilesChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if got := codeVersion(t.Context(), dir); got != "unknown" {
		t.Errorf("outside of git: %q", got)
	}
	command := func(args ...string) {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-c", "user.name=a", "-c", "user.email=a@example.com"}, args...)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	command("init", "-q")
	write(t, filepath.Join(dir, "a"), "1")
	command("add", ".")
	command("commit", "-qm", "one")
	clean := codeVersion(t.Context(), dir)
	write(t, filepath.Join(dir, "b"), "2")
	if changed := codeVersion(t.Context(), dir); len(clean) != 12 || changed != clean+"+" {
		t.Errorf("%q, and with another file %q", clean, changed)
	}
}
