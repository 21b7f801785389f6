//go:build aws

package main_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"waggle/localstack/emulator"
	"waggle/pipelines"
	"waggle/shared/manifest"
)

// deployment is a checkout in which cdk works: cdk.json, the app and what make build would have written.
type deployment struct {
	t        *testing.T
	folder   string
	endpoint string
}

// setup starts an emulator and makes a checkout whose functions only say their names.
func setup(t *testing.T) deployment {
	t.Helper()
	if _, err := exec.LookPath("cdk"); err != nil {
		t.Fatalf("%v; start this test by make test-deploy", err)
	}
	aws, err := emulator.MiniStack(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(aws.Close)
	d := deployment{t, t.TempDir(), aws.Endpoint}
	d.write("cdk.json", `{"app": "./infra", "versionReporting": false, "context": {"waggle": {"environment": "try", "architecture": "`+runtime.GOARCH+`",
		"sender": "waggle@example.com", "recipients": ["team@example.com"], "alarm_mail": "ops@example.com"}}}`)
	if out, err := d.command(".", "go", "build", "-o", filepath.Join(d.folder, "infra"), "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m, err := manifest.Of(pipelines.Definitions, "0123456789ab")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range m.Functions {
		m.Functions[i].Zips = []manifest.Zip{{Architecture: runtime.GOARCH, Path: f.Name + ".zip"}}
		d.build(f.Name, f.Name)
	}
	if err := manifest.Write(filepath.Join(d.folder, "dist"), m); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d deployment) write(name, text string) {
	d.t.Helper()
	path := filepath.Join(d.folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// build compiles a function that says something.
func (d deployment) build(name, says string) {
	d.t.Helper()
	source := filepath.Join("source", name, "main.go")
	d.write(source, fmt.Sprintf("package main\n\nfunc main() { println(%q) }\n", says))
	program := filepath.Join("source", name, "bootstrap")
	if out, err := d.command(d.folder, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, source); err != nil {
		d.t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(d.folder, program))
	if err != nil {
		d.t.Fatal(err)
	}
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err == nil {
		_, err = file.Write(data)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		d.t.Fatal(err)
	}
	d.write(filepath.Join("dist", name+".zip"), packed.String())
}

func (d deployment) command(folder, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "AWS_ENDPOINT_URL="+d.endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (d deployment) cdk(folder string, args ...string) string {
	d.t.Helper()
	out, err := d.command(folder, "cdk", append(args, "--no-notices")...)
	if err != nil {
		d.t.Fatalf("cdk %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// get reads a page of Lambda's.
func (d deployment) get(path string, into any) {
	d.t.Helper()
	answer, err := http.Get(d.endpoint + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if err := json.NewDecoder(answer.Body).Decode(into); err != nil || answer.StatusCode != http.StatusOK {
		d.t.Fatalf("%s: %s, %v", path, answer.Status, err)
	}
}

// versions lists a function's versions, and those whose failed invocations the monitor is told of.
func (d deployment) versions(function string) (versions, told []string) {
	d.t.Helper()
	var list struct{ Versions []struct{ Version string } }
	d.get("/2015-03-31/functions/"+function+"/versions", &list)
	for _, v := range list.Versions {
		versions = append(versions, v.Version)
	}
	var configs struct {
		FunctionEventInvokeConfigs []struct {
			FunctionArn          string
			MaximumRetryAttempts int
			DestinationConfig    struct{ OnFailure struct{ Destination string } }
		}
	}
	d.get("/2019-09-25/functions/"+function+"/event-invoke-config/list", &configs)
	for _, c := range configs.FunctionEventInvokeConfigs {
		if c.MaximumRetryAttempts == 0 && strings.HasSuffix(c.DestinationConfig.OnFailure.Destination, ":waggle-try-monitor") {
			told = append(told, c.FunctionArn[strings.LastIndexByte(c.FunctionArn, ':')+1:])
		}
	}
	slices.Sort(told)
	return versions, told
}

func TestADeploymentIsMadeOnceAndKeepsTheVersionsThatRunsBeganWith(t *testing.T) {
	d := setup(t)
	d.cdk(t.TempDir(), "bootstrap", "aws://000000000000/us-east-1")
	d.cdk(d.folder, "deploy", "--all", "--require-approval", "never", "--progress", "events")
	if out := d.cdk(d.folder, "diff", "--fail"); !strings.Contains(out, "Number of stacks with differences: 0") {
		t.Errorf("nothing changed, and cdk diff says\n%s", out)
	}
	for _, function := range []string{"waggle-try-run", "waggle-try-step"} {
		if versions, told := d.versions(function); !slices.Equal(versions, []string{"$LATEST", "1"}) || !slices.Equal(told, []string{"1"}) {
			t.Errorf("%s: versions %v, the monitor is told of %v", function, versions, told)
		}
	}
	d.build("run", "run, changed")
	d.cdk(d.folder, "deploy", "--all", "--require-approval", "never", "--progress", "events")
	if versions, told := d.versions("waggle-try-run"); !slices.Equal(versions, []string{"$LATEST", "1", "2"}) || !slices.Equal(told, []string{"1", "2"}) {
		t.Errorf("run after a change: versions %v, the monitor is told of %v", versions, told)
	}
	if versions, told := d.versions("waggle-try-step"); !slices.Equal(versions, []string{"$LATEST", "1"}) || !slices.Equal(told, []string{"1"}) {
		t.Errorf("step, which did not change: versions %v, the monitor is told of %v", versions, told)
	}
}
