package stacks_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheTableOfRightsIsTheTemplates holds docs/security.md against what roles may do; -update rewrites it.
func TestTheTableOfRightsIsTheTemplates(t *testing.T) {
	const path, begin, end = "../../docs/security.md", "<!-- rights -->\n", "<!-- end of rights -->"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(data), begin)
	got, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no %q", path, begin+end)
	}
	want := rights(t)
	if *update {
		if err := os.WriteFile(path, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs; go test ./stacks -update rewrites it\n%s", path, diff)
	}
}

// rights is what roles may do, as a table in Markdown. Those who may do the same share a row.
func rights(t *testing.T) string {
	t.Helper()
	var order []string
	who := map[string][]string{}
	add := func(name string, list []statement) {
		for _, s := range list {
			var on []string
			for _, of := range s.Resources {
				on = append(on, readable(of))
			}
			row := "`" + strings.Join(s.Actions, "`, `") + "` | " + strings.Join(on, ", ")
			if who[row] == nil {
				order = append(order, row)
			}
			who[row] = append(who[row], "`"+name+"`")
		}
	}
	for _, name := range []string{"run", "step", "sensor", "monitor"} {
		add(name, runs.role(t, name))
	}
	for id, r := range runs.all(t, "AWS::IAM::Role") {
		if strings.HasPrefix(id, "SchedulesRole") {
			add("Scheduler", statements(t, r))
		}
	}
	b := &strings.Builder{}
	b.WriteString("| who | may | on |\n|---|---|---|\n")
	for _, row := range order {
		fmt.Fprintf(b, "| %s | %s |\n", strings.Join(who[row], ", "), row)
	}
	return b.String()
}

// readable is a resource of the templates under test as one of any deployment.
func readable(of string) string {
	if strings.HasPrefix(of, "{") {
		r := runs.Resources[idOf(of)]
		switch r.Type {
		case "AWS::Logs::LogGroup":
			return "its log group"
		case "AWS::SQS::Queue":
			of = "sqs:" + text(r.Properties["QueueName"])
		case "AWS::Lambda::Version":
			of = "the version of " + text(runs.Resources[idOf(r.Properties["FunctionName"])].Properties["FunctionName"])
		}
	}
	return "`" + strings.NewReplacer("arn::", "", ":::", ":", "waggle-test--", "waggle-ENV-ACCOUNT-REGION", "waggle-test", "waggle-ENV", "waggle/test", "waggle/ENV").Replace(of) + "`"
}
