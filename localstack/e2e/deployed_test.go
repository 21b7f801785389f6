//go:build aws

package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
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
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"gocloud.dev/blob/memblob"

	"waggle/localstack/emulator"
	"waggle/shared/notify/notifytest"
	"waggle/shared/run"
	"waggle/shared/store"
	"waggle/shared/store/dynamodriver"
)

// What things of the deployment are called.
const (
	environment = "e2e"
	base        = "waggle-" + environment
	bucketName  = base + "-000000000000-us-east-1"
)

// deployment is what a place in the cloud is made of.
type deployment struct {
	*place
	config   aws.Config
	checkout string // the root of this source tree
}

// deployed deploys what make build wrote to an emulator of AWS, by cdk. Mails are taken at an address; empty: anywhere.
func deployed(t *testing.T, program, mailAddress string, start func(ctx context.Context, variables ...string) (*emulator.Emulator, error)) deployment {
	t.Helper()
	p := &place{t: t, program: program, folder: t.TempDir(), slack: newSlack(t), where: []string{"--env", environment}}
	d := deployment{place: p}
	sink := notifytest.NewMail(t, notifytest.MailOptions{Address: mailAddress})
	cloud, err := start(t.Context(), "SMTP_HOST="+sink.Host+":"+strconv.Itoa(sink.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cloud.Close)
	p.env = []string{"AWS_ENDPOINT_URL=" + cloud.Endpoint, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_SESSION_TOKEN=", "AWS_PROFILE=",
		"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true"}
	d.config = aws.Config{Region: "us-east-1", BaseEndpoint: &cloud.Endpoint, Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		HTTPClient: cloud.Client()}
	if cloud.Certificate != "" {
		p.env = append(p.env, "AWS_CA_BUNDLE="+cloud.Certificate, "NODE_EXTRA_CA_CERTS="+cloud.Certificate)
	}
	if _, err := ssm.NewFromConfig(d.config).PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/waggle/" + environment + "/slack"),
		Value: &p.slack.URL, Type: types.ParameterTypeSecureString}); err != nil {
		t.Fatal(err)
	}
	d.prepare()
	d.deploy()
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
	bucket := s3.NewFromConfig(d.config)
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
	p.write = func(name string, data []byte) {
		p.t.Helper()
		if _, err := bucket.PutObject(p.t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucketName), Key: aws.String("files/" + name), Body: bytes.NewReader(data)}); err != nil {
			p.t.Fatal(err)
		}
	}
	p.url = func(name string) string { return "s3://" + bucketName + "/files/" + name }
	p.store = func() *store.Store {
		p.t.Helper()
		db, err := dynamodriver.Open(p.t.Context(), base, &dynamodriver.Options{Indexes: store.Indexes(), Config: &d.config})
		if err != nil {
			p.t.Fatal(err)
		}
		return store.New(db, store.NewBlobs(memblob.OpenBucket(nil)), &store.Options{Now: db.Now}) // no value here is large
	}
	p.died = d.died
	p.look = func() {
		p.t.Helper()
		d.invoke("monitor", map[string]any{"monitor": true})
	}
	p.fire = d.fire
	return d
}

// invoke calls a function, and waits for its end.
func (d deployment) invoke(function string, payload any) {
	d.t.Helper()
	data, err := json.Marshal(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	out, err := lambda.NewFromConfig(d.config).Invoke(d.t.Context(), &lambda.InvokeInput{FunctionName: aws.String(base + "-" + function), Payload: data})
	if err != nil || out.FunctionError != nil {
		d.t.Fatalf("%s: %v %s", function, err, out.Payload)
	}
}

// died tells the monitor that the invocation which owns a run ended badly, as Lambda does. The emulator does too, and leaves out which
// invocation it was.
func (d deployment) died(id run.ID) {
	d.t.Helper()
	owners := d.owners(id)
	function, request, _ := strings.Cut(owners[len(owners)-1].Worker, "/")
	d.invoke("monitor", map[string]any{
		"requestContext": map[string]any{"requestId": request, "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:" + function, "condition": "RetriesExhausted"},
		"requestPayload": map[string]any{"run": id},
	})
}

// fire has EventBridge Scheduler call a schedule each minute in place of each night, as it was deployed else. The monitor, which launches
// what was not called, is kept still meanwhile.
func (d deployment) fire(name string, prepare func()) {
	d.t.Helper()
	d.schedule("waggle-monitor", func(s *scheduler.UpdateScheduleInput) { s.State = schedulertypes.ScheduleStateDisabled })
	prepare()
	d.schedule(name, func(s *scheduler.UpdateScheduleInput) { s.ScheduleExpression = aws.String("rate(1 minute)") })
}

// schedule changes a schedule until the test ends.
func (d deployment) schedule(name string, change func(*scheduler.UpdateScheduleInput)) {
	d.t.Helper()
	client := scheduler.NewFromConfig(d.config)
	s, err := client.GetSchedule(d.t.Context(), &scheduler.GetScheduleInput{Name: &name, GroupName: aws.String(base)})
	if err != nil {
		d.t.Fatal(err)
	}
	update := func(ctx context.Context, change func(*scheduler.UpdateScheduleInput)) {
		d.t.Helper()
		in := &scheduler.UpdateScheduleInput{Name: s.Name, GroupName: s.GroupName, ScheduleExpression: s.ScheduleExpression, ScheduleExpressionTimezone: s.ScheduleExpressionTimezone,
			State: s.State, FlexibleTimeWindow: s.FlexibleTimeWindow, Target: s.Target}
		change(in)
		if _, err := client.UpdateSchedule(ctx, in); err != nil {
			d.t.Error(err)
		}
	}
	update(d.t.Context(), change)
	d.t.Cleanup(func() { update(context.Background(), func(*scheduler.UpdateScheduleInput) {}) })
}

// prepare makes a checkout in the place's folder whose settings are those of the test, and what cdk needs once for an account.
func (d *deployment) prepare() {
	d.t.Helper()
	var err error
	if d.checkout, err = filepath.Abs("../.."); err != nil {
		d.t.Fatal(err)
	}
	settings := `{"app": "./app", "versionReporting": false, "context": {"waggle": {"environment": "` + environment + `", "architecture": "` + runtime.GOARCH + `",
		"sender": "Waggle <waggle@example.com>", "recipients": ["team@example.com"], "variables": {"SMTP_HOST": ""}}}}` // functions get the emulator's environment where they have nothing of the name
	if err := os.WriteFile(filepath.Join(d.folder, "cdk.json"), []byte(settings), 0o600); err != nil {
		d.t.Fatal(err)
	}
	for _, name := range []string{"dist", "infra", "go.mod"} {
		if err := os.Symlink(filepath.Join(d.checkout, name), filepath.Join(d.folder, name)); err != nil {
			d.t.Fatal(err)
		}
	}
	d.command(filepath.Join(d.checkout, "infra"), "go", "build", "-o", filepath.Join(d.folder, "app"), ".")
	d.command(d.t.TempDir(), "cdk", "bootstrap", "aws://000000000000/us-east-1", "--no-notices")
}

// deploy makes or changes both stacks.
func (d deployment) deploy() {
	d.t.Helper()
	d.command(d.folder, "cdk", "deploy", "--all", "--require-approval", "never", "--progress", "events", "--no-notices")
}

func (d deployment) command(folder, name string, args ...string) {
	d.t.Helper()
	cmd := exec.CommandContext(d.t.Context(), name, args...)
	cmd.Dir, cmd.Env = folder, append(append(os.Environ(), "CGO_ENABLED=0"), d.env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}
