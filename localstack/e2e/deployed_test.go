//go:build aws

package e2e_test

import (
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"waggle/localstack/emulator"
	"waggle/shared/notify/notifytest"
)

// environment is the name of the deployment.
const environment = "e2e"

// deployed deploys what make build wrote to an emulator of AWS, by cdk.
func deployed(t *testing.T, program string) *place {
	t.Helper()
	p := &place{t: t, program: program, folder: t.TempDir(), slack: newSlack(t), where: []string{"--env", environment}}
	sink := notifytest.NewMail(t, notifytest.MailOptions{})
	cloud, err := emulator.MiniStackWith(t.Context(), "SMTP_HOST="+sink.Host+":"+strconv.Itoa(sink.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	p.env = []string{"AWS_ENDPOINT_URL=" + cloud.Endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true"}
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &cloud.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	if _, err := ssm.NewFromConfig(cfg).PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/waggle/" + environment + "/slack"),
		Value: &p.slack.URL, Type: types.ParameterTypeSecureString}); err != nil {
		t.Fatal(err)
	}
	p.deploy()
	if out, talk, status := p.call("doctor"); status != 0 || strings.Contains(out, "wrong") {
		t.Errorf("the doctor says\n%s%s", out, talk)
	}
	var letters []letter
	p.mails = func() []letter {
		for _, m := range sink.Take() {
			letters = append(letters, open(p.t, m.Data))
		}
		return letters
	}
	t.Cleanup(func() { p.mails() }) // what the last test did not wait for
	bucket := s3.NewFromConfig(cfg)
	p.read = func(path string) []byte {
		p.t.Helper()
		u, err := url.Parse(path)
		if err != nil || u.Scheme != "s3" {
			p.t.Fatalf("%q is no object of a bucket", path)
		}
		object, err := bucket.GetObject(p.t.Context(), &s3.GetObjectInput{Bucket: &u.Host, Key: aws.String(strings.TrimPrefix(u.Path, "/"))})
		if err != nil {
			p.t.Fatal(err)
		}
		defer func() { _ = object.Body.Close() }()
		data, err := io.ReadAll(object.Body)
		if err != nil {
			p.t.Fatal(err)
		}
		return data
	}
	return p
}

// deploy makes both stacks.
func (p *place) deploy() {
	p.t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		p.t.Fatal(err)
	}
	folder := p.t.TempDir()
	settings := `{"app": "./infra", "versionReporting": false, "context": {"waggle": {"environment": "` + environment + `", "architecture": "` + runtime.GOARCH + `",
		"sender": "Waggle <waggle@example.com>", "recipients": ["team@example.com"], "variables": {"SMTP_HOST": ""}}}}` // functions get the emulator's environment where they have nothing of the name
	if err := os.WriteFile(filepath.Join(folder, "cdk.json"), []byte(settings), 0o600); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(root, "dist"), filepath.Join(folder, "dist")); err != nil {
		p.t.Fatal(err)
	}
	p.command(filepath.Join(root, "infra"), "go", "build", "-o", filepath.Join(folder, "infra"), ".")
	p.command(p.t.TempDir(), "cdk", "bootstrap", "aws://000000000000/us-east-1", "--no-notices")
	p.command(folder, "cdk", "deploy", "--all", "--require-approval", "never", "--progress", "events", "--no-notices")
}

func (p *place) command(folder, name string, args ...string) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), name, args...)
	cmd.Dir, cmd.Env = folder, append(append(os.Environ(), "CGO_ENABLED=0"), p.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
