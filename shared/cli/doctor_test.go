package cli_test

import (
	"context"
	"iter"
	"slices"
	"strings"
	"testing"

	"waggle/shared/cli"
)

func TestTheDoctorSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	t.Parallel()
	d := setup(t)
	findings := []cli.Finding{{What: "table", Text: "waggle-prod"}, {What: "limits", Text: "10 functions may run at once", Hint: "ask for more"}}
	d.app.Doctor = func(context.Context, string) iter.Seq[cli.Finding] { return slices.Values(findings) }
	out, _ := d.must(0, "doctor", "--env", "prod")
	for _, line := range []string{"table", "✓ ok", "▲ note", "10 functions may run at once (ask for more)"} {
		if !strings.Contains(out, line) {
			t.Errorf("it lacks %q\n%s", line, out)
		}
	}
	findings = append(findings, cli.Finding{What: "mail", Text: "a@example.com is not verified", Hint: "follow the link", Wrong: true})
	if out, _ := d.must(1, "doctor", "--env", "prod"); !strings.Contains(out, "✗ wrong") || !strings.Contains(out, "is not verified (follow the link)") {
		t.Errorf("%s", out)
	}
	if out, _ := d.must(1, "doctor", "--env", "prod", "--json"); !strings.Contains(out, `"state": "wrong"`) {
		t.Errorf("%s", out)
	}
	d.must(2, "doctor")
	d.app.Doctor = nil
	if _, talk := d.must(2, "doctor", "--env", "prod"); !strings.Contains(talk, "make waggle-aws") {
		t.Errorf("%s", talk)
	}
}
