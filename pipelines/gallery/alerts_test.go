package gallery

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"waggle/shared/run"
	"waggle/shared/waggletest"
)

// subjects are what was told of a run, "channel: subject".
func subjects(r *waggletest.Run) []string {
	var list []string
	for _, m := range r.Sent() {
		list = append(list, m.Channel+": "+m.Subject)
	}
	slices.Sort(list)
	return list
}

func TestARunWithWarningsMailsItsSuccessAndWhatItWarnsOf(t *testing.T) {
	t.Parallel()
	r := waggletest.RunJob(t, Definitions, "gallery", &waggletest.Options{Config: map[string]any{"output_dir": t.TempDir()}})
	if r.Status != run.Success {
		t.Fatalf("%s %s", r.Status, r.Error)
	}
	sent := r.Sent()
	got := subjects(r)
	if want := []string{"slack: ", "team: [Waggle] 3 validation warnings in gallery", "team: [Waggle] gallery completed", "team: [Waggle] pipeline report"}; !slices.Equal(got, want) {
		t.Fatalf("told %q, want %q", got, want)
	}
	if want := fmt.Sprintf("Sales pipeline completed: %d sales", len(waggletest.Output(t, r, salesOutput))); sent[0].Text != want {
		t.Errorf("slack was told %q, want %q", sent[0].Text, want)
	}
	i := slices.IndexFunc(sent, func(m waggletest.Sent) bool { return len(m.Attachments) > 0 })
	if i < 0 || sent[i].Attachments[0].Name != "validation_warnings.json" {
		t.Fatalf("no attachment in %+v", sent)
	}
	var file struct {
		RunID    string `json:"run_id"`
		Job      string
		Warnings []struct {
			Asset, Check, Severity string
			Metadata               map[string]any
			Validation             any `json:"validation_warnings"`
		}
	}
	if err := json.Unmarshal(sent[i].Attachments[0].Data, &file); err != nil {
		t.Fatal(err)
	}
	if file.RunID != string(r.ID) || file.Job != "gallery" || len(file.Warnings) != 3 {
		t.Fatalf("%s", sent[i].Attachments[0].Data)
	}
	assets := map[string]bool{}
	for _, w := range file.Warnings {
		switch {
		case w.Check != "" && (w.Severity != "WARN" || w.Metadata["error_count"] == nil || w.Validation != nil):
			t.Errorf("%+v", w)
		case w.Check == "" && w.Validation == nil:
			t.Errorf("%+v", w)
		case w.Check == "":
			assets[w.Asset] = true
		}
	}
	if !assets["sales_transform"] || !assets["artworks_transform"] {
		t.Errorf("validation warnings of %v", assets)
	}
}

func TestAFailureIsToldInSlackAndByMailWithItsRealError(t *testing.T) {
	t.Parallel()
	r := waggletest.RunJob(t, Definitions, "gallery", &waggletest.Options{Config: map[string]any{"input_dir": t.TempDir(), "output_dir": t.TempDir()}})
	if got := subjects(r); r.Status != run.Failure || !slices.Equal(got, []string{"slack: [Waggle] gallery failed", "team: [Waggle] gallery failed"}) {
		t.Fatalf("%s, told %q", r.Status, got)
	}
	unwrapped := strings.NewReplacer(" ", "", "\n", "", "|", "").Replace // lines of code are wrapped
	for _, m := range r.Sent() {
		if !strings.Contains(unwrapped(m.Text), unwrapped(r.Failed()[0].Error.Message)) || !strings.Contains(m.Text, "waggle runs show "+r.ID.Short()) {
			t.Errorf("%s", m.Text)
		}
	}
}
