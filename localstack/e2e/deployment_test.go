//go:build aws

package e2e_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
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
	d.change("waiting", "waiting, newly")
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

// change replaces a text of the sample pipelines in what is deployed next as the function run.
func (d deployment) change(from, to string) {
	d.t.Helper()
	source := filepath.Join(d.checkout, "pipelines", "broken", "broken.go")
	text, err := os.ReadFile(source)
	if err != nil {
		d.t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"`+from+`"`, `"`+to+`"`, 1)
	if changed == string(text) {
		d.t.Fatalf("%s does not say %q", source, from)
	}
	folder := filepath.Join(d.folder, "changed")
	written, dist := filepath.Join(folder, "broken.go"), filepath.Join(folder, "dist")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{source: written}})
	if err != nil {
		d.t.Fatal(err)
	}
	m, err := manifest.Read(filepath.Join(d.folder, "dist"))
	if err != nil {
		d.t.Fatal(err)
	}
	m.CodeVersion = "changed"
	for _, f := range m.Functions {
		if f.Name == manifest.RunFunction {
			continue
		}
		link := filepath.Join(dist, runtime.GOARCH, f.Name)
		if err = os.MkdirAll(filepath.Dir(link), 0o755); err == nil {
			err = os.Symlink(filepath.Join(d.checkout, "dist", runtime.GOARCH, f.Name), link)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	for path, data := range map[string][]byte{written: []byte(changed), filepath.Join(folder, "overlay.json"): overlay} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
	d.command(d.checkout, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-overlay", filepath.Join(folder, "overlay.json"),
		"-o", filepath.Join(dist, runtime.GOARCH, manifest.RunFunction, "bootstrap"), "./functions/run")
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
