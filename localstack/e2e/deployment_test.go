//go:build aws

package e2e_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"waggle/shared/fault"
	"waggle/shared/manifest"
	"waggle/shared/run"
)

// ownTests are about what a home on a laptop does not have. They come after the suite; the last one leaves nothing that runs.
var ownTests = []struct {
	name, reason string
	test         func(deployment)
}{
	{"what cannot be read is put aside, and holds up nothing", "on a laptop events come to sensors by no queue", unreadableIsPutAside},
	{"a run ends by the code that it began with", "on a laptop nothing replaces the code of a process", runKeepsItsCode},
	{"an isolated step and an isolated sensor have functions of their own", "on a laptop sensors have no processes", isolatedAreApart},
	{"destroyed, it leaves what was recorded, and the next one goes on with it", "a home is a folder", destroyedLeavesTheRecord},
}

// queue returns the address of a queue of the deployment.
func (d deployment) queue(end string) *string {
	d.t.Helper()
	out, err := sqs.NewFromConfig(d.config).GetQueueUrl(d.t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(base + "-" + end)})
	if err != nil {
		d.t.Fatal(err)
	}
	return out.QueueUrl
}

// unreadableIsPutAside has messages come back after a second, not after six minutes.
func unreadableIsPutAside(d deployment) {
	client, queue := sqs.NewFromConfig(d.config), d.queue("sensor")
	set := func(seconds string) {
		d.t.Helper()
		if _, err := client.SetQueueAttributes(d.t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"VisibilityTimeout": seconds}}); err != nil {
			d.t.Fatal(err)
		}
	}
	set("1")
	const text = `{"detail-type": "Run Failed", "detail": "cut of`
	if _, err := client.SendMessage(d.t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String(text)}); err != nil {
		d.t.Fatal(err)
	}
	d.slack.forget()
	d.must(1, "run", "gallery_broken")
	d.postWith("deliberate failure") // what comes beside it arrives
	d.must(0, "run", "gallery_broken", "--config", "how=none")
	var dead []types.Message
	d.until("the message in the queue of what failed", func() bool {
		out, err := client.ReceiveMessage(d.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: d.queue("sensor-dead"), MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			d.t.Fatal(err)
		}
		dead = append(dead, out.Messages...)
		return len(dead) > 0
	}, func() any { return "none" })
	if len(dead) != 1 || aws.ToString(dead[0].Body) != text {
		d.t.Errorf("there is %d, the first is %q", len(dead), aws.ToString(dead[0].Body))
	}
	set("360")
	d.until("the end of the alert", func() bool { return d.episodes() == 0 }, func() any { return d.episodes() })
}

// runKeepsItsCode changes what the code says while a run waits, and kills the run's process, so that it has to begin anew.
func runKeepsItsCode(d deployment) {
	old := d.waits("gate/deploy")
	d.change()
	d.deploy()
	newer := d.waits("gate/newer")
	if old.words != "waiting" || newer.words != "waiting, newly" {
		d.t.Errorf("the run before the change says %q, the one after it %q", old.words, newer.words)
	}
	old.kill()
	d.died(old.run)
	d.until("another owner", func() bool { return len(d.owners(old.run)) == 2 }, func() any { return d.log(old.run) })
	d.write("gate/deploy", nil)
	d.write("gate/newer", nil)
	for _, w := range []waiting{old, newer} {
		if status := w.end(); status != 0 || d.status(w.run) != run.Success {
			d.t.Errorf("the run's command ended with %d\n%s%s", status, &w.out, &w.talk)
		}
	}
	said := 0
	for _, line := range d.log(old.run) {
		if strings.HasPrefix(line.Message, old.words) {
			if said++; line.Message != old.words {
				d.t.Error("the run that was on went on by the new code")
			}
		}
	}
	if said != 2 {
		d.t.Errorf("it waited %d times, want once before its process was killed and once after", said)
	}
	for version, w := range map[string]waiting{":1/": old, ":2/": newer} {
		for _, o := range d.owners(w.run) {
			if !strings.HasPrefix(o.Worker, base+"-run"+version) {
				d.t.Errorf("the run that said %q was run by %s", w.words, o.Worker)
			}
		}
	}
}

// isolatedAreApart is about the code that runKeepsItsCode deployed.
func isolatedAreApart(d deployment) {
	d.must(0, "run", "gallery_broken", "--config", "how=none", "--tag", "tell=where")
	if out, _ := d.must(0, "assets", "show", "broken_end", "--json"); !strings.Contains(out, `"`+base+`-step"`) {
		d.t.Errorf("the step was not run by its function:\n%s", out)
	}
	d.letterOf("called in " + base + "-sensor-tells_where")
}

// changes are what is deployed second: texts of the job that fails, and in place of each another.
var changes = []string{
	`"waiting"`, `"waiting, newly"`,
	`"The sum of the doubled numbers."`, `"The sum of the doubled numbers.", Isolated: true`,
	`{"total": total}`, `{"total": total, "function": os.Getenv("AWS_LAMBDA_FUNCTION_NAME")}`,
	`job.List{galleryBroken},`, `job.List{galleryBroken}, Sensors: sensors, Channels: channels,`,
}

// added is a file beside it.
const added = `package broken

import (
	"os"

	"waggle/shared/notify"
	"waggle/shared/sensor"
)

var (
	where    = notify.Mail("where", nil)
	channels = notify.List{where}
	sensors  = sensor.List{tellsWhere}
)

var tellsWhere = sensor.OnRunSuccess("tells_where", func(ctx *sensor.Context, r sensor.Run) error {
	if r.Tags["tell"] != "where" {
		return nil
	}
	return ctx.Notify(notify.Message{Text: "called in " + os.Getenv("AWS_LAMBDA_FUNCTION_NAME")}, where)
}, &sensor.Options{Isolated: true})
`

// change builds the functions anew, from a copy of this source tree with other sample pipelines, for what is deployed next.
func (d deployment) change() {
	d.t.Helper()
	tree := filepath.Join(d.folder, "changed")
	d.copyTo(tree)
	folder := filepath.Join(tree, "pipelines", "broken")
	text, err := os.ReadFile(filepath.Join(folder, "broken.go"))
	if err != nil {
		d.t.Fatal(err)
	}
	for pair := range slices.Chunk(changes, 2) {
		if strings.Count(string(text), pair[0]) != 1 {
			d.t.Fatalf("broken.go does not say %s once", pair[0])
		}
	}
	for name, text := range map[string]string{"broken.go": strings.NewReplacer(changes...).Replace(string(text)), "where.go": added} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	d.command(tree, "go", "run", "-trimpath", "./functions/build", "-architectures", runtime.GOARCH)
	dist := filepath.Join(tree, "dist")
	m, err := manifest.Read(dist)
	if err != nil {
		d.t.Fatal(err)
	}
	m.CodeVersion = "changed"
	if err := manifest.Write(dist, m); err != nil {
		d.t.Fatal(err)
	}
	link := filepath.Join(d.folder, "dist")
	if err := os.Remove(link); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Symlink(dist, link); err != nil {
		d.t.Fatal(err)
	}
}

// copyTo copies this source tree, as it would be committed.
func (d deployment) copyTo(folder string) {
	d.t.Helper()
	list := exec.CommandContext(d.t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = d.checkout
	names, err := list.Output()
	if err != nil {
		d.t.Fatalf("list the files of this source tree: %v", err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(d.checkout, name))
		if errors.Is(err, fs.ErrNotExist) { // it is to be deleted
			continue
		}
		to := filepath.Join(folder, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o600)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

func destroyedLeavesTheRecord(d deployment) {
	newest := d.newest()
	if _, talk := d.must(0, "destroy", "--", "--force"); !strings.Contains(talk, "the stack "+base+"-data stays") {
		d.t.Errorf("it says\n%s", talk)
	}
	functions, err := lambda.NewFromConfig(d.config).ListFunctions(d.t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(functions.Functions) != 0 {
		d.t.Errorf("functions are left: %+v, %v", functions, err)
	}
	if _, talk := d.must(fault.Exit(fault.New(fault.NotFound, "")), "runs"); !strings.Contains(talk, `no deployment "`+environment+`"`) {
		d.t.Errorf("runs says\n%s", talk)
	}
	d.deploy()
	if id := d.newest(); id == "" || id != newest {
		d.t.Errorf("the newest run was %q, and now is %q", newest, id)
	}
	if rows := d.read(d.url("out/sales_output.json")); len(rows) == 0 {
		d.t.Error("a file is empty that was written before")
	}
	d.must(0, "run", "gallery_broken", "--config", "how=none")
}
